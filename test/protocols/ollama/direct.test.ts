import { describe, expect, test } from 'bun:test';
import type { Exchange, StreamPipe } from '../../../src/core/protocol.ts';
import { direct } from '../../../src/protocols/ollama/direct.ts';
import { clientRoutes } from '../../../src/protocols/ollama/routes.ts';
import { upstreamModel } from '../upstream-model.ts';
import { chatLines, line } from './samples.ts';

function exchange(text: string, path = '/api/chat'): Exchange {
  const route = clientRoutes.find((each) => each.path === path)!;
  const body = { text, fields: JSON.parse(text) as Record<string, unknown> };
  return direct({ route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null }, upstreamModel('up'))!;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const question = '{"options":{"num_ctx":8192},"x":1e2,"model" : "a/b","messages":[{"role":"user","content":"\\ud83d"}]}';

function run(pipe: StreamPipe, chunks: readonly string[], end: 'orderly' | 'broken' = 'orderly') {
  let out = '';
  const emit = (bytes: Uint8Array) => {
    out += decoder.decode(bytes);
  };
  for (const chunk of chunks) pipe.push(encoder.encode(chunk), emit);
  if (end === 'orderly') pipe.finish(emit);
  const { begun, done, fault, failure, tokens, stop } = pipe;
  pipe.close();
  return { out, begun, done, fault, message: failure?.message, tokens, stop };
}
const piped = (...chunks: string[]) => run(exchange(question).pipe(), chunks);

test('the body is as it came but for the model; nothing is added that the client did not say', () => {
  expect(exchange(question).body).toBe(question.replace('a/b', 'up'));
});

test('a stream is asked for unless the client does not want one, and is a line of JSON each', () => {
  const { expects, labelOf } = exchange(question);
  expect([expects, labelOf('stream', () => null)]).toEqual(['stream', 'application/x-ndjson']);
  expect(exchange('{"model":"m","messages":[],"stream":false}').expects).toBe('whole');
  expect(exchange('{"model":"m","input":"x"}', '/api/embed').expects).toBe('whole');
});

describe('a stream', () => {
  test('is held until a client can use it', () => {
    const pipe = exchange(question).pipe();
    pipe.push(encoder.encode(line({ message: { role: 'assistant', content: '' }, done: false })), () => undefined);
    expect(pipe.begun).toBe(false);
    pipe.push(encoder.encode(chatLines[0] ?? ''), () => undefined);
    expect(pipe.begun).toBe(true);
  });

  test('passes lines of kinds that are not known, and none that carry nothing', () => {
    const { out, done, fault } = piped('\n', 'null\n', chatLines[1] ?? '', '{"mood":1}\n', '\r\n', chatLines[3] ?? '');
    expect([out, done, fault]).toEqual([`${chatLines[1]}{"mood":1}\n${chatLines[3]}`, true, null]);
  });

  test('ends with its last line: nothing behind it goes on', () => {
    const all = chatLines.join('');
    expect(piped(`${all}${chatLines[1]}`)).toMatchObject({ out: all, done: true });
  });

  test('whose words look like an end or an error is not one', () => {
    const said = line({ message: { role: 'assistant', content: '{"done":true} "error": true' }, done: false });
    expect(piped(chatLines[1] ?? '', said)).toMatchObject({ out: `${chatLines[1]}${said}`, done: false, fault: null });
  });

  test('that says an error has failed: its line does not go on, in whatever piece it came', () => {
    const error = '{"error":"the model crashed"}\n';
    for (const chunks of [[chatLines[1] + error], [...`${chatLines[1]}${error}`]])
      expect(piped(...chunks)).toMatchObject({
        out: chatLines[1],
        done: false,
        fault: 'upstream_error',
        message: 'the model crashed',
      });
    expect(piped('{"error":""}\n', ...chatLines)).toMatchObject({ done: true, fault: null });
  });

  test('that is none is a fault', () => {
    expect(piped('<html>\n').fault).toBe('no_stream');
    expect(piped('data: {}\n').fault).toBe('no_stream');
    expect(piped('{"a":\n').fault).toBe('malformed_event');
    expect(piped(chatLines[1] ?? '', 'half\n').fault).toBe('malformed_event');
  });

  test('that was cut is not complete, and its last piece does not go on', () => {
    const cut = `${chatLines[1]}${(chatLines[3] ?? '').slice(0, 40)}`;
    expect(piped(cut)).toMatchObject({ out: chatLines[1], done: false, fault: null });
  });

  test('tells an end that is not known', () => {
    expect(piped(line({ message: { role: 'assistant', content: 'Hi' }, done: true, done_reason: 'tired' }))).toMatchObject({
      done: true,
      stop: 'tired',
    });
  });
});

test('an answer that is not done is none, and a failure inside of one is that failure', () => {
  const whole = (text: string, path?: string) => exchange('{"model":"m","messages":[],"stream":false}', path).whole(text);
  expect(whole(line({ message: { content: 'Hi' }, done: false }))).toMatchObject({ kind: 'malformed' });
  expect(whole('{"error":"model requires more system memory (9 GiB) than is available"}')).toMatchObject({
    kind: 'server_error',
  });
  expect(exchange('{"model":"m","input":"x"}', '/api/embed').whole('{"embeddings":[]}')).toMatchObject({
    body: '{"embeddings":[]}',
  });
});
