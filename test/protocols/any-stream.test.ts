/** The first bytes of a stream's answer decide what it is, however they come. */
import { describe, expect, test } from 'bun:test';
import { createAnyStream } from '../../src/protocols/any-stream.ts';
import { readAnswer } from '../../src/protocols/openai-completions/answer.ts';
import { eventsOfAnswer } from '../../src/protocols/openai-completions/convert.ts';
import { createStreamTap } from '../../src/protocols/openai-completions/stream.ts';

const chat = { list: 'choices', item: ['message'], what: 'a chat completion' };
const event = 'data: {"choices":[{"index":0,"delta":{"content":"é"},"finish_reason":"stop"}]}\n\n';
const done = 'data: [DONE]\n\n';

function run(text: string, pieceLength: number) {
  const pipe = createAnyStream({
    tap: () => createStreamTap({ usageAsked: false, typed: false, several: false }),
    read: (answer) => readAnswer(answer, chat),
    eventsOf: (answer) => eventsOfAnswer(answer, false),
  });
  const emitted: Uint8Array[] = [];
  const emit = (bytes: Uint8Array) => void emitted.push(bytes.slice());
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += pieceLength) pipe.push(bytes.slice(at, at + pieceLength), emit);
  pipe.finish(emit);
  return { out: Buffer.concat(emitted).toString(), done: pipe.done, fault: pipe.fault };
}

describe.each([1, 2, 3, 1000])('in pieces of %i bytes', (length) => {
  test.each(['\uFEFF', '\n\n', '\r\n \t', '\uFEFF\n'])('%p in front of events is taken off', (mark) => {
    expect(run(mark + event, length)).toEqual({ out: event + done, done: true, fault: null });
  });

  test.each([': c\n', 'event: message\n', 'id: 1\n', 'retry: 3\n'])('events may begin with %p', (line) => {
    expect(run(line + event, length)).toEqual({ out: line + event + done, done: true, fault: null });
  });

  test('a JSON answer is a stream of one chunk, blanks in front of it or not', () => {
    const answer = JSON.stringify({ choices: [{ index: 0, message: { content: 'é' }, finish_reason: 'stop' }] }, null, 1);
    for (const text of [answer, `\n \n${answer}`]) {
      const { out, ...end } = run(text, length);
      expect(end).toEqual({ done: true, fault: null });
      expect(JSON.parse(out.split('\n')[0]?.slice(6) ?? '')).toMatchObject({ choices: [{ delta: { content: 'é' } }] });
    }
  });

  test.each(['<html>', '[1]', 'words', '{"message":"words"}', '{"choices":'])('%p is no stream', (text) => {
    expect(run(text, length)).toEqual({ out: '', done: false, fault: 'no_stream' });
  });

  test('blanks alone are nothing', () => {
    expect(run('\n\n', length)).toEqual({ out: '', done: false, fault: null });
  });
});
