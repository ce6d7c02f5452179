/** `/config/explain` and `/config/requests` over HTTP. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { answer, type Upstream, upstream } from '../../e2e/upstream.ts';
import { type AppScene, open } from '../scene.ts';

const directory = directories();
let up: Upstream;
let scene: AppScene;
beforeAll(async () => {
  up = await upstream();
  scene = await open(directory(), { environment: { ACME_API_KEY: 'env-key-0123456789' } });
  const provider = { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'own-key-0123456789' };
  await send('PUT', '/config/providers/acme', provider);
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await up.close();
});

async function send(method: string, path: string, body?: JsonObject, scope: 'admin' | 'write' = 'admin') {
  const response = await scene.ask(method, path, {
    headers: {
      authorization: `Bearer ${scene.tokens[scope]}`,
      'content-type': 'application/json',
      'x-request-id': 'req-of-the-client',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as JsonObject };
}
const chat = (model: string) => send('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'x' }] });

test('a model is explained without a call and without a secret', async () => {
  const { body } = await send('GET', '/config/explain?model=acme/m');
  expect(body).toMatchObject({ model: 'acme/m', provider: 'acme', upstreamModel: 'm', mostAttempts: 6, error: null });
  expect((body['attempts'] as unknown as JsonObject[]).map(({ credential }) => credential)).toEqual(['provider-config:acme']);
  expect(body['passed']).toEqual([
    { provider: 'acme', credential: 'env:ACME_API_KEY', reason: 'origin_mismatch', why: expect.any(String) as string },
  ]);
  expect([up.received.length, JSON.stringify(body).includes('key-0123456789')]).toEqual([0, false]);
});

test('an operation that there is not is refused', async () => {
  expect((await send('GET', '/config/explain?model=acme/m&operation=paint')).status).toBe(422);
});

test('a request is explained by its id: attempts that failed, and the error that the client was told of', async () => {
  up.modes.set('broken', answer(503, { error: { message: 'no' } }));
  await chat('acme/broken');
  const { status, body } = await send('GET', '/config/requests/req-of-the-client');
  expect([status, (body['request'] as JsonObject)['status']]).toEqual([200, 503]);
  expect(body['attempts']).toEqual([
    {
      provider: 'acme',
      model: 'broken',
      credential: 'provider-config:acme',
      status: 503,
      error: 'upstream_http_error',
      milliseconds: 0,
    },
  ]);
});

test('of two requests with one id the newer is explained; its attempt answered', async () => {
  scene.now += 20_000;
  await chat('acme/good');
  const { body } = await send('GET', '/config/requests/req-of-the-client');
  expect(body['attempts']).toEqual([
    { provider: 'acme', model: 'good', credential: 'provider-config:acme', status: 200, error: null, milliseconds: null },
  ]);
  expect(body['now']).toEqual((await send('GET', '/config/explain?model=acme/good')).body);
});

test('requests are listed page by page, the newest first', async () => {
  const pages: unknown[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const { body } = await send('GET', `/config/requests?limit=1${after === '' ? '' : `&after=${after}`}`);
    pages.push(...(body['data'] as unknown as JsonObject[]).map(({ requested, status }) => [requested, status]));
    after = body['nextCursor'] as string | null;
    expect(body['hasMore']).toBe(after !== null);
  }
  expect(pages).toEqual([
    ['acme/good', 200],
    ['acme/broken', 503],
  ]);
});

test('an id that nobody used is not found, and only administrators may ask', async () => {
  expect((await send('GET', '/config/requests/nobody')).status).toBe(404);
  for (const path of ['/config/requests/x', '/config/explain'])
    expect((await send('GET', path, undefined, 'write')).status).toBe(403);
});
