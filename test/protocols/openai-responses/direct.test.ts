import { describe, expect, test } from 'bun:test';
import type { ClientCall, Exchange, UpstreamModel } from '../../../src/core/protocol.ts';
import { wrapReasoning } from '../../../src/core/signed-reasoning.ts';
import { direct } from '../../../src/protocols/openai-responses/direct.ts';
import { clientRoutes } from '../../../src/protocols/openai-responses/routes.ts';
import { upstreamModel } from '../upstream-model.ts';
import { eventsOf, type Fields } from './fixtures.ts';
import { event, openaiResponses, responseEvents } from './samples.ts';

function exchange(
  text: string,
  to: Partial<UpstreamModel> = {},
  path = '/v1/responses',
  headers: ClientCall['headers'] = null,
): Exchange {
  const route = clientRoutes.find((each) => each.path === path)!;
  const body = { text, fields: JSON.parse(text) as Record<string, unknown> };
  return direct({ route, body, params: {}, peek: route.peek(body, {}), query: '', headers }, upstreamModel('up', to))!;
}
const run = (made: Exchange, ...chunks: readonly string[]) => {
  const pipe = made.pipe();
  let out = '';
  const emit = (bytes: Uint8Array) => {
    out += new TextDecoder().decode(bytes);
  };
  for (const chunk of chunks) pipe.push(new TextEncoder().encode(chunk), emit);
  pipe.finish(emit);
  pipe.close();
  return { out, done: pipe.done, fault: pipe.fault, begun: pipe.begun, kind: pipe.failure?.kind ?? null, tokens: pipe.tokens };
};

describe('the body', () => {
  const mine = JSON.stringify(wrapReasoning('c2ln', 'maker'));
  const foreign = JSON.stringify(wrapReasoning('c2ln', 'other'));
  const unsigned = JSON.stringify(wrapReasoning('', 'maker'));
  const item = (encrypted: string) => `{"type":"reasoning", "summary":[],"encrypted_content" : ${encrypted}}`;
  const user = '{"role":"user","content":"ola-r1. is a word"}';
  const bodyWith = (input: string, model = 'm') => `{"model":"${model}", "input": ${input} ,"max_output_tokens":1.0}`;

  test.each([
    ['reasoning of the same maker is unwrapped', `[${user} , ${item(mine)}]`, `[${user} , ${item('"c2ln"')}]`],
    ['reasoning of another maker is cut out', `[${user},${item(foreign)},${user}]`, `[${user},${user}]`],
    ['reasoning that nobody signed is cut out', `[${item(unsigned)},${user}]`, `[${user}]`],
    ['own reasoning stays', `[${item('"gAAAA"')},${user},${item(foreign)}]`, `[${item('"gAAAA"')},${user}]`],
    ['words stay', `"${'ola-r1.maker.x'}"`, null],
  ])('%s', (_, given, wanted) => {
    const { body, notes } = exchange(bodyWith(given));
    expect(body).toBe(bodyWith(wanted ?? given, 'up'));
    const isCut = given.includes(foreign) || given.includes(unsigned);
    expect(notes).toEqual(isCut ? { 'x-ola-dropped': 'reasoning' } : null);
  });

  test('goes without the fields that a vendor refuses, and the client is told', () => {
    const text = '{"model":"m","store":true,"input":"a","max_output_tokens":9}';
    const made = exchange(text, { quirks: { noStore: true, noMaxTokens: true } });
    expect(JSON.parse(String(made.body))).toEqual({ model: 'up', input: 'a' });
    expect(made.notes).toEqual({ 'x-ola-dropped': 'store, max_output_tokens' });
    expect(exchange(text).notes).toBeNull();
  });

  test('goes to the path of its route, with the client’s headers as the same object each time', () => {
    const text = '{"model":"m","input":"a"}';
    for (const { path } of openaiResponses) expect(exchange(text, {}, path).path).toBe(path.slice('/v1'.length));
    const headers = () => exchange(text, {}, '/v1/responses', { 'session-id': 's' }).headers;
    expect(headers()).toBe(headers()!);
  });
});

describe('an answer', () => {
  const asked = exchange('{"model":"m","input":"a"}');
  const streams = exchange('{"model":"m","input":"a","stream":true}');
  const whole = openaiResponses[0]!.answer;

  test('that comes as a stream is folded where a whole one was asked for', () => {
    const folded = asked.whole(responseEvents.join(''));
    if ('kind' in folded) throw new Error(String(folded.message));
    expect(folded.tokens).toMatchObject({ prompt: 19, completion: 10 });
    expect(JSON.parse(folded.body)).toMatchObject({
      id: 'resp_1',
      model: 'm',
      output: [{ content: [{ text: 'Hi “there” 😀' }] }],
    });
  });

  test('that comes whole becomes a stream where one was asked for', () => {
    const { out, done, tokens } = run(streams, whole);
    expect([done, tokens.prompt]).toEqual([true, 19]);
    const events = eventsOf(out);
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { id: 'resp_1', model: 'm' } });
    expect(
      events
        .filter(({ type }) => type === 'response.output_text.delta')
        .map((each: Fields) => each['delta'])
        .join(''),
    ).toBe('Hi “there” 😀');
  });

  test('in the background is told before it is complete', () => {
    const queued = '{"id":"resp_1","object":"response","status":"queued","output":[],"error":null}';
    expect(asked.whole(queued)).toMatchObject({ body: queued });
  });
});

describe('a stream', () => {
  const streams = () => exchange('{"model":"m","input":"a","stream":true}');

  test('has begun with its first content, not with what only begins', () => {
    for (let count = 1; count < responseEvents.length; count++)
      expect([count, run(streams(), ...responseEvents.slice(0, count)).begun]).toEqual([count, count >= 5]);
    const calls = event('response.output_item.added', {
      output_index: 0,
      item: { type: 'function_call', name: 'f', call_id: 'a', arguments: '' },
    });
    expect(run(streams(), responseEvents[0]!, calls).begun).toBe(true);
  });

  test('that fails is no end, and its event does not go on', () => {
    const failing = event('response.failed', {
      response: { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'no' } },
    });
    const at = run(streams(), ...responseEvents.slice(0, 5), failing);
    expect(at).toMatchObject({
      done: false,
      fault: 'upstream_error',
      kind: 'rate_limit',
      out: responseEvents.slice(0, 5).join(''),
    });
    const named = run(streams(), 'event: error\ndata: {"type":"error","code":"server_error","message":"no"}\n\n');
    expect(named).toMatchObject({ done: false, fault: 'upstream_error', kind: 'server_error', begun: false });
  });

  test('that is incomplete is complete in its way', () => {
    const response = {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [],
      usage: { input_tokens: 3, output_tokens: 16 },
    };
    expect(run(streams(), ...responseEvents.slice(0, 5), event('response.incomplete', { response }))).toMatchObject({
      done: true,
      fault: null,
      tokens: { prompt: 3, completion: 16 },
    });
  });
});
