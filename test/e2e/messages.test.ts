/** Anthropic's protocol on both sides, through the binary, by Claude Code's gateway contract. */
import { describe, expect, test } from 'bun:test';
import { addAnthropic, event, events, failure, good, message, messageEvents } from './anthropic.ts';
import { adminToken, expectPassed, type Ola, request, stage } from './stage.ts';
import { answer, type Behaviour, bytes, chunk, lastChunk, streamHead, type Upstream } from './upstream.ts';

const { start, upstream } = stage();
const messages = [{ role: 'user', content: 'Hello' }];

interface Scene {
  readonly ola: Ola;
  readonly up: Upstream;
}

const shared: Promise<Scene> = (async () => {
  const ola = await start();
  const up = await upstream();
  await addAnthropic(ola, 'claude-like', up, { credentialStyle: 'x-api-key' });
  return { ola, up };
})();

/** Sends a message to a model that does this. */
async function send(model: string, behaviour: Behaviour, more: object = {}, headers: Readonly<Record<string, string>> = {}) {
  const { ola, up } = await shared;
  up.modes.set(model, behaviour);
  await ola.endCooldowns('claude-like');
  const body = { model: `claude-like/${model}`, max_tokens: 64, messages, ...more };
  return request(`${ola.address}/v1/messages`, 'POST', { 'x-api-key': adminToken, ...headers }, body);
}

const post = async (path: string, text: string, headers: Readonly<Record<string, string>> = {}) =>
  request((await shared).ola.address + path, 'POST', { 'x-api-key': adminToken, ...headers }, text);

describe('D12: the upstream gets', () => {
  test('the body byte for byte but for the model: unknown fields and blocks, and the system array with its first block', async () => {
    const { up } = await shared;
    const body = (model: string) =>
      `{ "system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1"},{"type":"text","text":"Be brief","cache_control":{"type":"ephemeral"}}],"future_field":{"n":1.0, "big":12345678901234567890},"max_tokens" : 64,\n"model": "${model}","messages":[{"role":"user","content":[{"type":"future_block","\\u0061":1e2},{"type":"text","text":"\\"model\\" \\ud83d\\ude00 é"}]}] }`;
    up.modes.set('as-it-came', good);
    expect((await post('/v1/messages', body('claude-like/as-it-came'))).status).toBe(200);
    expect(up.requestFor('as-it-came').body).toBe(body('as-it-came'));
  });

  test('unknown betas and every anthropic header as they came, the session, and its own credential', async () => {
    const { up } = await shared;
    const headers = {
      'anthropic-beta': 'claude-code-20250219,unknown-2027-01-01',
      'anthropic-version': '2024-01-01',
      'anthropic-future': 'x',
      'x-claude-code-session-id': 'session-1',
      'x-stainless-lang': 'leak',
    };
    expect((await send('betas', good, {}, headers)).status).toBe(200);
    const got = up.requestFor('betas');
    const { 'x-stainless-lang': _, ...passed } = headers;
    for (const [name, value] of Object.entries(passed)) expect([name, got.headers.get(name)]).toEqual([name, value]);
    expect(got.headers.get('x-api-key')).toBe('key-of-claude-like-0123456789');
    expect(got.head).not.toContain(adminToken);
    expect(got.head).not.toContain('leak');
    expect(got.head).toStartWith('POST /v1/messages HTTP/1.1\r\n');
  });

  test('no credential of the client in a header of the protocol, whatever its form', async () => {
    const { up } = await shared;
    const headers = {
      'anthropic-client': adminToken,
      'anthropic-other': `Bearer ${adminToken}`,
      'anthropic-api-key': 'sk-ant-of-another-vendor',
      'anthropic-auth-token': 'of-another-vendor',
      'x-session-id': adminToken,
      'anthropic-beta': 'kept-1',
    };
    expect((await send('credentials', good, {}, headers)).status).toBe(200);
    const got = up.requestFor('credentials');
    expect(got.head).not.toContain(adminToken);
    expect(got.head).not.toContain('of-another-vendor');
    expect(got.headers.get('anthropic-beta')).toBe('kept-1');
  });

  test('a version where the client names none, and of the query beta=true alone', async () => {
    const { up } = await shared;
    up.modes.set('query', good);
    const body = JSON.stringify({ model: 'claude-like/query', max_tokens: 1, messages });
    expect((await post('/v1/messages?beta=true&api_key=leak', body)).status).toBe(200);
    const got = up.requestFor('query');
    expect(got.headers.get('anthropic-version')).toBe('2023-06-01');
    expect(got.head).toStartWith('POST /v1/messages?beta=true HTTP/1.1\r\n');
  });

  test('a count of tokens at its own path', async () => {
    const { up } = await shared;
    up.modes.set('counted', good);
    const counted = await post('/v1/messages/count_tokens', JSON.stringify({ model: 'claude-like/counted', messages }));
    expect([counted.status, counted.text]).toEqual([200, '{"input_tokens":42}']);
    expect(up.requestFor('counted').head).toStartWith('POST /v1/messages/count_tokens HTTP/1.1\r\n');
  });

  test('a base URL with the version that other SDKs want leads to the same path', async () => {
    const { ola, up } = await shared;
    await addAnthropic(ola, 'versioned', up, { baseUrl: `http://127.0.0.1:${up.port}/v1` });
    up.modes.set('versioned', good);
    const got = await post('/v1/messages', JSON.stringify({ model: 'versioned/versioned', max_tokens: 1, messages }));
    expect(got.status).toBe(200);
    expect(up.requestFor('versioned').head).toStartWith('POST /v1/messages HTTP/1.1\r\n');
    expect(up.requestFor('versioned').headers.get('x-api-key')).toBe('key-of-versioned-0123456789');
  });
});

const limits = {
  'anthropic-ratelimit-unified-status': 'allowed_warning',
  'anthropic-ratelimit-unified-5h-utilization': '0.91',
  'request-id': 'req_up',
};

describe('D12: the client gets', () => {
  test('a message byte for byte, the limits of its account, and the id of the upstream’s request', async () => {
    const got = await send('whole', answer(200, message('Hi “é”'), limits));
    expect([got.status, got.text]).toEqual([200, JSON.stringify(message('Hi “é”'))]);
    const { 'request-id': id, ...passed } = limits;
    for (const [name, value] of Object.entries(passed)) expect([name, got.headers.get(name)]).toEqual([name, value]);
    expect(got.headers.get('x-ola-upstream-request-id')).toBe(id);
    expect(got.headers.get('request-id')).toBeNull();
  });

  test('a stream byte for byte, with the same headers, and its tokens are recorded', async () => {
    const { ola } = await shared;
    const got = await send('streamed', events(messageEvents, limits), { stream: true }, { 'x-request-id': 'streamed-1' });
    expect([got.status, got.text]).toEqual([200, messageEvents.join('')]);
    expect(got.headers.get('content-type')).toBe('text/event-stream');
    expect(got.headers.get('anthropic-ratelimit-unified-status')).toBe('allowed_warning');
    const row = await ola.ask('GET', '/config/requests/streamed-1');
    expect(row.text).toContain('"prompt_tokens":16');
    expect(row.text).toContain('"completion_tokens":7');
  });

  test('the wording of a refusal as it came', async () => {
    const { ola } = await shared;
    const said = JSON.stringify(failure('invalid_request_error', 'The beta unknown-2027-01-01 is not available.'));
    expectPassed(await send('refused', answer(400, said)), 400, said);
    const long = JSON.stringify(failure('invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum'));
    expectPassed(await send('long', answer(400, long)), 400, long);
    const gone = JSON.stringify(failure('not_found_error', 'model: gone'));
    expectPassed(await send('gone', answer(404, gone)), 404, gone);
    expect((await ola.ask('GET', '/config/cooldowns')).text).not.toContain('provider-config:claude-like');
  });

  test('a limit with the headers by which clients wait', async () => {
    const said = JSON.stringify(failure('rate_limit_error', 'Slow down.'));
    const got = await send(
      'limited',
      answer(429, said, {
        ...limits,
        'retry-after': '7',
        'x-should-retry': 'true',
        'anthropic-ratelimit-unified-reset': '1800000000',
      }),
    );
    expectPassed(got, 429, said);
    expect(got.headers.get('retry-after')).toBe('7');
    expect(got.headers.get('x-should-retry')).toBe('true');
    expect(got.headers.get('anthropic-ratelimit-unified-reset')).toBe('1800000000');
    expect(got.headers.get('x-ola-upstream-request-id')).toBe('req_up');
  });

  test('an overload with its own status, and other failures in ola’s words', async () => {
    const said = JSON.stringify(failure('overloaded_error', 'Overloaded'));
    expectPassed(await send('overloaded', answer(529, said)), 529, said);
    for (const [model, status, type] of [
      ['e401', 502, 'api_error'],
      ['e500', 502, 'api_error'],
    ] as const) {
      const got = await send(model, answer(Number(model.slice(1)), failure('x', 'CANARY')));
      expect([got.status, got.json['error']!['type']]).toEqual([status, type as never]);
      expect(got.text).not.toContain('CANARY');
    }
    const html = await send('html', answer(413, '<html>Cloudflare</html>', { 'content-type': 'text/html' }));
    expect(html.json).toMatchObject({ type: 'error', error: { type: 'request_too_large', code: 'context_length_exceeded' } });
  });
});

describe('a stream', () => {
  test('that is cut behind any of its events ends with an error and no message_stop', async () => {
    for (let whole = 4; whole < messageEvents.length; whole++) {
      const sent = messageEvents.slice(0, whole);
      const got = await send(`cut-${whole}`, bytes(streamHead + sent.map(chunk).join('') + lastChunk), { stream: true });
      const last = got.text.slice(sent.join('').length);
      expect([whole, got.status, got.text.startsWith(sent.join(''))]).toEqual([whole, 200, true]);
      expect(last).toMatch(
        /^event: error\ndata: \{"type":"error","error":\{"type":"api_error",.*"code":"upstream_truncated".*\}\n\n$/,
      );
    }
  });

  test('that is cut before its first content is a failure with a status', async () => {
    for (const whole of [0, 1, 3]) {
      const got = await send(`early-${whole}`, events(messageEvents.slice(0, whole)), { stream: true });
      expect([whole, got.status, got.json['type']]).toEqual([whole, 502, 'error' as never]);
    }
  });

  test('that fails later passes what came, and ends with an error', async () => {
    const overloaded = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
    const got = await send('late', events([...messageEvents.slice(0, 4), overloaded]), { stream: true });
    expect(got.text).toStartWith(messageEvents.slice(0, 4).join(''));
    expect(got.text).toContain('event: error\ndata: {"type":"error","error":{"type":"overloaded_error"');
    expect(got.text).not.toContain('message_stop');
  });

  test('passes events of unknown types', async () => {
    const list = [...messageEvents.slice(0, 5), event('future_event', { x: 1 }), ...messageEvents.slice(5)];
    expect((await send('future', events(list), { stream: true })).text).toBe(list.join(''));
  });
});

describe('of two credentials', () => {
  const key = (text: string) => ({ provider: 'twin', type: 'api_key', key: text });
  const firstKey = 'key-of-twin-first-0123456789';

  test.each([
    ['an error as the first event', true, events([event('error', { error: { type: 'overloaded_error', message: 'no' } })])],
    [
      'an error behind the beginning',
      true,
      events([messageEvents[0]!, event('error', { error: { type: 'rate_limit_error', message: 'no' } })]),
    ],
    ['JSON in place of a stream', true, answer(200, failure('overloaded_error', 'no'))],
    ['an error under 200', false, answer(200, failure('overloaded_error', 'no'))],
    [
      'a spend limit',
      false,
      answer(429, failure('rate_limit_error', 'no', { details: { error_code: 'enforced_spend_limit_reached' } })),
    ],
    ['no credit', false, answer(400, failure('invalid_request_error', 'Your credit balance is too low to access the API.'))],
    ['a refused key', false, answer(401, failure('authentication_error', 'invalid x-api-key'))],
  ] as const)('the second one answers after %s', async (_, stream, behaviour) => {
    const ola = await start();
    const up = await upstream();
    const twin = {
      baseUrl: `http://127.0.0.1:${up.port}`,
      api: 'anthropic-messages',
      allowLocal: true,
      credentialStyle: 'x-api-key',
    };
    const authProfiles = { 'twin:a': key(firstKey), 'twin:b': key('key-of-twin-second-0123456789') };
    expect((await ola.ask('POST', '/config', { providers: { twin }, authProfiles })).status).toBe(200);
    up.modes.set('m', (received) => (up.for('m').length === 1 ? behaviour : good)(received));
    const body = { model: 'twin/m', max_tokens: 1, messages, stream };
    const got = await ola.ask('POST', '/v1/messages', body);
    expect([got.status, got.headers.get('x-ola-attempts')]).toEqual([200, '2']);
    expect(got.text).toBe(stream ? messageEvents.join('') : JSON.stringify(message('Hello')));
    expect(new Set(up.for('m').map(({ headers }) => headers.get('x-api-key'))).size).toBe(2);
  });
});

describe('ola’s own refusals are in Anthropic’s envelope', () => {
  const body = JSON.stringify({ model: 'claude-like/x', max_tokens: 1, messages });
  const bare = { 'x-api-key': '' };
  test.each([
    [401, 'authentication_error', 'POST', '/v1/messages', body, bare],
    [404, 'not_found_error', 'POST', '/v1/messages', JSON.stringify({ model: 'zzz', messages }), {}],
    [404, 'not_found_error', 'POST', '/v1/messages/batches', body, {}],
    [405, 'invalid_request_error', 'PUT', '/v1/messages', body, {}],
    [413, 'request_too_large', 'POST', '/v1/messages', `"${'x'.repeat(33 * 1024 * 1024)}"`, {}],
    [415, 'invalid_request_error', 'POST', '/v1/messages/count_tokens', body, { 'content-type': 'text/plain' }],
    [400, 'invalid_request_error', 'POST', '/v1/messages', '{', {}],
    [422, 'invalid_request_error', 'POST', '/v1/messages', '{"model":"claude-like/x"}', {}],
    [400, 'invalid_request_error', 'POST', '/v1/messages', '{"model":"claude-like/x","input":"x"}', {}],
  ] as const)('%i %s of %s %s', async (status, type, method, path, text, headers) => {
    const { ola } = await shared;
    const got = await request(ola.address + path, method, { 'x-api-key': adminToken, ...headers }, text);
    expect([got.status, got.json['type'], got.json['error']?.['type']]).toEqual([status, 'error' as never, type as never]);
    expect(Object.keys(got.json)).toEqual(['type', 'error']);
  });

  test('and its routes take a Bearer token as well', async () => {
    const { ola, up } = await shared;
    up.modes.set('bearer', good);
    const got = await ola.ask('POST', '/v1/messages', { model: 'claude-like/bearer', max_tokens: 1, messages });
    expect(got.status).toBe(200);
  });

  test('a body of another protocol is told its route', async () => {
    const chat = await post(
      '/v1/messages',
      '{"model":"claude-like/x","max_completion_tokens":1,"messages":[{"role":"user","content":"x"}]}',
    );
    expect([chat.status, chat.text.includes('/v1/chat/completions')]).toEqual([400, true]);
    const tools = '"tools":[{"name":"t","input_schema":{"type":"object"}}]';
    const anthropic = await post(
      '/v1/chat/completions',
      `{"model":"claude-like/x",${tools},"messages":[{"role":"user","content":"x"}]}`,
    );
    expect([anthropic.status, anthropic.text.includes('/v1/messages')]).toEqual([400, true]);
  });
});

test('the models are listed in the form that the client’s headers ask for', async () => {
  const { ola } = await shared;
  const list = {
    data: [{ type: 'model', id: 'listed', display_name: 'Listed', created_at: '2026-01-01T00:00:00Z', max_input_tokens: 9 }],
  };
  const up = await upstream();
  up.modes.set('', answer(200, list));
  await addAnthropic(ola, 'lister', up);
  const anthropic = await ola.ask('GET', '/v1/models', undefined, { 'anthropic-version': '2023-06-01' });
  expect(anthropic.json['data']).toContainEqual({
    type: 'model',
    id: 'lister/listed',
    display_name: 'Listed',
    created_at: '1970-01-01T00:00:00Z',
    max_input_tokens: 9,
    max_tokens: null,
  } as never);
  expect(up.received[0]?.head).toStartWith('GET /v1/models?limit=1000 HTTP/1.1');
  expect(up.received[0]?.headers.get('anthropic-version')).toBe('2023-06-01');
  const openai = await ola.ask('GET', '/v1/models');
  expect(openai.json['data']).toContainEqual(
    expect.objectContaining({ id: 'lister/listed', object: 'model', context_window: 9 }),
  );
  const one = await ola.ask('GET', '/v1/models/lister/listed', undefined, { 'anthropic-version': '2023-06-01' });
  expect(one.json).toMatchObject({ type: 'model', id: 'lister/listed' });
});
