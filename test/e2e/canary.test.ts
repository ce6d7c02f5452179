/** One secret in every place that a secret can be in, every route and every failure walked: none of them comes out anywhere. */
import { expect, test } from 'bun:test';
import { askRaw, endpoints, form, formType } from './endpoints.ts';
import { type Answer, filesBelow, type Json, type Ola, request, stage } from './stage.ts';
import { answer, type Behaviour, bytes, chunk, event, stream, streamHead, type Upstream } from './upstream.ts';
import { exchange, openChat, requestBytes } from './wire.ts';

const { start, run, upstream } = stage();

const secrets = {
  adminToken: 'canary-admin-1f0e2d3c4b5a69788796a5b4c3d2e1f0',
  proxyKey: 'canary-proxy-2a3b4c5d6e7f8091a2b3c4d5e6f70819',
  masterKey: Buffer.from('canary-master-key-of-32-bytes-xy').toString('base64'),
  envKey: 'canary-env-3c4d5e6f708192a3b4c5d6e7f8091a2b',
  providerKey: 'canary-provider-4d5e6f708192a3b4c5d6e7f8091a',
  headerValue: 'canary-header-5e6f708192a3b4c5d6e7f8091a2b3c',
  profileKey: 'canary-profile-5d6e7f8091a2b3c4d5e6f708192a3',
  replacedKey: 'canary-replaced-6f708192a3b4c5d6e7f8091a2b3c',
  unknownField: 'canary-unknown-708192a3b4c5d6e7f8091a2b3c4d5e',
  refusedKey: 'canary-refused-8192a3b4c5d6e7f8091a2b3c4d5e6f',
  prompt: 'canary-prompt-92a3b4c5d6e7f8091a2b3c4d5e6f7081',
  upstreamWords: 'canary-upstream-b3c4d5e6f708192a3b4c5d6e7f8091',
  wrongToken: 'canary-wrong-a3b4c5d6e7f8091a2b3c4d5e6f708192',
} as const;

const env = {
  OPEN_LLM_AUTH_TOKEN: secrets.adminToken,
  LLM_INTERACTIVE_PROXY_API_KEY: secrets.proxyKey,
  OPEN_LLM_AUTH_MASTER_KEY: secrets.masterKey,
  ACME_API_KEY: secrets.envKey,
  OPEN_LLM_AUTH_ENV_REFERENCES: 'ACME_API_KEY',
};

/** Upstreams that say back what they were sent, in every way they can fail. */
function giveModes(up: Upstream): readonly string[] {
  const leak = (head: string) => `leaking ${head} ${secrets.headerValue}`;
  for (const status of [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529]) {
    up.modes.set(`m${status}`, (received) =>
      answer(status, { error: { message: leak(received.head), code: leak(received.head), param: leak(received.head) } })(
        received,
      ),
    );
  }
  up.modes.set('garbage', (received) => answer(200, leak(received.head))(received));
  up.modes.set('page', (received) => answer(200, `<html>${leak(received.head)}`, { 'content-type': '' })(received));
  up.modes.set('cut', (received) =>
    bytes(`HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n${leak(received.head)}`, 'end')(received),
  );
  up.modes.set('moved', (received) =>
    answer(302, '', { location: `http://127.0.0.1/${encodeURIComponent(received.headers.get('authorization') ?? '')}` })(
      received,
    ),
  );
  up.modes.set('broken', (received) => stream(event('a'), `data: ${leak(received.head).replaceAll('\r\n', ' ')}\n\n`)(received));
  up.modes.set('stream-error', (received) =>
    stream(event('a'), `data: ${JSON.stringify({ error: { message: leak(received.head) } })}\n\n`)(received),
  );
  up.modes.set('stream-cut', ({ socket }) => void socket.write(streamHead + chunk(event('a')), () => socket.destroy()));
  return [...up.modes.keys()];
}

const words = secrets.upstreamWords;
/** The body of an error, which clients get as it came where its status lets them recover by it. */
const wordyError = JSON.stringify({ error: { message: words, type: words, code: words, param: words } });

/** Words of an upstream in every place that is nobody's business but ola's. */
function giveWordyModes(up: Upstream): readonly string[] {
  const headers = { 'set-cookie': words, 'x-a': words, 'retry-after': words, 'www-authenticate': words };
  const json = 'content-type: application/json\r\n';
  const modes: Record<string, Behaviour> = {
    reason: bytes(`HTTP/1.1 503 ${words}\r\nx-${words}: ${words}\r\ncontent-length: ${words.length}\r\n\r\n${words}`),
    'html error': answer(400, `<html>${words}</html>`, { 'content-type': `text/html; x=${words}` }),
    'html answer': answer(200, `<html>${words}</html>`, { 'content-type': `text/html; x=${words}` }),
    banner: bytes(`220 ${words}\r\n\r\n`, 'end'),
    interim: bytes(`HTTP/1.1 103 ${words}\r\nlink: ${words}\r\n\r\nHTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n`),
    'broken chunks': bytes(`${streamHead}5;${words}\r\nwrong${words}`),
    'broken header': bytes(`HTTP/1.1 200 OK\r\n${words}\r\n\r\n`),
    'long header': bytes(`HTTP/1.1 200 OK\r\nx: ${words.repeat(3000)}\r\n\r\n`),
    trailers: bytes(`${streamHead}${chunk(event('a'))}0\r\n${words}: ${words}\r\n\r\n`),
    packed: bytes(`HTTP/1.1 200 OK\r\n${json}content-encoding: ${words}\r\ncontent-length: 2\r\n\r\n{}`),
    'no content': bytes(`HTTP/1.1 204 ${words}\r\ncontent-length: ${words.length}\r\n\r\n${words}`),
    moved: answer(307, words, { location: `http://${words}.example/${words}` }),
    'half an event': ({ socket }) => void socket.end(streamHead + chunk(`${event('a')}data: {"x":"${words}`)),
    'half an answer': bytes(`HTTP/1.1 200 OK\r\n${json}content-length: 999\r\n\r\n{"x":"${words}`, 'end'),
    'named error': stream(event('a'), `event: error\ndata: ${words}\n\n`),
    'stalled event': ({ socket }) => void socket.write(streamHead + chunk(`data: {"x":"${words}`)),
    silent: () => undefined,
    ...Object.fromEntries(
      [401, 402, 403, 405, 408, 409, 418, 429, 451, 500, 529].map((s) => [`w${s}`, answer(s, wordyError, headers)]),
    ),
  };
  for (const [name, behaviour] of Object.entries(modes)) up.modes.set(name, behaviour);
  return Object.keys(modes);
}

/** Every failure of a call, many at once: some take their time. */
async function fail(ola: Ola, up: Upstream): Promise<Answer[]> {
  const authorization = `Bearer ${secrets.adminToken}`;
  const prompt = { messages: [{ role: 'user', content: secrets.prompt }] };
  const headers = { 'X-Secret': secrets.headerValue };
  const timeouts = { connectSeconds: 1, firstByteSeconds: 1, idleSeconds: 1 };
  const provider = { baseUrl: up.baseUrl, allowLocal: true, apiKey: secrets.providerKey, headers, timeouts };
  const over = { ...provider, baseUrl: up.baseUrl.replace('http:', 'https:') };
  for (const [id, body] of Object.entries({
    wordy: provider,
    secure: over,
    gone: { ...provider, baseUrl: 'http://127.0.0.1:1/v1' },
  }))
    expect((await request(`${ola.address}/config/providers/${id}`, 'PUT', { authorization }, body)).status).toBe(200);
  const models = [...giveWordyModes(up).map((name) => `wordy/${name}`), 'secure/x', 'gone/x'];
  const left = await openChat(ola.port, secrets.adminToken, { model: 'wordy/silent', stream: true, ...prompt });
  setTimeout(() => left.socket.destroy(), 100);
  return Promise.all(
    models.flatMap((model) =>
      [true, false].map((streamed) =>
        request(`${ola.address}/v1/chat/completions`, 'POST', { authorization }, { model, stream: streamed, ...prompt }),
      ),
    ),
  );
}

async function walk(ola: Ola, up: Upstream): Promise<Answer[]> {
  const ask = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    request(ola.address + path, method, { authorization: `Bearer ${secrets.adminToken}`, ...headers }, body);
  const provider = {
    baseUrl: up.baseUrl,
    allowLocal: true,
    apiKey: secrets.providerKey,
    headers: { 'X-Secret': secrets.headerValue },
  };
  const put = (id: string, body: object) => ask('PUT', `/config/providers/${id}`, body);
  const answers: Answer[] = [
    await put('acme', { ...provider, apiKey: secrets.replacedKey, madeUp: secrets.unknownField }),
    await put('acme', provider),
    await put('acme', { ...provider, apiKey: { no: secrets.refusedKey } }),
    await put('acme', { ...provider, apiKey: `${secrets.refusedKey}\n` }),
    await put('acme', { ...provider, baseUrl: `http://user:${secrets.refusedKey}@127.0.0.1/v1` }),
    await put('acme', { ...provider, baseUrl: `http://127.0.0.1/v1?key=${secrets.refusedKey}` }),
    await put('acme', { ...provider, headers: { Host: secrets.refusedKey } }),
    await put('acme', { baseUrl: 'http://127.0.0.1:1/v1', allowLocal: true }),
    await ask('PUT', '/config/providers/acme', provider, { 'if-match': '"stale"' }),
    await ask('PUT', '/config/providers/acme', `{"apiKey":"${secrets.refusedKey}`),
    await put('demo/../x', provider),
  ];
  const profile = { provider: 'acme', type: 'token', token: secrets.profileKey, metadata: { plan: secrets.profileKey } };
  answers.push(
    await ask('PUT', '/config/auth-profiles/acme:a', profile),
    await ask('PUT', '/config/auth-profiles/acme:a', { ...profile, type: secrets.refusedKey }),
    await ask('PUT', '/config/auth-profiles/acme:a', { ...profile, baseUrl: 'http://127.0.0.1:1/v1', token: undefined }),
    await ask('PUT', '/config/auth-profiles/acme:a', { ...profile, expires: secrets.refusedKey }),
    await ask('POST', '/config/auth-profiles/acme:a/test'),
    await ask('POST', '/config/credentials/acme:a/test'),
  );
  const models = giveModes(up);
  // An empty document is a document: it would take the provider away.
  for (const path of [
    '/config',
    '/config/providers',
    '/config/tokens',
    '/config/auth-profiles',
    '/config/auth-order',
    '/config/configured-providers',
    '/v1/models',
    '/v1/models/acme/x',
    '/health',
    '/nowhere',
    '/config/tokens/nobody',
  ])
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      answers.push(await ask(method, path, method === 'PUT' || (method === 'POST' && path !== '/config') ? {} : undefined));
  for (const model of [...models, 'fine'])
    for (const streamed of [false, true])
      answers.push(
        await ask('POST', '/v1/chat/completions', {
          model: `acme/${model}`,
          messages: [{ role: 'user', content: secrets.prompt }],
          stream: streamed,
          api_key: secrets.prompt,
        }),
      );
  const authorization = `Bearer ${secrets.adminToken}`;
  // An answer of bytes is passed on unread, and cut where it was cut: there only a page is refused.
  for (const { path, body, type } of endpoints)
    for (const model of [
      'm400',
      'm401',
      'm429',
      'page',
      'moved',
      'stream-error',
      ...(path.includes('/audio/') ? [] : ['garbage', 'cut']),
    ]) {
      const sent = type === formType ? form(`acme/${model}`, 'file', { prompt: secrets.prompt }) : body(`acme/${model}`);
      answers.push({ ...(await askRaw(ola, path, sent, type, { authorization })), json: {} as Json });
    }
  const odd = form(secrets.prompt, secrets.prompt, { model: secrets.prompt });
  answers.push({ ...(await askRaw(ola, '/v1/audio/transcriptions', odd, formType, { authorization })), json: {} as Json });
  answers.push(await ask('POST', '/v1/chat/completions', { messages: secrets.prompt, model: secrets.prompt }));
  answers.push(await ask('POST', '/v1/chat/completions', `{"messages": ${secrets.prompt}`));
  for (const headers of [
    { authorization: `Bearer ${secrets.wrongToken}` },
    { authorization: `Basic ${secrets.wrongToken}` },
    { 'x-api-key': secrets.wrongToken },
    { origin: `http://${secrets.wrongToken}` },
  ])
    answers.push(await ask('GET', '/config', undefined, headers as Record<string, string>));
  answers.push(await request(`${ola.address}/v1/models?key=${secrets.wrongToken}`));
  answers.push(await request(`${ola.address}/v1/models`, 'GET', { authorization: `Bearer ${secrets.proxyKey}` }));
  answers.push(await ask('DELETE', '/config/providers/nobody'));
  await exchange(ola.port, requestBytes('GET /v1/models HTTP/1.1', [`X-A: ${secrets.wrongToken}\0`]));
  return answers;
}

function expectAbsent(where: string, content: string | Buffer, besides: readonly string[] = []): void {
  const text = typeof content === 'string' ? content : content.toString('latin1');
  for (const [name, secret] of Object.entries(secrets)) {
    const forms = [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex')];
    if (!besides.includes(name)) expect([where, name, forms.some((form) => text.includes(form))]).toEqual([where, name, false]);
  }
}

test('no secret is in a file, in the output, or in an answer', async () => {
  const ola = await start({ env, args: ['--log-level', 'debug', '--log-requests'] });
  const up = await upstream();
  const answers = [...(await walk(ola, up)), ...(await fail(ola, up))];
  expect(answers.filter(({ status, text }) => status >= 500 || text.includes('data: {"error"')).length).toBeGreaterThan(60);
  const heads = up.received.map(({ head }) => head).join();
  for (const key of [secrets.providerKey, secrets.profileKey]) expect(heads).toContain(key);

  const made = (
    await request(`${ola.address}/config/tokens`, 'POST', { authorization: `Bearer ${secrets.adminToken}` }, { name: 'x' })
  ).json as unknown as { token: string };
  const listed = await run(['token', 'list', '--json'], { home: ola.home, env });
  const status = await run(['status', '--json'], { home: ola.home, env });

  // A name that was asked for may be named in the refusal: the model, as any caller may write it.
  for (const [index, { status: code, headers, text }] of answers.entries()) {
    const where = `answer ${index}: ${code} ${text.slice(0, 80)}`;
    expectAbsent(where, JSON.stringify([...headers]));
    const passed = [408, 409, 429, 529].includes(code) && text === wordyError;
    expectAbsent(where, text, [...(text.includes('"param":"model"') ? ['prompt'] : []), ...(passed ? ['upstreamWords'] : [])]);
  }
  // Of the failures by their status only those go down as they came.
  expect(answers.filter(({ text }) => text.includes(secrets.upstreamWords)).map(({ status: code }) => code)).toEqual([
    408, 408, 409, 409, 429, 429, 529, 529,
  ]);
  const look = (when: string) => {
    for (const { path, bytes: content } of filesBelow(ola.home)) {
      expectAbsent(`${when} ${path}`, content, ['prompt']);
      expect([path, content.includes(made.token)]).toEqual([path, false]);
    }
  };
  look('running');
  for (const text of [listed.out + listed.err, status.out + status.err, ola.out(), ola.err()]) {
    expectAbsent('output', text);
    expect(text).not.toContain(made.token);
  }
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
  look('stopped');
  expectAbsent('output at the end', ola.out() + ola.err());
});

test('no secret is in what a start that fails prints, nor in the environment that the process shows', async () => {
  const ola = await start({ env });
  const refused = await run(['serve', '--port', String(ola.port)], { env });
  const taken = await run(['serve', '--port', '0'], { home: ola.home, env });
  const misused = await run(['serve', '--port', secrets.refusedKey], { env });
  const odd = await run(['token', 'revoke', `sk-${secrets.refusedKey}`], { env });
  for (const { out, err } of [refused, taken]) expectAbsent('refusal', out + err);
  expectAbsent('misuse', misused.out + odd.out, ['refusedKey']);
  for (const { err } of [misused, odd]) expect(err).not.toContain('    at ');
});
