/** Answers of Converse: the same whole and streamed, and what is no answer. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import { decodeAnswer } from '../../../src/protocols/bedrock-converse-stream/decode-answer.ts';
import { decoded, ended, event, exception, frame, joined, sample, sampleFrames } from './frames.ts';

const names = ['text', 'tools', 'thinking'] as const;

function answerOf(text: string) {
  const answer = decodeAnswer(text);
  if ('kind' in answer) throw new Error(`no answer: ${answer.message}`);
  return answer;
}

const start = event('messageStart', { role: 'assistant' });
const text = (words: string, contentBlockIndex = 0) => event('contentBlockDelta', { contentBlockIndex, delta: { text: words } });
const stop = (stopReason: string) => event('messageStop', { stopReason });
const usage = event('metadata', { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } });
const callStart = (contentBlockIndex: number, toolUseId: string) =>
  event('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name: 'f' } } });
const piece = (contentBlockIndex: number, input: string) =>
  event('contentBlockDelta', { contentBlockIndex, delta: { toolUse: { input } } });
const close = (contentBlockIndex: number) => event('contentBlockStop', { contentBlockIndex });

describe('answers', () => {
  test.each(names)('%s: the stream folds into the whole answer, wherever it is cut', (name) => {
    const whole = answerOf(sample(`answer-${name}.json`));
    const plain = { ...whole, parts: whole.parts.map(withoutBlanks) };
    const bytes = joined(sampleFrames(`stream-${name}.json`));
    for (let at = 0; at <= bytes.length; at++) {
      const { steps, fault } = decoded(bytes.slice(0, at), bytes.slice(at));
      expect([at, fault]).toEqual([at, null]);
      const answer = fold(steps);
      expect({ ...answer, parts: answer.parts.map(withoutBlanks) }).toEqual(plain);
    }
  });

  test('tokens: the prompt is the sum of input, cache reads and cache writes, and nothing is counted twice', () => {
    expect(answerOf(sample('answer-text.json')).tokens).toEqual({
      prompt: 112,
      completion: 9,
      cacheRead: 60,
      cacheWrite: 40,
      cacheWriteHour: 30,
      reasoning: null,
    });
  });

  test('the older names of cache counts are read too', () => {
    const { tokens } = answerOf(
      '{"output":{"message":{"content":[]}},"stopReason":"end_turn","usage":{"inputTokens":1,"cacheReadInputTokenCount":2,"cacheWriteInputTokenCount":4}}',
    );
    expect(tokens).toMatchObject({ prompt: 7, cacheRead: 2, cacheWrite: 4, completion: null });
  });

  test('digits of a number in a call survive', () => {
    const calls = answerOf(sample('answer-tools.json')).parts.filter((part) => part.type === 'toolCall');
    expect(calls.map((part) => withoutBlanks(part))).toMatchObject([
      { id: 'tooluse_a', arguments: '{"port":"Emden","ticket":12345678901234567890}' },
      { id: 'tooluse_b', arguments: '{}' },
    ]);
  });

  test.each([
    ['end_turn', 'stop', null],
    ['stop_sequence', 'stop', null],
    ['tool_use', 'toolCalls', null],
    ['max_tokens', 'length', null],
    ['model_context_window_exceeded', 'length', null],
    ['guardrail_intervened', 'contentFilter', null],
    ['content_filtered', 'contentFilter', null],
    ['bored', 'stop', 'bored'],
  ])('stop reason %s ends as %s', (word, reason, unknown) => {
    const whole = `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"${word}"}`;
    expect(answerOf(whole).end).toEqual({ reason, sequence: null, unknown } as never);
    expect(decoded(start, text('x'), stop(word), usage).steps.at(-1)).toEqual({
      type: 'end',
      end: { reason, sequence: null, unknown },
    } as never);
  });

  test.each(['malformed_model_output', 'malformed_tool_use'])('%s is a failure that may be tried again', (word) => {
    const whole = `{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"${word}"}`;
    expect(decodeAnswer(whole)).toMatchObject({ kind: 'server_error', status: 502, code: word });
    expect(decoded(start, text('x'), stop(word), usage)).toMatchObject({ fault: 'upstream_error', failure: { code: word } });
  });

  test('D10: a call that the length limit cut keeps its pieces, and one without any has none', () => {
    const cut = fold(decoded(start, callStart(0, 'a'), piece(0, '{"file":"a","content":"half'), stop('max_tokens'), usage).steps);
    expect(cut.parts).toMatchObject([{ type: 'toolCall', arguments: '{"file":"a","content":"half' }]);
    expect(cut.end.reason).toBe('length');
    const bare = fold(decoded(start, callStart(0, 'a'), close(0), stop('max_tokens'), usage).steps);
    expect(bare.parts).toMatchObject([{ type: 'toolCall', arguments: '' }]);
    const whole =
      '{"output":{"message":{"content":[{"toolUse":{"toolUseId":"a","name":"f","input":{ }}}]}},"stopReason":"max_tokens"}';
    expect(answerOf(whole).parts).toMatchObject([{ arguments: '' }]);
  });

  test('agno#3826: repeated and unordered block indexes never mix the arguments of two calls', () => {
    const { steps, fault } = decoded(
      start,
      callStart(7, 'a'),
      piece(7, '{"x":'),
      callStart(2, 'b'),
      piece(2, '{"y":2}'),
      piece(7, '1}'),
      close(7),
      callStart(2, 'c'),
      piece(2, '{"z":3}'),
      close(2),
      stop('tool_use'),
      usage,
    );
    expect(fault).toBeNull();
    const calls = fold(steps).parts.map((part) => (part.type === 'toolCall' ? [part.id, part.arguments] : []));
    expect(calls).toEqual([
      ['a', '{"x":1}'],
      ['b', '{"y":2}'],
      ['c', '{"z":3}'],
    ]);
  });

  test('text with sources is a text, and a block of an unknown kind stays with this protocol', () => {
    const content = '[{"citationsContent":{"content":[{"text":"a"},{"text":"b"}],"citations":[{}]}},{"hologram":{"x":1}}]';
    const { parts } = answerOf(`{"output":{"message":{"content":${content}}},"stopReason":"end_turn"}`);
    expect(parts).toEqual([
      { type: 'text', text: 'ab' },
      { type: 'opaque', protocol: 'bedrock-converse-stream', name: 'hologram', value: { hologram: { x: 1 } } },
    ]);
  });
});

describe('what is no answer', () => {
  test.each(['', 'null', '[]', '"x"', '<html>', '{}', '{"output":{}}', '{"output":{"message":{"content":[{"text":1}]}}}'])(
    '%s is malformed',
    (body) => {
      expect(decodeAnswer(body)).toMatchObject({ kind: 'malformed' });
    },
  );

  test('an answer that is cut anywhere is malformed', () => {
    const whole = sample('answer-tools.json').trimEnd();
    for (let at = 0; at < whole.length; at++) expect(decodeAnswer(whole.slice(0, at))).toMatchObject({ kind: 'malformed' });
  });

  test('an exception under status 200 is a failure', () => {
    const body = '{"__type":"com.amazon.coral.service#ThrottlingException","message":"Too many requests"}';
    expect(decodeAnswer(body)).toMatchObject({ kind: 'rate_limit', status: 429, message: 'Too many requests' });
  });
});

describe('streams', () => {
  test('a stream that is cut before the end of its message is never complete', () => {
    const frames = sampleFrames('stream-tools.json');
    const bytes = joined(frames);
    const stopped = joined(frames.slice(0, -1)).length;
    for (let at = 0; at < bytes.length; at++) expect([at, ended(decoded(bytes.slice(0, at)))]).toEqual([at, at === stopped]);
  });

  test('events of unknown types, and deltas and begins of unknown kinds, are ignored', () => {
    const { steps, fault } = decoded(
      start,
      event('weather', { wind: 3 }),
      event('contentBlockStart', { contentBlockIndex: 0, start: { hologram: {} } }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { hologram: {} } }),
      text('x', 1),
      stop('end_turn'),
      usage,
    );
    expect(fault).toBeNull();
    expect(fold(steps).parts).toEqual([{ type: 'text', text: 'x' }]);
  });

  test.each([
    ['throttlingException', 'rate_limit', 429],
    ['modelStreamErrorException', 'server_error', 424],
    ['internalServerException', 'server_error', 500],
    ['serviceUnavailableException', 'overloaded', 503],
    ['validationException', 'invalid_request', 400],
  ])('litellm#29223: %s in a stream is told, before and after a text', (type, kind, status) => {
    for (const before of [[], [start, text('x')]]) {
      const seen = decoded(...before, exception(type, 'It broke.'), text('late'), stop('end_turn'), usage);
      expect(seen).toMatchObject({ fault: 'upstream_error', failure: { kind, status, message: 'It broke.' } });
      expect(ended(seen)).toBe(false);
      expect(JSON.stringify(seen.steps)).not.toContain('late');
    }
  });

  test('an error frame is told with its code', () => {
    const bytes = frame({ ':message-type': 'error', ':error-code': 'InternalServerException', ':error-message': 'Gone.' }, '');
    expect(decoded(start, bytes)).toMatchObject({ fault: 'upstream_error', failure: { status: 500, message: 'Gone.' } });
  });

  test('a bit that is flipped anywhere is noticed', () => {
    const frames = joined([start, text('words')]);
    for (let at = 0; at < frames.length; at++) {
      const damaged = frames.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      const { fault, steps } = decoded(damaged, stop('end_turn'), usage);
      expect([at, fault === null, steps.some(({ type }) => type === 'end')]).toEqual([at, false, false]);
    }
  });

  test('a stream that is another form is none', () => {
    for (const other of ['<html></html>', 'data: {"x":1}\n\n', '[1,2,3,4,5,6,7,8]', '\0'.repeat(40)]) {
      expect(decoded(new TextEncoder().encode(other))).toMatchObject({ fault: 'no_stream', steps: [] });
    }
    expect(decoded(new TextEncoder().encode('{"x":1}'))).toMatchObject({ fault: 'no_stream', steps: [] });
  });

  test('JSON in the place of a stream becomes one, and an error in it is told', () => {
    const { steps, fault } = decoded(new TextEncoder().encode(sample('answer-text.json')));
    expect(fault).toBeNull();
    expect(fold(steps)).toEqual(answerOf(sample('answer-text.json')));
    const told = '{"__type":"ValidationException","message":"No."}';
    expect(decoded(new TextEncoder().encode(told))).toMatchObject({ fault: 'upstream_error', failure: { message: 'No.' } });
  });

  test('an event that is no JSON object, and a delta without a call, end the stream as damaged', () => {
    expect(decoded(start, event('contentBlockDelta', '[]')).fault).toBe('malformed_event');
    expect(decoded(start, event('contentBlockDelta', '{"x"')).fault).toBe('malformed_event');
    expect(decoded(start, piece(3, '{}')).fault).toBe('malformed_event');
  });

  test('a message that ends before it began is an empty answer', () => {
    expect(decoded(stop('end_turn'), usage).fault).toBe('empty_answer');
  });

  test('counts that come before the end of the message count', () => {
    const { steps } = decoded(start, text('x'), usage, stop('end_turn'));
    expect(fold(steps).tokens).toMatchObject({ prompt: 3, completion: 2 });
    expect(steps.at(-1)?.type).toBe('end');
  });

  test('a frame that is declared longer than any is refused before its bytes come', () => {
    const bytes = frame({ ':message-type': 'event', ':event-type': 'x' }, '{}');
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, 0x7fffffff);
    expect(decoded(bytes).fault).not.toBeNull();
  });
});

function withoutBlanks<T extends { readonly type: string }>(part: T): T {
  return 'arguments' in part ? { ...part, arguments: String(part.arguments).replaceAll(' ', '') } : part;
}
