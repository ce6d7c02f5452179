/** Faults on loopback across three providers with two credentials each: who is asked next, who rests, and how it heals. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { OlaError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Answer, InferenceCall } from '../../../src/gateway/inference/call.ts';
import { directories } from '../../directories.ts';
import { answer, type Behaviour, bytes, type Upstream, upstream } from '../../e2e/upstream.ts';
import { callOver, open, own, requestOf, type Scene } from '../scene.ts';

const directory = directories();
let up: Upstream;
beforeAll(async () => {
  up = await upstream();
});
afterAll(() => up.close());

const ids = ['one', 'two', 'three'] as const;
const environment = { ONE_API_KEY: 'one-env-key-0123', TWO_API_KEY: 'two-env-key-0123', THREE_API_KEY: 'three-env-key-0123' };
/** The next model of each test, so that no test sees the requests of another. */
let number = 0;
let model: string;
beforeEach(() => {
  model = `m${number++}`;
});

/** Three providers on one server: each has a key of the environment and one of its own. The order is one, two, three. */
async function play(path: string, fallback: JsonObject = {}): Promise<Scene> {
  const scene = await open(path, { environment });
  const provider = (id: string) => ({
    baseUrl: up.baseUrl,
    allowLocal: true,
    apiKey: `${id}-own-key-0123`,
    models: [{ id: `${id}-${model}` }],
  });
  const order = { [`one/one-${model}`]: ids.slice(1).map((id) => `${id}/${id}-${model}`) };
  await scene.gateway.documents.replace(
    { providers: Object.fromEntries(ids.map((id) => [id, provider(id)])), providerFallback: { order, ...fallback } },
    null,
    own,
  );
  return scene;
}

const does = (id: (typeof ids)[number], behaviour: Behaviour) => up.modes.set(`${id}-${model}`, behaviour);
const failing = (status: number, headers: Record<string, string> = {}, words: JsonObject = { message: 'no' }) =>
  answer(status, { error: words }, headers);

/** The behaviour by the key that a request has. */
const byKey =
  (rows: Readonly<Record<string, Behaviour>>): Behaviour =>
  (received) =>
    rows[(received.headers.get('authorization') ?? '').slice('Bearer '.length)]?.(received);

async function call({ gateway }: Scene, more: JsonObject = {}, rest: Partial<InferenceCall> = {}): Promise<Answer> {
  const fields = { model: `one/one-${model}`, messages: [{ role: 'user', content: 'hi' }], ...more };
  return gateway.inference.run(callOver(rest), requestOf('/v1/chat/completions', fields));
}
const refused = async (scene: Scene): Promise<OlaError> => (await call(scene).catch((error: unknown) => error)) as OlaError;
/** The requests that each provider had. */
const asked = () => ids.map((id) => up.for(`${id}-${model}`).length);
const answeredBy = ({ headers }: Answer) => [headers['x-ola-provider'], headers['x-ola-attempts'] ?? '1'];

describe('a fault of the first provider', () => {
  const faults: readonly (readonly [string, Behaviour])[] = [
    ['429', failing(429)],
    ['429 with seconds', failing(429, { 'retry-after': '7' })],
    ['429 with a date', failing(429, { 'retry-after': 'Thu, 09 Oct 2025 08:54:00 GMT' })],
    ['402', failing(402)],
    ['401', failing(401)],
    ['500', failing(500)],
    ['503', failing(503)],
    ['529', failing(529)],
    ['an error under 200', answer(200, { error: { message: 'overloaded', code: 503 } })],
    ['no credits, as a 400', failing(400, {}, { message: 'Your credit balance is too low', code: 'insufficient_quota' })],
  ];
  test.each(faults)('%s: each credential is tried, then the next provider, until one answers', async (_, fault) => {
    await using scene = await play(directory());
    does('one', fault);
    expect(answeredBy(await call(scene))).toEqual(['two', '3']);
    expect(asked()).toEqual([2, 1, 0]);
  });

  test('a reset before any answer: the next provider answers', async () => {
    await using scene = await play(directory());
    // On a kept connection the request is sent once more, because the connection may have ended before.
    does('one', bytes('', 'reset'));
    expect((await call(scene)).headers['x-ola-provider']).toBe('two');
  });

  test('goes on to the third provider when the second fails, too', async () => {
    await using scene = await play(directory());
    does('one', failing(500));
    does('two', failing(429));
    expect(answeredBy(await call(scene))).toEqual(['three', '5']);
  });

  test('goes on in a stream whose first event is an error', async () => {
    await using scene = await play(directory());
    does(
      'one',
      bytes(
        'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {"error":{"code":429,"message":"slow down"}}\n\n',
        'end',
      ),
    );
    const answer = await call(scene, { stream: true });
    expect(answeredBy(answer)).toEqual(['two', '3']);
    expect(await new Response(answer.body).text()).not.toContain('error');
  });

  const openings: readonly (readonly [string, string])[] = [
    ['an overload', 'data: {"error":{"code":"server_is_overloaded","message":"busy"}}\n\n'],
    ['a sign of life and the end', ': ping\n\n'],
    [
      'an empty delta and an error',
      'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\ndata: {"error":{"code":500,"message":"no"}}\n\n',
    ],
  ];
  test.each(openings)('goes on in a stream that opens with %s', async (_, opening) => {
    await using scene = await play(directory());
    does('one', bytes(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${opening}`, 'end'));
    const answer = await call(scene, { stream: true });
    expect(answeredBy(answer)).toEqual(['two', '3']);
    const text = await new Response(answer.body).text();
    expect([text.includes('error'), text.split('"role"').length <= 2]).toEqual([false, true]);
  });

  test('ends after as many attempts as the configuration allows', async () => {
    await using scene = await play(directory(), { maxAttempts: 3 });
    for (const id of ids) does(id, failing(500));
    expect(await refused(scene)).toMatchObject({ code: 'upstream_http_error' });
    expect(asked()).toEqual([2, 1, 0]);
  });

  test('ends at once for a status that the configuration leaves out', async () => {
    await using scene = await play(directory(), { retryStatusCodes: [429] });
    does('one', failing(500));
    expect(await refused(scene)).toMatchObject({ code: 'upstream_http_error' });
    expect(asked()).toEqual([1, 0, 0]);
  });
});

describe('a mistake of the client', () => {
  const mistakes: readonly (readonly [string, Behaviour])[] = [
    ['an invalid request', failing(400)],
    ['a context that is too long', failing(400, {}, { message: 'too long', code: 'context_length_exceeded' })],
    ['a model that is not supported', failing(400, {}, { message: 'unsupported', code: 'model_not_supported' })],
    ['a refused content', failing(400, {}, { message: 'filtered', code: 'content_filter' })],
    ['a model that nobody has', failing(404, {}, { message: 'no such model', code: 'model_not_found' })],
  ];
  test.each(mistakes)('openclaw#8434: %s is one call, and no credential cools down', async (_, mistake) => {
    await using scene = await play(directory());
    does('one', mistake);
    await refused(scene);
    expect([asked(), scene.gateway.cooledCredentials.list()]).toEqual([[1, 0, 0], []]);
  });
});

test('a 404 for a model that the provider does not list names the nearest ones, beside the words of the upstream', async () => {
  await using scene = await play(directory());
  up.modes.set(`one-${model}x`, failing(404, {}, { message: 'no such model', code: 'model_not_found' }));
  const request = requestOf('/v1/chat/completions', { model: `one/one-${model}x`, messages: [{ role: 'user', content: 'hi' }] });
  const error = (await scene.gateway.inference.run(callOver(), request).catch((thrown: unknown) => thrown)) as OlaError;
  expect(error.facts.body).toBe('{"error":{"message":"no such model","code":"model_not_found"}}');
  expect(error.facts.headers?.['x-ola-hint']).toBe(
    `The model is not among those that ola knows of 'one'. Did you mean 'one-${model}'?`,
  );
});

test('an account that may not use a model rests for that model alone', async () => {
  await using scene = await play(directory());
  does('one', failing(403, {}, { message: 'Your organization does not have access to model m.' }));
  expect(answeredBy(await call(scene))).toEqual(['two', '3']);
  expect(scene.gateway.cooledCredentials.list().map(({ id, reason }) => [id, reason])).toEqual([
    [`env:ONE_API_KEY one-${model}`, 'entitlement'],
    [`provider-config:one one-${model}`, 'entitlement'],
  ]);
});

describe('a credential that was limited', () => {
  test('is left alone until the time that the upstream named, then tried by one call, then used again', async () => {
    await using scene = await play(directory());
    does('one', byKey({ 'one-env-key-0123': failing(429, { 'retry-after': '60' }), 'one-own-key-0123': answer(200, good) }));
    expect(answeredBy(await call(scene))).toEqual(['one', '2']);
    expect(answeredBy(await call(scene))).toEqual(['one', '1']);
    expect(asked()).toEqual([3, 0, 0]);
    scene.now += 60_000;
    does('one', answer(200, good));
    expect(answeredBy(await call(scene))).toEqual(['one', '1']);
    expect(up.for(`one-${model}`).at(-1)?.headers.get('authorization')).toBe('Bearer one-env-key-0123');
    expect(scene.gateway.cooledCredentials.list()).toEqual([]);
  });

  test('is left alone after a restart, too', async () => {
    const path = directory();
    {
      await using scene = await play(path);
      does('one', failing(429, { 'retry-after': '60' }));
      expect(answeredBy(await call(scene))).toEqual(['two', '3']);
    }
    await using scene = await open(path, { environment });
    expect(answeredBy(await call(scene))).toEqual(['two', '1']);
    scene.now += 61_000;
    does('one', answer(200, good));
    expect(answeredBy(await call(scene))).toEqual(['one', '1']);
  });

  test('is free again when it is another one', async () => {
    await using scene = await play(directory());
    does('one', failing(429, { 'retry-after': '60' }));
    await call(scene);
    const { baseUrl } = up;
    await scene.gateway.providers.put('one', { baseUrl, allowLocal: true, apiKey: 'another-key-0123' }, null, own);
    expect(scene.gateway.cooledCredentials.list().map(({ credential }) => credential)).toEqual(['env:ONE_API_KEY']);
  });
});

test('a key that was replaced while a call ran with it is not what its successor is judged by', async () => {
  await using scene = await open(directory());
  const provider = (apiKey: string) => ({ baseUrl: up.baseUrl, allowLocal: true, apiKey });
  await scene.gateway.providers.put('one', provider('first-key-0123'), null, own);
  let release = () => {};
  const asked = new Promise<void>((resolve) => {
    does('one', (received) => {
      release = () => void failing(429, { 'retry-after': '600' })(received);
      resolve();
    });
  });
  const running = refused(scene);
  await asked;
  await scene.gateway.providers.put('one', provider('second-key-0123'), null, own);
  release();
  expect((await running).status).toBe(429);
  expect(scene.gateway.cooledCredentials.list()).toEqual([]);
  does('one', answer(200, good));
  expect(answeredBy(await call(scene))).toEqual(['one', '1']);
  expect(up.for(`one-${model}`).at(-1)?.headers.get('authorization')).toBe('Bearer second-key-0123');
});

test('when every credential cools down, nothing is sent and the client is told when to come back', async () => {
  await using scene = await play(directory());
  for (const id of ids) does(id, failing(429, { 'retry-after': id === 'two' ? '20' : '60' }));
  expect(await refused(scene)).toMatchObject({ status: 429 });
  expect(asked()).toEqual([2, 2, 2]);
  const error = await refused(scene);
  expect([error.code, error.facts.headers]).toEqual(['all_credentials_cooling_down', { 'retry-after': '20' }]);
  expect(asked()).toEqual([2, 2, 2]);
});

test('a refused key that is the only one is tried each time, so that the client is told what is wrong', async () => {
  await using scene = await open(directory());
  const provider = { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'wrong-key-0123' };
  await scene.gateway.providers.put('one', provider, null, own);
  does('one', failing(401));
  for (let n = 0; n < 3; n++) expect((await refused(scene)).code).toBe('upstream_auth_error');
  expect(asked()).toEqual([3, 0, 0]);
});

test('the only credential rests two seconds after a limit that names no time', async () => {
  await using scene = await open(directory());
  const provider = { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'only-key-0123' };
  await scene.gateway.providers.put('one', provider, null, own);
  does('one', failing(429));
  expect((await refused(scene)).facts.headers).toEqual({ 'retry-after': '2' });
  expect((await refused(scene)).facts.headers).toEqual({ 'retry-after': '2' });
  expect(asked()).toEqual([1, 0, 0]);
  scene.now += 2000;
  does('one', answer(200, good));
  expect(answeredBy(await call(scene))).toEqual(['one', '1']);
});

test('an upstream that fails is taken last for some seconds, and is used when the others fail, too', async () => {
  await using scene = await play(directory());
  does('one', failing(503));
  expect(answeredBy(await call(scene))).toEqual(['two', '3']);
  expect(answeredBy(await call(scene))).toEqual(['two', '1']);
  does('one', answer(200, good));
  does('two', failing(500));
  does('three', failing(500));
  expect(answeredBy(await call(scene))).toEqual(['one', '5']);
  scene.now += 10_000;
  expect(answeredBy(await call(scene))).toEqual(['one', '1']);
});

test('every attempt has the whole body, its own model and its own key, and nothing of a failed answer comes down', async () => {
  await using scene = await play(directory());
  const content = 'picture '.repeat(400_000);
  does('one', failing(500, { 'x-leak': '1' }));
  does('two', failing(429, { 'x-leak': '2' }));
  const got = await call(scene, { messages: [{ role: 'user', content }] });
  expect([...answeredBy(got), 'x-leak' in got.headers]).toEqual(['three', '5', false]);
  const requests = ids.flatMap((id) => up.for(`${id}-${model}`).map((received) => ({ id, received })));
  const digests = requests.map(({ id, received }) =>
    createHash('sha256')
      .update(received.body.replace(`"${id}-${model}"`, '"m"'))
      .digest('hex'),
  );
  expect(new Set(digests).size).toBe(1);
  expect(requests.map(({ received }) => received.headers.get('authorization'))).toEqual(
    ids.flatMap((id) => [`Bearer ${id}-env-key-0123`, `Bearer ${id}-own-key-0123`]).slice(0, 5),
  );
});

test('two models that name each other as fallbacks are each tried once', async () => {
  const one = `one/one-${model}`;
  const two = `two/two-${model}`;
  await using scene = await play(directory(), { order: { [one]: [two, one], [two]: [one] } });
  for (const id of ids) does(id, failing(503));
  await refused(scene);
  expect(asked()).toEqual([2, 2, 0]);
});

test('the row of a call names every attempt, and the price is of the model that answered', async () => {
  await using scene = await play(directory());
  does('one', failing(429));
  await call(scene);
  const [row] = await scene.gateway.usage.recent(1);
  expect(row).toMatchObject({ provider: 'two', model: `two-${model}`, source: 'env:TWO_API_KEY' });
  expect(row?.attempts?.map(({ provider, source, status }) => [provider, source, status])).toEqual([
    ['one', 'env:ONE_API_KEY', 429],
    ['one', 'provider-config', 429],
  ]);
});

const good = { choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }] };
