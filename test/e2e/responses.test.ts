/** OpenAI's responses on both sides, through the binary: the body as it came, the answer as it came, its usage known. */
import { describe, expect, test } from 'bun:test';
import { addResponses, event, events, failedEvents, good, response, responseEvents, said } from './responses.ts';
import { adminToken, type Ola, request, stage } from './stage.ts';
import { answer, type Behaviour, bytes, chunk, streamHead, type Upstream } from './upstream.ts';

const { start, upstream } = stage();
const shared: Promise<{ ola: Ola; up: Upstream }> = (async () => {
  const [ola, up] = await Promise.all([start(), upstream()]);
  await addResponses(ola, 'like', up);
  return { ola, up };
})();
const bearer = { authorization: `Bearer ${adminToken}` };

/** Asks a model that does this. */
async function send(model: string, behaviour: Behaviour, more: object = {}, headers: Readonly<Record<string, string>> = {}) {
  const { ola, up } = await shared;
  up.modes.set(model, behaviour);
  await ola.endCooldowns('like');
  const body = { model: `like/${model}`, input: 'Hello', ...more };
  return request(`${ola.address}/v1/responses`, 'POST', { ...bearer, ...headers }, body);
}

describe('the upstream gets', () => {
  test('the body byte for byte but for the model: stored calls, unknown fields and items', async () => {
    const { ola, up } = await shared;
    const body = (model: string) =>
      `{ "previous_response_id":"resp_0","store" : true,"future_field":{"n":1.0, "big":12345678901234567890},\n"model": "${model}","input":[{"type":"future_item","\\u0061":1e2},{"role":"user","content":"\\"model\\" \\ud83d\\ude00 é"}]}`;
    up.modes.set('as-it-came', good);
    const text = body('like/as-it-came');
    expect((await request(`${ola.address}/v1/responses`, 'POST', bearer, text)).status).toBe(200);
    expect(up.requestFor('as-it-came').body).toBe(body('as-it-came'));
    expect(up.requestFor('as-it-came').head).toStartWith('POST /v1/responses HTTP/1.1\r\n');
  });

  test('the headers of the vendor and of the session, and no others', async () => {
    const { up } = await shared;
    const headers = { 'openai-beta': 'x-2027', 'session-id': 's-1', 'x-client-request-id': 'c-1', originator: 'leak' };
    expect((await send('headers', good, {}, headers)).status).toBe(200);
    const got = up.requestFor('headers');
    expect(got.headers.get('openai-beta')).toBe('x-2027');
    expect(got.headers.get('session-id')).toBe('s-1');
    expect(got.headers.get('x-client-request-id')).toBe('c-1');
    expect(got.head).not.toContain('leak');
    expect(got.head).not.toContain(adminToken);
  });
});

describe('the client gets', () => {
  test('a whole response as it came, with the limits of the vendor and the id of its request', async () => {
    const headers = { 'x-ratelimit-remaining-requests': '9', 'x-request-id': 'req_up', 'x-secret': 'leak' };
    const got = await send('whole', answer(200, response(said('Hello')), headers));
    expect(got.json as unknown).toEqual(response(said('Hello')));
    expect(got.headers.get('x-ratelimit-remaining-requests')).toBe('9');
    expect(got.headers.get('x-ola-upstream-request-id')).toBe('req_up');
    expect(got.headers.get('x-secret')).toBeNull();
  });

  test('a stream as it came', async () => {
    const got = await send('stream', good, { stream: true });
    expect(got.text).toBe(responseEvents.join(''));
    expect(got.headers.get('content-type')).toStartWith('text/event-stream');
  });

  test('a count of tokens', async () => {
    const { ola, up } = await shared;
    up.modes.set('count', good);
    const got = await request(`${ola.address}/v1/responses/input_tokens`, 'POST', bearer, {
      model: 'like/count',
      input: 'Hello',
    });
    expect(got.json as unknown).toEqual({ object: 'response.input_tokens', input_tokens: 42 });
  });

  test('an error as the vendor tells it', async () => {
    const error = {
      message: 'Unsupported value',
      type: 'invalid_request_error',
      param: 'reasoning.effort',
      code: 'unsupported_value',
    };
    const got = await send('bad', answer(400, { error }));
    expect([got.status, got.json['error'] as unknown]).toEqual([400, error]);
  });

  test('an event that says why a stream broke off, in a form that Codex and OpenAI’s SDK know', async () => {
    const cut = bytes(streamHead + responseEvents.slice(0, 5).map(chunk).join(''), 'end');
    const got = await send('cut', cut, { stream: true });
    const last = got.text.split('\n\n').at(-2) ?? '';
    expect(last).toStartWith('event: response.failed\ndata: ');
    const told = JSON.parse(last.slice(last.indexOf('{'))) as Record<string, unknown>;
    expect(told).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'upstream_truncated' } },
      error: { code: 'upstream_truncated' },
    });
    expect(got.text).not.toContain('response.completed');
  });

  test('a status where a stream fails before it says anything', async () => {
    const got = await send('failed', events(failedEvents('server_error', 'overloaded, try later')), { stream: true });
    expect(got.status).toBe(502);
    const limited = await send('limited', events(failedEvents('rate_limit_exceeded', 'slow down')), { stream: true });
    expect(limited.status).toBe(429);
  });
});

test('the tokens of a call are known, whole and streamed', async () => {
  const { ola } = await shared;
  for (const stream of [false, true]) {
    expect((await send(`used-${stream}`, good, { stream })).status).toBe(200);
    const { json } = await ola.ask('GET', '/config/usage/recent?limit=5');
    expect(JSON.stringify(json)).toContain(`used-${stream}`);
  }
});

test('an unknown event goes through, and does not end the answer', async () => {
  const odd = event('response.future_tool.progress', { sequence_number: 5, output_index: 3 });
  const all = [...responseEvents.slice(0, 5), odd, ...responseEvents.slice(5)];
  expect((await send('odd', events(all), { stream: true })).text).toBe(all.join(''));
});
