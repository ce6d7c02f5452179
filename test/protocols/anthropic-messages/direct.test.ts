import { describe, expect, test } from 'bun:test';
import type { ClientCall, Exchange, UpstreamModel } from '../../../src/core/protocol.ts';
import { wrapReasoning } from '../../../src/core/signed-reasoning.ts';
import { direct } from '../../../src/protocols/anthropic-messages/direct.ts';
import { clientRoutes } from '../../../src/protocols/anthropic-messages/routes.ts';
import { upstreamModel } from '../upstream-model.ts';
import { anthropicMessages, event, messageEvents } from './samples.ts';

interface Asked {
  readonly path?: string;
  readonly query?: string;
  readonly headers?: ClientCall['headers'];
  readonly to?: Partial<UpstreamModel>;
}

function exchange(text: string, { path = '/v1/messages', query = '', headers = null, to = {} }: Asked = {}): Exchange | null {
  const route = clientRoutes.find((each) => each.path === path)!;
  const body = { text, fields: JSON.parse(text) as Record<string, unknown> };
  return direct({ route, body, params: {}, peek: route.peek(body, {}), query, headers }, upstreamModel('up', to));
}
const sent = (text: string, to: Partial<UpstreamModel> = {}) => exchange(text, { to })?.body;
const bodyWith = (messages: string, model = 'm') => `{"model":"${model}", "messages": ${messages} ,"max_tokens":1.0}`;

describe('the body', () => {
  test('is as it came but for the model', () => {
    const text = (model: string) =>
      `{"system":[{"type":"text","text":"a"}],"x":1e2,"model" : "${model}","messages":[{"content":"\\ud83d\\ude00"}]}`;
    expect(sent(text('claude'))).toBe(text('up'));
  });

  const mine = JSON.stringify(wrapReasoning('c2ln', 'maker'));
  const foreign = JSON.stringify(wrapReasoning('c2ln', 'other'));
  const empty = JSON.stringify(wrapReasoning('', 'maker'));
  const thinking = (signature: string) => `{"type":"thinking", "thinking":"…","signature" : ${signature}}`;
  const text = '{"type":"text","text":"a"}';
  const turn = (...blocks: string[]) => `{ "role":"assistant","content":[ ${blocks.join(' , ')} ]}`;
  const user = '{"role":"user","content":"ola-r1. is a word"}';

  test.each([
    [
      'thinking of the same maker is unwrapped',
      `[${user},${turn(thinking(mine), text)}]`,
      `[${user},${turn(thinking('"c2ln"'), text)}]`,
    ],
    ['thinking of another maker is cut out', `[${user},${turn(thinking(foreign), text)}]`, `[${user},${turn(text)}]`],
    ['also in the middle', `[${turn(text, thinking(foreign), text)}]`, `[${turn(text, text)}]`],
    ['also at the end', `[${turn(text, thinking(foreign))}]`, `[${turn(text)}]`],
    ['thinking without a signature is cut out', `[${turn(thinking(empty), text)}]`, `[${turn(text)}]`],
    ['redacted thinking as well', `[${turn(`{"type":"redacted_thinking","data":${foreign}}`, text)}]`, `[${turn(text)}]`],
    ['a turn with nothing else goes with it', `[${user} , ${turn(thinking(foreign))},${user}]`, `[${user},${user}]`],
    ['an own signature stays', `[${turn(thinking('"real"'), thinking(foreign))}]`, `[${turn(thinking('"real"'))}]`],
    ['words of a text stay', `[${user},${turn(`{"type":"text","text":${foreign}}`)}]`, null],
    ['an empty turn stays', `[{"role":"user","content":[]},${user}]`, null],
  ])('%s', (_, given, wanted) => {
    expect(sent(bodyWith(given))).toBe(bodyWith(wanted ?? given, 'up'));
  });

  test('reasoning that is cut out is said beside the answer, and nothing else is', () => {
    const notes = (messages: string) => exchange(bodyWith(messages))?.notes;
    expect(notes(`[${user},${turn(thinking(foreign), text)}]`)).toEqual({ 'x-ola-dropped': 'reasoning' });
    expect(notes(`[${user},${turn(thinking(mine), text)}]`)).toBeNull();
    expect(notes(`[${user},${turn(text)}]`)).toBeNull();
  });
});

describe('the headers', () => {
  const headersFor = (headers: ClientCall['headers'], to: Partial<UpstreamModel> = {}) =>
    exchange(bodyWith('[{}]'), { headers, to })?.headers;

  test('have a version, the client’s own where it names one', () => {
    expect(headersFor(null)).toEqual({ 'anthropic-version': '2023-06-01' });
    expect(headersFor({ 'anthropic-version': '2099-01-01', 'anthropic-x': 'y' })).toEqual({
      'anthropic-version': '2099-01-01',
      'anthropic-x': 'y',
    });
  });

  test('leave betas out for an upstream that refuses them', () => {
    const client = { 'anthropic-beta': 'a,b', 'anthropic-x': 'y' };
    expect(headersFor(client, { quirks: { noBetas: true } })).toEqual({ 'anthropic-version': '2023-06-01', 'anthropic-x': 'y' });
    expect(headersFor(client)?.['anthropic-beta']).toBe('a,b');
  });

  test('are the same object for the same content, so that the head of a request is made once', () => {
    expect(headersFor(null)).toBe(headersFor(null)!);
    expect(headersFor({ 'anthropic-beta': 'a' })).toBe(headersFor({ 'anthropic-beta': 'a' })!);
    expect(headersFor({ 'anthropic-beta': 'a' })).not.toBe(headersFor({ 'anthropic-beta': 'b' })!);
    for (let n = 0; n < 200; n++) headersFor({ 'x-session-id': String(n) });
    expect(headersFor({ 'x-session-id': '0' })).toEqual({ 'anthropic-version': '2023-06-01', 'x-session-id': '0' });
  });
});

test('of the query beta=true alone goes up', () => {
  const pathFor = (query: string) => exchange(bodyWith('[{}]'), { query })?.path;
  expect(['', '?beta=true', '?a=b&beta=true&c=d', '?beta=false', '?xbeta=true', '?beta=true1'].map(pathFor)).toEqual([
    '/v1/messages',
    '/v1/messages?beta=true',
    '/v1/messages?beta=true',
    '/v1/messages',
    '/v1/messages',
    '/v1/messages',
  ]);
});

test('a count goes to its own path, and to no upstream without one', () => {
  const path = '/v1/messages/count_tokens';
  expect(exchange(bodyWith('[{}]'), { path })?.path).toBe(path);
  expect(exchange(bodyWith('[{}]'), { path, to: { quirks: { noCount: true } } })).toBeNull();
});

describe('a whole answer', () => {
  const whole = (text: string) => exchange(bodyWith('[{}]'))?.whole(text);

  test('that is a failure under 200 has its status and kind', () => {
    const told = (type: string) => whole(JSON.stringify({ type: 'error', error: { type, message: 'x' } }));
    expect(told('overloaded_error')).toMatchObject({ kind: 'overloaded', status: 529 });
    expect(told('rate_limit_error')).toMatchObject({ kind: 'rate_limit', status: 429 });
    expect(told('api_error')).toMatchObject({ kind: 'server_error', status: 500 });
    expect(told('billing_error')).toMatchObject({ kind: 'billing', status: 402 });
    expect(told('authentication_error')).toMatchObject({ kind: 'auth', status: 401 });
    expect(told('invalid_request_error')).toMatchObject({ kind: 'invalid_request', status: 400 });
  });

  test('that refuses is no failure, nor is one with nothing in it', () => {
    for (const stop_reason of ['refusal', 'end_turn', 'future_reason'])
      expect(whole(JSON.stringify({ type: 'message', content: [], stop_reason, error: null }))).not.toHaveProperty('kind');
  });
});

describe('an answer of the other form', () => {
  const sample = anthropicMessages[0]!;
  const block = (text: string) => ({
    type: 'message',
    content: [{ type: 'future_block', text }],
    stop_reason: 'end_turn',
    usage: {},
  });

  test('of events where a message was asked for is one message', () => {
    const whole = exchange(bodyWith('[{}]'))?.whole(messageEvents.join(''));
    expect(whole).toMatchObject({ tokens: { prompt: 19, completion: 10 } });
    expect(JSON.parse((whole as { body: string }).body)).toEqual(JSON.parse(sample.answer));
    expect(exchange(bodyWith('[{}]'))?.whole(messageEvents.slice(0, -1).join(''))).toMatchObject({ kind: 'malformed' });
    const failed = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
    expect(exchange(bodyWith('[{}]'))?.whole(failed)).toMatchObject({ kind: 'overloaded', status: 529 });
  });

  const streamed = (text: string) => {
    const pipe = exchange(bodyWith('[{}]').replace('{', '{"stream":true,'))!.pipe();
    const out: Uint8Array[] = [];
    const emit = (bytes: Uint8Array) => void out.push(bytes.slice());
    pipe.push(new TextEncoder().encode(text), emit);
    pipe.finish(emit);
    return { text: Buffer.concat(out).toString(), pipe };
  };

  test('of a message where a stream was asked for is a stream that says the same', () => {
    const { text, pipe } = streamed(sample.answer);
    expect([pipe.done, pipe.tokens.completion]).toEqual([true, 10]);
    const whole = exchange(bodyWith('[{}]'))?.whole(text);
    expect(JSON.parse((whole as { body: string }).body)).toEqual(JSON.parse(sample.answer));
  });

  test('keeps blocks that ola does not know', () => {
    const { text } = streamed(JSON.stringify(block('x')));
    expect(text).toContain('"type":"future_block","text":"x"');
    expect(text).toEndWith('event: message_stop\ndata: {"type":"message_stop"}\n\n');
  });

  test('that is a failure stays one', () => {
    const { pipe } = streamed('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}');
    expect([pipe.fault, pipe.failure?.kind]).toEqual(['upstream_error', 'overloaded']);
  });
});
