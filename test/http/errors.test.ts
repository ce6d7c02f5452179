/** The table of errors, walked: each code stands for something that happens, and what a client then reads. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { type ErrorCode, type ErrorEnvelope, errorStatus, errorType, OlaError } from '../../src/core/errors.ts';
import type { Connection } from '../../src/core/server.ts';
import { mostBodyBytes } from '../../src/http/body.ts';
import { createErrorRenderer } from '../../src/http/errors.ts';
import { protocols } from '../../src/protocols/all.ts';
import { directories } from '../directories.ts';
import { answer, bytes, type Upstream, upstream } from '../e2e/upstream.ts';
import type { SceneOptions } from '../gateway/scene.ts';
import { readDocument } from './reference/openapi.ts';
import { type AppScene, open } from './scene.ts';

const directory = directories();
const codes = Object.keys(errorStatus) as ErrorCode[];
const canary = 'sk-CANARY-0123456789abcdefghij';

let up: Upstream;
/** The examples of the reference. */
let examples: readonly ErrorEnvelope[];
beforeAll(async () => {
  up = await upstream();
  await using scene = await open(directory());
  const { components } = readDocument(await (await scene.ask('GET', '/docs/json')).text());
  const all = Object.values(components.examples).map(({ value }) => value as ErrorEnvelope & { readonly type?: string });
  // Other wire formats tell the same errors in envelopes of their own.
  examples = all.filter(({ type, error }) => type === undefined && typeof error !== 'string' && typeof error.code === 'string');
});
afterAll(() => up.close());
const { now } = performance;
afterEach(() => {
  performance.now = now;
});

interface Way {
  readonly options?: SceneOptions;
  /** Goes as it is from the whole scene to an answer. */
  readonly ask: (scene: AppScene) => Promise<Response>;
  /** Status on the wire where it is not the table's. */
  readonly status?: number;
}

const headers = (scene: AppScene, more: Readonly<Record<string, string>> = {}) => ({
  authorization: `Bearer ${scene.tokens.admin}`,
  'content-type': 'application/json',
  ...more,
});
const get =
  (path: string, more: Readonly<Record<string, string>> = {}) =>
  (scene: AppScene) =>
    scene.ask('GET', path, { headers: headers(scene, more) });
const send =
  (method: string, path: string, body: unknown, more: Readonly<Record<string, string>> = {}) =>
  (scene: AppScene) =>
    scene.ask(method, path, { headers: headers(scene, more), body: typeof body === 'string' ? body : JSON.stringify(body) });
const provider = (more: object = {}) => ({ baseUrl: up.baseUrl, allowLocal: true, apiKey: canary, ...more });

/** A chat with a provider that does this. */
function chat(model: string, behaviour?: Parameters<Upstream['modes']['set']>[1], more: object = {}) {
  return async (scene: AppScene): Promise<Response> => {
    if (behaviour !== undefined) up.modes.set(model, behaviour);
    expect((await send('PUT', '/config/providers/acme', provider(more))(scene)).status).toBe(200);
    return send('POST', '/v1/chat/completions', { model: `acme/${model}`, messages: [{ role: 'user', content: canary }] })(scene);
  };
}

/** A body that never ends, of which a minute passes at once. */
async function bodyThatNeverEnds(scene: AppScene): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array([0x7b])) });
  const answered = scene.ask('POST', '/v1/chat/completions', { headers: headers(scene), body });
  performance.now = () => now.call(performance) + 61_000;
  return answered;
}

const upstreamError = { error: { message: `the key ${canary} is wrong.`, type: 'x', code: null } };

/** How each code that a client can meet comes about. */
const ways: { readonly [code in ErrorCode]?: Way } = {
  invalid_request: { ask: send('POST', '/config/profiles', { name: '../x' }) },
  embeddings_not_supported: {
    options: { environment: { DEEPSEEK_API_KEY: canary } },
    ask: send('POST', '/v1/embeddings', { model: 'deepseek/deepseek-chat', input: 'x' }),
  },
  invalid_json: { ask: send('POST', '/config', '{') },
  conflicting_credentials: { ask: get('/config', { 'x-api-key': `ola_${canary}` }) },
  unsafe_destination: { ask: send('PUT', '/config/providers/x', { baseUrl: 'http://127.0.0.1:8000/v1', apiKey: canary }) },
  invalid_api_key: { ask: get('/config', { authorization: `Bearer ola_${canary}` }) },
  insufficient_scope: { ask: (scene) => get('/config', { authorization: `Bearer ${scene.tokens.write}` })(scene) },
  origin_not_allowed: { ask: get('/config', { origin: 'http://evil.example' }) },
  egress_destination_blocked: {
    async ask(scene) {
      const inside = { baseUrl: 'https://models.inside.example/v1', apiKey: canary, models: [{ id: 'm' }] };
      // A name that is not asked for when it is written.
      const written = { egressPolicy: { resolveDns: false }, providers: { inside } };
      expect((await send('POST', '/config', written)(scene)).status).toBe(200);
      return send('POST', '/v1/chat/completions', { model: 'inside/m', messages: [{}] })(scene);
    },
  },
  route_not_found: { ask: get('/nothing') },
  not_found: { ask: get('/config/tokens/nobody') },
  model_not_found: { ask: send('POST', '/v1/chat/completions', { model: 'zzz', messages: [{}] }) },
  provider_resolution_failed: { ask: send('POST', '/v1/chat/completions', { model: 'openai/x', messages: [{}] }) },
  provider_disabled: { ask: chat('off', undefined, { enabled: false }) },
  method_not_allowed: { ask: get('/v1/chat/completions') },
  request_timeout: { ask: bodyThatNeverEnds },
  all_credentials_cooling_down: {
    async ask(scene) {
      await send('PUT', '/config/providers/acme', provider())(scene);
      await send('PUT', '/config/cooldowns/provider-config:acme', { seconds: 60 })(scene);
      return send('POST', '/v1/chat/completions', { model: 'acme/m', messages: [{}] })(scene);
    },
  },
  conflict: {
    async ask(scene) {
      const body = { authorization: { tokens: { a: { id: 'same', token: canary }, b: { id: 'same', token: `${canary}2` } } } };
      return send('POST', '/config', body)(scene);
    },
  },
  config_managed_by_file: {
    options: { file: { path: '/etc/ola/config.json', text: '{}' } },
    ask: send('POST', '/config', {}),
  },
  precondition_failed: { ask: send('POST', '/config', {}, { 'if-match': '"another"' }) },
  request_too_large: { ask: send('POST', '/config', '{', { 'content-length': String(mostBodyBytes + 1) }) },
  unsupported_media_type: { ask: send('POST', '/config', '{}', { 'content-type': 'text/plain' }) },
  host_not_served: { ask: get('/config', { host: 'evil.example' }) },
  invalid_field: { ask: send('POST', '/config/tokens', { name: 7 }) },
  secret_required: {
    async ask(scene) {
      await send('PUT', '/config/providers/acme', provider())(scene);
      return send('PUT', '/config/providers/acme', { baseUrl: 'https://acme.example/v1' })(scene);
    },
  },
  // A 400 in JSON goes down as it came.
  upstream_http_error: { ask: chat('e500', answer(500, upstreamError)) },
  upstream_auth_error: { ask: chat('e401', answer(401, upstreamError)) },
  upstream_unreachable: { ask: chat('down', undefined, { baseUrl: 'http://127.0.0.1:1/v1' }) },
  upstream_truncated: { ask: chat('cut', bytes('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{', 'end')) },
  provider_error: { ask: chat('html', answer(200, `<html>${canary}`, { 'content-type': 'text/html' })) },
  upstream_timeout: { ask: chat('slow', answer(504, upstreamError)) },
  shutting_down: {
    ask(scene) {
      scene.gateway.drain();
      return get('/v1/models')(scene);
    },
  },
  persistence_unavailable: {
    ask(scene) {
      scene.store.close();
      return send('POST', '/config/tokens', { name: 'x' })(scene);
    },
  },
};

/** Nobody is there to read the one; a defect of ola would bring about the other. */
const unreachable: readonly ErrorCode[] = ['client_closed_request', 'internal_error'];
/** Told in the form of one protocol alone, whose routes they belong to. */
const foreign: readonly ErrorCode[] = ['not_implemented'];

test('every code has a way to it here, or is one that no client meets', () => {
  expect([...Object.keys(ways), ...unreachable, ...foreign].sort()).toEqual([...codes].sort());
});

/** Of no route, so that the reference has no example. */
const undocumented: readonly ErrorCode[] = ['route_not_found', 'method_not_allowed', 'client_closed_request'];

test('every code but those of no route has an example in the reference', () => {
  const shown = new Set(examples.map(({ error }) => error.code));
  expect(codes.filter((code) => !shown.has(code)).sort()).toEqual([...undocumented, ...foreign].sort());
});

/** An error without what belongs to one occurrence: names, numbers, and the values of its details. */
function form({ error: { message, param, details = {} } }: ErrorEnvelope) {
  const words = message.replace(/'[^']*'|\/\S+|\d[\d.]*/g, '…').replace(/(HTTP …|database failed).*/, '$1');
  const kinds = Object.entries(details).map(([name, value]) => [name, Array.isArray(value) ? 'list' : typeof value]);
  return { words, hasParam: param !== null, details: Object.fromEntries(kinds) };
}

describe('a client reads of', () => {
  for (const [code, { options, ask, status = errorStatus[code as ErrorCode] }] of Object.entries(ways)) {
    test(`${code}: the envelope with its status and type, what to do, and nothing that is secret`, async () => {
      const scene = await open(directory(), options ?? { settings: { everyProviderLocal: false } });
      try {
        const response = await ask(scene);
        const text = await response.text();
        expect([response.status, text]).toEqual([status, expect.stringContaining(`"code":`)]);
        const body = JSON.parse(text) as ErrorEnvelope;
        expect(Object.keys(body)).toEqual(['error']);
        const { error } = body;
        expect(Object.keys(error).filter((key) => key !== 'details')).toEqual(['message', 'type', 'param', 'code']);
        expect(error).toMatchObject({ type: errorType(status), code });
        expect(error.param === null || typeof error.param === 'string').toBe(true);
        // A sentence for people: what is wrong, what to do.
        expect(error.message).toMatch(/^['A-Z].{20,}[.)]$/su);
        expect(response.headers.get('content-type')).toBe('application/json');
        expect(response.headers.get('cache-control')).toBe('no-store');
        expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f-]{36}$/);
        const shown = examples.filter((each) => each.error.code === code).map(form);
        if (!undocumented.includes(code as ErrorCode)) expect(shown).toContainEqual(form(body));
        expect(text + JSON.stringify([...response.headers])).not.toMatch(/CANARY|\bat .*:\d+:\d+|\.ts\b/);
      } finally {
        await Promise.resolve(scene[Symbol.asyncDispose]()).catch(() => undefined);
      }
    });
  }
});

test('an unknown path, a wrong method, a stranger and a foreign Host are told in the envelope of the path’s protocol', () => {
  const [first] = protocols;
  const other = { ...first!, envelopePaths: ['/v1/other'], errorBody: (error: OlaError) => `other: ${error.code}` };
  const render = createErrorRenderer([...protocols, other], { log: () => undefined });
  const told = (code: ErrorCode, path: string) => render(new OlaError(code, 'Why.'), path, null).text();
  return Promise.all(
    (['route_not_found', 'method_not_allowed', 'invalid_api_key', 'host_not_served'] as const).map(async (code) => {
      expect(await told(code, '/v1/other/nothing')).toBe(`other: ${code}`);
      expect(await told(code, '/v1/other')).toBe(`other: ${code}`);
      for (const path of ['/v1/messages', '/v1/messages/count_tokens', '/v1/messages/'])
        expect(await told(code, path)).toStartWith('{"type":"error","error":{');
      for (const path of ['/v1/models', '/v1//other', '/other', '/', '/v1/messagesX', '/v1/others'])
        expect(await told(code, path)).toStartWith('{"error":');
    }),
  );
});

test('what a client of Ollama asks of its files is 501 in the form of Ollama, with the code in a header', async () => {
  await using scene = await open(directory());
  for (const [method, call] of [
    ['POST', 'pull'],
    ['POST', 'push'],
    ['POST', 'create'],
    ['POST', 'copy'],
    ['DELETE', 'delete'],
  ] as const) {
    const response = await send(method, `/api/${call}`, { model: 'llama3.2' })(scene);
    expect([response.status, response.headers.get('x-ola-code')]).toEqual([501, 'not_implemented']);
    expect(await response.json()).toEqual({ error: expect.stringMatching(/^ola does not \w+ models: .{20,}\.$/) });
  }
});

test('a client of Anthropic’s API is told of models in its own envelope', async () => {
  const render = createErrorRenderer(protocols, { log: () => undefined });
  const header = (name: string) => (name === 'anthropic-version' ? '2023-06-01' : null);
  const told = (path: string) => render(new OlaError('model_not_found', 'Why.'), path, null, header).text();
  for (const path of ['/v1/models', '/v1/models/a/b']) expect(await told(path)).toStartWith('{"type":"error"');
  for (const path of ['/v1/modelsX', '/v1/chat/completions', '/config']) expect(await told(path)).toStartWith('{"error":');
});

describe('what nobody foresaw', () => {
  test('is 500 with the request id, its words and stack in the log alone, and there without the stack', () => {
    const lines: unknown[] = [];
    const log = { log: (...line: unknown[]) => void lines.push(line) };
    const response = createErrorRenderer(protocols, log)(new TypeError(`cannot read ${canary}`), '/v1/models', 'req_1');
    expect(response.status).toBe(500);
    expect(response.headers.get('x-request-id')).toBe('req_1');
    expect(lines).toEqual([['error', 'a request failed', { request: 'req_1', cause: `TypeError: cannot read ${canary}` }]]);
    for (const odd of ['text', null, undefined, 7, { status: 200 }])
      expect(createErrorRenderer(protocols, log)(odd, '/x', null).status).toBe(500);
  });

  test('of a route comes out as such, and the next request is served', async () => {
    await using scene = await open(directory());
    const listing = scene.gateway.listModels;
    Object.assign(scene.gateway, {
      listModels() {
        throw new RangeError(canary);
      },
    });
    const response = await get('/v1/models')(scene);
    const text = await response.text();
    expect([response.status, text.includes('internal_error'), text.includes(canary)]).toEqual([500, true, false]);
    Object.assign(scene.gateway, { listModels: listing });
    expect((await get('/v1/models')(scene)).status).toBe(200);
  });
});

test('a client that is gone is told nothing, in a status that HTTP has', () => {
  const gone = createErrorRenderer([], { log: () => undefined })(new OlaError('client_closed_request', 'gone'), '/x', null);
  expect(gone.status).toBe(400);
});

test('the owner of the home is refused in the same words', async () => {
  await using scene = await open(directory());
  const control: Connection = {
    kind: 'control',
    peer: () => null,
    awaitBody: () => undefined,
    hold: () => undefined,
    release: () => undefined,
  };
  const response = await scene.app.handle(new Request('http://localhost/nothing'), control);
  expect(response.status).toBe(404);
  expect(((await response.json()) as ErrorEnvelope).error.code).toBe('route_not_found');
});
