/** The log of requests: each request is in it once, with what is known of it and nothing that was said. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { listen } from '../../src/runtime/serve.ts';
import { demoProvider, demoUpstream } from '../../src/serve/demo.ts';
import { directories } from '../directories.ts';
import { type AppScene, open } from './scene.ts';

const directory = directories();
const key = 'key-of-the-demo-0123456789';
const upstream = listen.tcp({ hostname: '127.0.0.1', port: 0, maxBodyBytes: 1e6 }, demoUpstream(key, Date.now));
const demo = { ...demoProvider, baseUrl: `http://127.0.0.1:${upstream.port}/v1`, apiKey: key };
let scene: AppScene;
afterAll(() => upstream.stop());
beforeEach(async () => {
  scene = await open(directory(), { processProviders: [demo], settings: { everyProviderLocal: true } });
});
afterEach(() => scene[Symbol.asyncDispose]());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const chat = (body: unknown, headers: Record<string, string> = bearer(scene.tokens.write)) =>
  scene.ask('POST', '/v1/chat/completions', {
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const hello = { messages: [{ role: 'user', content: 'a prompt that stays out' }] };
const id = (name: string) => scene.gateway.tokens.list().find((token) => token.name === name)?.id ?? '';

describe('a call of a model', () => {
  test('is told of once, when it has ended, with model, times and tokens', async () => {
    const response = await chat({ model: 'demo/echo', ...hello }, { ...bearer(scene.tokens.write), 'x-request-id': 'mine' });
    expect(response.status).toBe(200);
    await response.text();
    expect(scene.requests).toEqual([
      {
        at: expect.any(Number),
        requestId: 'mine',
        subject: id('write'),
        tokenId: id('write'),
        method: 'POST',
        route: '/v1/chat/completions',
        status: 200,
        code: null,
        requested: 'demo/echo',
        provider: 'demo',
        model: 'echo',
        failedAttempts: 0,
        firstByteMs: expect.any(Number),
        totalMs: expect.any(Number),
        promptTokens: expect.any(Number),
        completionTokens: expect.any(Number),
        routine: false,
      },
    ]);
  });

  test('that streams is told of once, with the tokens that its end tells', async () => {
    const response = await chat({ model: 'demo/echo', stream: true, ...hello });
    expect(await response.text()).toContain('[DONE]');
    expect(scene.requests).toMatchObject([{ status: 200, requested: 'demo/echo', completionTokens: expect.any(Number) }]);
  });

  test('that is refused for its model is told of once', async () => {
    expect((await chat({ model: 'nobody/nothing', ...hello })).status).toBe(404);
    expect(scene.requests).toMatchObject([
      { status: 404, code: 'provider_resolution_failed', requested: 'nobody/nothing', provider: null, subject: id('write') },
    ]);
  });

  test('is not told of at all when requests are not logged', async () => {
    await using quiet = await open(directory(), {
      processProviders: [demo],
      settings: { everyProviderLocal: true },
      logRequests: false,
    });
    const init = {
      headers: { 'content-type': 'application/json', ...bearer(quiet.tokens.write) },
      body: JSON.stringify({ model: 'demo/echo', ...hello }),
    };
    expect((await quiet.ask('POST', '/v1/chat/completions', init)).status).toBe(200);
    expect((await quiet.ask('GET', '/v1/models')).status).toBe(401);
    expect(quiet.requests).toEqual([]);
  });
});

describe('a refusal', () => {
  const json = { 'content-type': 'application/json' };
  const refusals: readonly (readonly [
    what: string,
    status: number,
    code: string,
    ask: () => Promise<Response>,
    route?: string,
  ])[] = [
    ['without a token', 401, 'invalid_api_key', () => chat({ model: 'demo/echo', ...hello }, {})],
    ['of a scope', 403, 'insufficient_scope', () => chat({ model: 'demo/echo', ...hello }, bearer(scene.tokens.read))],
    [
      'of an origin',
      403,
      'origin_not_allowed',
      () => chat(hello, { ...bearer(scene.tokens.write), origin: 'http://evil.example' }),
    ],
    ['of a Host', 421, 'host_not_served', () => chat(hello, { ...bearer(scene.tokens.write), host: 'evil.example' })],
    ['of the JSON', 400, 'invalid_json', () => chat('{"cut":')],
    ['of a field', 422, 'invalid_field', () => chat({ model: 7, ...hello })],
    [
      'of the type',
      415,
      'unsupported_media_type',
      () => chat('x', { ...bearer(scene.tokens.write), 'content-type': 'text/plain' }),
    ],
    [
      'of the size',
      413,
      'request_too_large',
      () => chat('{}', { ...bearer(scene.tokens.write), ...json, 'content-length': '99999999' }),
    ],
    [
      'of two tokens',
      400,
      'conflicting_credentials',
      () => chat(hello, { ...bearer(scene.tokens.write), 'x-api-key': scene.tokens.read }),
    ],
    [
      'of a path',
      404,
      'route_not_found',
      () => scene.ask('GET', '/chat/completions?key=secret', { headers: bearer(scene.tokens.read) }),
      '/chat/completions',
    ],
    [
      'of a method',
      405,
      'method_not_allowed',
      () => scene.ask('DELETE', '/v1/models', { headers: bearer(scene.tokens.read) }),
      '/v1/models',
    ],
  ];
  for (const [what, status, code, ask, route = '/v1/chat/completions'] of refusals) {
    test(`${what} is told of once, with its code`, async () => {
      expect((await ask()).status).toBe(status);
      expect(scene.requests).toMatchObject([{ status, code, route, routine: false, totalMs: expect.any(Number) }]);
      expect(scene.requests[0]).toMatchObject({
        subject: ['invalid_api_key', 'conflicting_credentials'].includes(code) ? null : expect.any(String),
      });
    });
  }

  test('during the shutdown is told of, also in the middle of a body', async () => {
    scene.gateway.limits.close();
    expect((await chat({ model: 'demo/echo', ...hello })).status).toBe(503);
    scene.gateway.drain();
    expect((await chat({ model: 'demo/echo', ...hello })).status).toBe(503);
    expect(scene.requests).toMatchObject([{ code: 'shutting_down' }, { code: 'shutting_down' }]);
  });

  test('keeps no more of a path than can be redacted and shown', async () => {
    await scene.ask('GET', `/${'x'.repeat(5000)}`, { headers: bearer(scene.tokens.read) });
    expect(scene.requests[0]?.route.length).toBe(1000);
  });
});

describe('a request of ola itself', () => {
  test('is told of by the pattern of its route, never by what stands in its place', async () => {
    const headers = bearer(scene.tokens.admin);
    await scene.ask('GET', '/config/tokens?limit=1', { headers });
    await scene.ask('GET', `/config/tokens/${scene.tokens.admin}`, { headers });
    await scene.ask('GET', '/v1/models/demo/echo', { headers });
    await scene.ask('HEAD', '/v1/models', { headers });
    expect(scene.requests.map(({ method, route, status, code }) => [method, route, status, code])).toEqual([
      ['GET', '/config/tokens', 200, null],
      ['GET', '/config/tokens/:id', 404, 'not_found'],
      ['GET', '/v1/models/*', 200, null],
      ['HEAD', '/v1/models', 200, null],
    ]);
  });

  test('is routine when it is a probe or a file of a page, unless it is refused', async () => {
    for (const path of ['/health', '/static/docs.css', '/docs', '/static/none.css']) await scene.ask('GET', path);
    expect(scene.requests.map(({ route, routine }) => [route, routine])).toEqual([
      ['/health', true],
      ['/static/docs.css', true],
      ['/docs', false],
      ['/static/none.css', false],
    ]);
  });
});

test('nothing that was said, no token and no header is in any of it', async () => {
  const headers = { ...bearer(scene.tokens.write), 'user-agent': 'agent-of-a-client', cookie: 'cookie-of-a-client' };
  await (await chat({ model: 'demo/echo', ...hello }, headers)).text();
  await chat({ model: 7, ...hello }, headers);
  const told = JSON.stringify(scene.requests);
  for (const text of [
    'a prompt that stays out',
    'You said',
    scene.tokens.write,
    key,
    'agent-of-a-client',
    'cookie-of-a-client',
  ]) {
    expect(told).not.toContain(text);
  }
});
