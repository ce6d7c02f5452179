/** Logins that are renewed: real calls over loopback to a provider and to a token endpoint of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { OlaError } from '../../src/core/errors.ts';
import type { GrantStore } from '../../src/core/grants.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { grantId } from '../../src/credentials/grants.ts';
import { createVault, makeKey } from '../../src/credentials/vault.ts';
import { loadGrants } from '../../src/gateway/grants.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
import { directories } from '../directories.ts';
import { completion } from '../e2e/upstream.ts';
import { callOver, open, own, requestOf, type Scene, type SceneOptions, start, variable } from './scene.ts';

const directory = directories();
const hour = 3_600_000;

/** The refresh tokens that came to the token endpoint, and the access tokens that came to the provider. */
let posts: string[] = [];
let forms: URLSearchParams[] = [];
let sent: string[] = [];
let answerPost: (refresh: string) => Response | Promise<Response>;
let answerCall: (access: string) => Response | Promise<Response>;
let server: ReturnType<typeof Bun.serve>;

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => Response.json(body, { status, headers });
const answered = () => json(completion('Hello'));
const refused = () => json({ error: { message: 'no', type: 'invalid_request_error', code: 'invalid_api_key' } }, 401);
const renewed = (n: number, more: JsonObject = {}) => json({ access_token: access(n), expires_in: 3600, ...more });
const access = (n: number) => `CANARY-access-${n}`;
const refresh = (n: number) => `CANARY-refresh-${n}`;

beforeAll(() => {
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (new URL(request.url).pathname === '/token') {
        const form = new URLSearchParams(await request.text());
        forms.push(form);
        posts.push(form.get('refresh_token') ?? '');
        return answerPost(posts.at(-1) ?? '');
      }
      sent.push(request.headers.get('authorization')?.replace('Bearer ', '') ?? '');
      return answerCall(sent.at(-1) ?? '');
    },
  });
});
afterAll(() => server.stop(true));
beforeEach(() => {
  [posts, forms, sent] = [[], [], []];
  answerPost = () => renewed(2);
  answerCall = answered;
});

const at = () => `http://127.0.0.1:${server.port}`;
const id = 'acme:login';
const login = (more: JsonObject = {}): JsonObject => ({
  ...{ provider: 'acme', type: 'oauth', access: access(1), refresh: refresh(1), expires: start - 1 },
  metadata: { tokenUrl: `${at()}/token`, clientId: 'app-1' },
  ...more,
});

async function play(profile: JsonObject = login(), path = directory(), options: SceneOptions = {}): Promise<Scene> {
  const scene = await open(path, options);
  const providers = { acme: { baseUrl: `${at()}/v1`, allowLocal: true } };
  await scene.gateway.documents.replace({ providers, authProfiles: { [id]: profile } }, null, own);
  return scene;
}

async function say({ gateway }: Scene): Promise<string> {
  const request = requestOf('/v1/chat/completions', { model: 'acme/m', messages: [{ role: 'user', content: 'hello' }] });
  const { headers } = await gateway.inference.run(callOver(), request);
  return headers['x-ola-profile'] ?? '';
}

const refusal = (scene: Scene): Promise<OlaError> =>
  say(scene).then(
    () => Promise.reject(new Error('it was answered')),
    (error: OlaError) => error,
  );

const renewal = ({ gateway }: Scene) => gateway.profileState(id).renewal;

test('a token that has ended is renewed before it is used, as the client of the login', async () => {
  await using scene = await play();
  expect(await say(scene)).toBe(id);
  expect([posts, sent]).toEqual([[refresh(1)], [access(2)]]);
  expect(Object.fromEntries(forms[0] ?? [])).toEqual({
    grant_type: 'refresh_token',
    refresh_token: refresh(1),
    client_id: 'app-1',
  });
  expect(gatewayState(scene)).toEqual({ usable: true, state: 'ready', until: start + hour });
});

function gatewayState({ gateway }: Scene) {
  const { usable, renewal } = gateway.profileState(id);
  return { usable, state: renewal?.state, until: renewal?.until };
}

test('C01: an absent or empty refresh token keeps the old one, a given one replaces it, over a restart too', async () => {
  const path = directory();
  const turns: JsonObject[] = [{}, { refresh_token: refresh(2) }, {}, { refresh_token: '' }];
  answerPost = () => renewed(posts.length + 1, { expires_in: 2, ...turns[posts.length - 1] });
  const first = await play(login(), path);
  for (let turn = 0; turn < 3; turn++) {
    first.now = start + turn * 2000;
    await say(first);
  }
  await first[Symbol.asyncDispose]();
  await using second = await open(path);
  second.now = start + 6000;
  await say(second);
  await say(second);
  expect(posts).toEqual([refresh(1), refresh(1), refresh(2), refresh(2)]);
  expect(sent).toEqual([2, 3, 4, 5, 5].map(access));
  expect(renewal(second)).toMatchObject({ state: 'ready', since: null, why: null });
});

test('C02: a sick token endpoint is no dead login; invalid_grant is, and is asked no more', async () => {
  await using scene = await play(login({ expires: start + 200_000 }));
  const sick = [
    () => json({ error: 'server_error' }, 503),
    () => json({}, 429, { 'retry-after': '15' }),
    () => new Response('<html>CANARY-page</html>', { headers: { 'content-type': 'text/html' } }),
    () => json({ error: 'temporarily_unavailable' }, 400),
  ];
  const pauses = [5_000, 15_000, 20_000, 40_000];
  for (const [index, answer] of sick.entries()) {
    answerPost = answer;
    expect(await say(scene)).toBe(id);
    expect(await say(scene)).toBe(id);
    expect(posts).toHaveLength(index + 1);
    expect(renewal(scene)).toMatchObject({ state: 'failing', since: start, until: start + 200_000 });
    expect(renewal(scene)?.why).toMatch(/^its token endpoint answered HTTP \d+/);
    scene.now += (pauses[index] ?? 0) - 1;
    expect(await say(scene)).toBe(id);
    expect(posts).toHaveLength(index + 1);
    scene.now += 1;
  }
  expect(new Set(sent)).toEqual(new Set([access(1)]));
  answerPost = () => json({ error: 'invalid_grant' }, 400);
  await say(scene);
  expect(posts).toHaveLength(5);
  expect(scene.gateway.profileState(id)).toMatchObject({
    usable: false,
    reason: 'needs_login',
    renewal: { state: 'needs_login' },
  });
  for (let n = 0; n < 3; n++) {
    scene.now += hour;
    expect((await refusal(scene)).message).toContain('acme');
  }
  expect(posts).toHaveLength(5);
});

test('C02: a dead login is dead over a restart, until it gets another refresh token', async () => {
  const path = directory();
  answerPost = () => json({ error: 'invalid_grant' }, 400);
  const first = await play(login(), path);
  expect(await refusal(first)).toMatchObject({ code: 'upstream_unreachable', message: expect.stringContaining('Sign in again') });
  await first[Symbol.asyncDispose]();
  await using second = await open(path);
  expect(second.gateway.profileState(id)).toMatchObject({ usable: false, reason: 'needs_login' });
  answerPost = () => renewed(9);
  await second.gateway.authProfiles.put(id, login({ refresh: refresh(7) }), null, own);
  expect(await say(second)).toBe(id);
  expect([posts, sent]).toEqual([[refresh(1), refresh(7)], [access(9)]]);
});

describe('C03: twenty requests renew at most once', () => {
  const jwt = `e30.${Buffer.from(JSON.stringify({ exp: (start + hour) / 1000 })).toString('base64url')}.c2ln`;
  test.each<[what: string, answer: JsonObject, until: number | null]>([
    ['a text', { expires_in: '3600' }, start + hour],
    ['absent, of a JWT', { access_token: jwt, expires_in: null }, start + hour],
    ['absent', { expires_in: null }, null],
    ['0', { expires_in: 0 }, null],
    ['-5', { expires_in: -5 }, null],
    ['milliseconds', { expires_in: 3_600_000 }, start + 24 * hour],
  ])('after an answer with %s', async (_what, answer, until) => {
    await using scene = await play();
    answerPost = () => renewed(2, answer);
    for (let n = 0; n < 20; n++) await say(scene);
    expect(posts).toHaveLength(1);
    expect(renewal(scene)?.until).toBe(until);
  });

  test.each<[what: string, expires: number, renewals: number]>([
    ['seconds ahead', (start + hour) / 1000, 0],
    ['milliseconds ahead', start + hour, 0],
    ['seconds behind', start / 1000 - 1, 1],
    ['nothing', 0, 0],
  ])('of an entered end in %s', async (_what, expires, renewals) => {
    await using scene = await play(login({ expires }));
    for (let n = 0; n < 20; n++) await say(scene);
    expect(posts).toHaveLength(renewals);
  });

  test('an absurd life is said in the log', async () => {
    await using scene = await play();
    answerPost = () => renewed(2, { expires_in: 3_600_000 });
    await say(scene);
    expect(scene.log.map(({ message }) => message)).toContainEqual(expect.stringContaining('more than a day'));
  });
});

test('twenty requests at once cause one renewal', async () => {
  await using scene = await play();
  await Promise.all(Array.from({ length: 20 }, () => say(scene)));
  expect(posts).toEqual([refresh(1)]);
  expect(sent).toEqual(Array.from({ length: 20 }, () => access(2)));
});

test('two processes over one database renew once: the other uses what the first one stored', async () => {
  const path = directory();
  await using first = await play(login(), path);
  await using second = await open(path);
  // The first one waits for its answer until the other one has met its lease.
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
  const { promise: mayAnswer, resolve: answerNow } = Promise.withResolvers<void>();
  answerPost = async () => {
    asked();
    await mayAnswer;
    return renewed(posts.length + 1, { refresh_token: refresh(2) });
  };
  const one = say(first);
  await isAsked;
  const lease = second.store.grants.lease.bind(second.store.grants);
  const met = Promise.withResolvers<void>();
  Object.assign(second.store.grants, {
    async lease(wanted: Parameters<typeof lease>[0]) {
      const outcome = await lease(wanted);
      if (!outcome.taken) met.resolve();
      return outcome;
    },
  });
  const two = say(second);
  await met.promise;
  answerNow();
  expect(await Promise.all([one, two])).toEqual([id, id]);
  expect(posts).toEqual([refresh(1)]);
  expect(sent).toEqual([access(2), access(2)]);
  second.now += hour;
  await say(second);
  first.now += hour;
  await say(first);
  expect(posts).toEqual([refresh(1), refresh(2)]);
});

test('the rotated refresh token is on the disk before the access token is used: a kill then loses nothing', async () => {
  const path = directory();
  answerPost = () => renewed(posts.length + 1, { refresh_token: refresh(posts.length + 1) });
  const stored: number[] = [];
  answerCall = async () => {
    const database = openSqlite(join(path, 'state.sqlite3'));
    stored.push(Number(database.prepare('SELECT count(envelope) AS rows FROM oauth_grants').get()?.['rows']));
    database.close();
    return answered();
  };
  // The first process is not ended: its connection stays open, and nothing is flushed.
  const killed = await play(login(), path);
  await say(killed);
  expect(stored).toEqual([1]);
  await using next = await open(path);
  next.now += hour;
  await say(next);
  expect(posts).toEqual([refresh(1), refresh(2)]);
  killed.store.close();
});

describe('a token that the provider refuses', () => {
  test('is renewed once, and the same attempt made again', async () => {
    await using scene = await play(login({ expires: start + hour }));
    answerCall = (token) => (token === access(1) ? refused() : answered());
    expect(await say(scene)).toBe(id);
    expect([posts, sent]).toEqual([[refresh(1)], [access(1), access(2)]]);
  });

  test('though it was said to last longer gives way to the renewed one, over a restart too', async () => {
    const path = directory();
    const first = await play(login({ expires: start + 10 * hour }), path);
    answerCall = (token) => (token === access(1) ? refused() : answered());
    await say(first);
    await first[Symbol.asyncDispose]();
    await using second = await open(path);
    expect(await say(second)).toBe(id);
    expect([posts, sent]).toEqual([[refresh(1)], [1, 2, 2].map(access)]);
  });

  test('by twenty requests at once is renewed once', async () => {
    await using scene = await play(login({ expires: start + hour }));
    answerCall = (token) => (token === access(1) ? refused() : answered());
    await Promise.all(Array.from({ length: 20 }, () => say(scene)));
    expect(posts).toEqual([refresh(1)]);
    expect(sent.filter((token) => token === access(2))).toHaveLength(20);
  });

  test('right after it was renewed is not renewed again', async () => {
    await using scene = await play(login({ expires: start + hour }));
    answerCall = refused;
    answerPost = () => renewed(posts.length + 1);
    for (let n = 0; n < 5; n++) expect((await refusal(scene)).code).toBe('upstream_auth_error');
    expect(posts).toHaveLength(1);
    scene.now += 60_000;
    await refusal(scene);
    expect(posts).toHaveLength(2);
  });

  test('after another request has renewed it is not renewed again: the new one is sent', async () => {
    await using scene = await play(login({ expires: start + hour }));
    const late = Promise.withResolvers<void>();
    const hasCome = Promise.withResolvers<void>();
    answerCall = async (token) => {
      if (token !== access(1)) return answered();
      if (sent.length > 1) return refused();
      hasCome.resolve();
      await late.promise;
      return refused();
    };
    const first = say(scene);
    await hasCome.promise;
    await say(scene);
    late.resolve();
    expect(await first).toBe(id);
    expect(posts).toEqual([refresh(1)]);
    expect(sent).toEqual([1, 1, 2, 2].map(access));
  });

  test('is renewed once in a call, however long the provider takes to refuse it', async () => {
    await using scene = await play(login({ expires: start + hour }));
    answerPost = () => renewed(posts.length + 1);
    answerCall = () => {
      scene.now += 61_000;
      return refused();
    };
    expect((await refusal(scene)).code).toBe('upstream_auth_error');
    expect([posts.length, sent]).toEqual([1, [1, 2].map(access)]);
  });

  test('for another reason than itself is not renewed', async () => {
    await using scene = await play(login({ expires: start + hour }));
    answerCall = () => json({ error: { message: 'slow' } }, 429);
    await refusal(scene);
    expect(posts).toEqual([]);
  });
});

test('after no answer the refresh token is not sent again before the lease ends; the old access token serves', async () => {
  await using scene = await play(login({ expires: start + 200_000 }));
  const broken = hangsUp();
  const metadata = { tokenUrl: `http://127.0.0.1:${broken.port}/token` };
  await scene.gateway.authProfiles.put(id, login({ expires: start + 200_000, metadata }), null, own);
  for (let n = 0; n < 3; n++) expect(await say(scene)).toBe(id);
  expect(broken.posts()).toBe(1);
  expect(renewal(scene)).toMatchObject({ state: 'unknown', since: start, until: start + 200_000 });
  scene.now += 60_000;
  expect(await say(scene)).toBe(id);
  expect(broken.posts()).toBe(2);
  expect(new Set(sent)).toEqual(new Set([access(1)]));
  broken.stop();
});

/** Takes a request, and ends the connection without an answer. */
function hangsUp() {
  let count = 0;
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        count++;
        socket.terminate();
      },
    },
  });
  return { port: listener.port, posts: () => count, stop: () => listener.stop(true) };
}

test('a stop waits for the answer of a token endpoint, and the next start has the rotated token', async () => {
  const path = directory();
  const first = await play(login(), path);
  const asked = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  answerPost = async () => {
    asked.resolve();
    await mayAnswer.promise;
    return renewed(posts.length + 1, { refresh_token: refresh(2) });
  };
  const call = say(first).catch(() => null);
  await asked.promise;
  const stopped = first[Symbol.asyncDispose]();
  mayAnswer.resolve();
  await Promise.all([stopped, call]);
  await using second = await open(path);
  second.now += hour;
  await say(second);
  expect(posts).toEqual([refresh(1), refresh(2)]);
});

test('without a valid token the next credential is tried, and no endpoint is asked in vain', async () => {
  await using scene = await play();
  answerPost = () => json({}, 503);
  const key = { provider: 'acme', type: 'api_key', key: 'CANARY-key' };
  await scene.gateway.authProfiles.put('acme:key', key, null, own);
  expect(await say(scene)).toBe('acme:key');
  expect(await say(scene)).toBe('acme:key');
  expect([posts, sent]).toEqual([[refresh(1)], ['CANARY-key', 'CANARY-key']]);
});

test('no token is in a log, an answer, a revision or the disk', async () => {
  const path = directory();
  await using scene = await play(login(), path);
  answerPost = () => renewed(2, { expires_in: 400, refresh_token: refresh(2) });
  await say(scene);
  scene.now += 500_000;
  answerPost = () => json({ error: 'CANARY-error', error_description: refresh(2) }, 400);
  const error = await refusal(scene);
  await scene.gateway.usage.flush();
  const revisions = await scene.store.config.revisions({ file: null, limit: 9 });
  const documents = await Promise.all(revisions.map(({ number }) => scene.store.config.revision(number)));
  const shown = JSON.stringify([
    ...[error.message, error.facts, scene.log, documents, scene.gateway.authProfiles.list(), scene.gateway.profileState(id)],
    ...[await scene.store.usage.recent(9), await scene.store.audit.list({ limit: 99 }), await scene.store.grants.list()],
  ]);
  expect(shown).not.toContain('CANARY');
  expect(scene.onDisk()).not.toContain('CANARY');
  scene.now += hour;
  answerPost = () => json({ error: 'invalid_grant' }, 400);
  await refusal(scene);
  expect(scene.gateway.profileState(id).reason).toBe('needs_login');
  expect(scene.gateway.redact(`${access(2)} ${refresh(2)} ${refresh(1)}`)).not.toContain('CANARY');
});

test('a rotation of the master key seals renewed tokens anew', async () => {
  const path = directory();
  const first = await play(login(), path);
  answerPost = () => renewed(posts.length + 1, { refresh_token: refresh(posts.length + 1) });
  await say(first);
  const before = await first.store.grants.list();
  const rotation = await first.gateway.keys.rotate(own);
  const [after] = await first.store.grants.list();
  expect(after?.envelope).toStartWith(`v1.${rotation.keyId}.`);
  expect(after?.envelope).not.toBe(before[0]?.envelope);
  expect(rotation.damaged).toEqual([]);
  await first[Symbol.asyncDispose]();
  await using second = await open(path);
  second.now += hour;
  await say(second);
  expect(posts).toEqual([refresh(1), refresh(2)]);
});

describe('a refresh token', () => {
  test('that stays in its profile goes to no other token endpoint', async () => {
    await using scene = await play(login(), directory());
    const elsewhere = { metadata: { tokenUrl: 'https://elsewhere.example/token' } };
    const kept = { provider: 'acme', type: 'oauth' };
    const put = (body: JsonObject) => scene.gateway.authProfiles.put(id, body, null, own);
    await expect(put({ ...kept, ...elsewhere })).rejects.toMatchObject({ code: 'secret_required', facts: { param: 'refresh' } });
    await put({ ...kept, email: 'a@example.com', metadata: { tokenUrl: `${at()}/token` } });
    await put({ ...kept, ...elsewhere, refresh: refresh(2) });
  });

  test('from a variable goes to no token endpoint that a profile names', async () => {
    const environment = { OPENAI_API_KEY: 'CANARY-of-the-host' };
    await using scene = await open(directory(), { environment });
    const profile = { provider: 'openai', type: 'oauth', refresh: variable('OPENAI_API_KEY') };
    const metadata = { tokenUrl: 'https://elsewhere.example/token' };
    await scene.gateway.authProfiles.put('openai:login', { ...profile, metadata }, null, own);
    expect(scene.gateway.profileState('openai:login')).toMatchObject({ usable: false, reason: 'origin_mismatch' });
  });
});

/** Grants over a store of their own, with a token endpoint that answers at once. */
async function alone(change: (store: GrantStore) => Partial<GrantStore>) {
  const store = openStore({ database: openSqlite(join(directory(), 's.sqlite3')), now: () => start, backUp: () => undefined });
  const scene = { now: start, asked: 0, looks: 0, log: [] as string[], store: store.grants };
  const grants = await loadGrants({
    store: { ...store.grants, ...change(store.grants) },
    profiles: [id],
    vault: createVault([makeKey()]),
    egress: () => ({
      async send() {
        scene.asked++;
        const bytes = [new TextEncoder().encode(JSON.stringify({ access_token: access(2), refresh_token: refresh(2) }))];
        return { status: 200, header: () => null, headers: () => [], read: () => bytes.shift() ?? null, cancel: () => undefined };
      },
    }),
    owner: 'one',
    userAgent: 'ola/0',
    now: () => scene.now,
    async pause() {
      scene.looks++;
    },
    log: { log: (_level, message) => void scene.log.push(message) },
  });
  const enter = (token: string | null, expiresAt: number | null) =>
    grants.open({
      ...{ profile: id, access: token, refresh: refresh(1), expiresAt },
      endpoint: { tokenUrl: 'https://auth.example/token', clientId: null, style: 'form' },
      destination: { name: 'acme', baseUrl: 'https://api.example', allowLocal: false },
    });
  return Object.assign(scene, { enter, [Symbol.dispose]: () => store.close() });
}

test('tokens that the disk did not take are stored before they are used, without asking again', async () => {
  let isFull = true;
  using scene = await alone(({ save }) => ({
    async save(grant) {
      if (isFull) throw new Error('the disk is full');
      return save(grant);
    },
  }));
  const grant = scene.enter(null, null);
  await expect(Promise.resolve(grant.access(scene.now))).rejects.toMatchObject({ code: 'upstream_unreachable' });
  expect(scene.log).toEqual([expect.stringContaining('the store failed')]);
  isFull = false;
  scene.now += 1000;
  expect(await grant.access(scene.now)).toBe(access(2));
  expect(scene.asked).toBe(1);
  expect((await scene.store.list()).map(({ version, envelope }) => [version, envelope === null])).toEqual([[1, false]]);
});

test('the lease of a process that died is waited for once, then its end is; the old token serves meanwhile', async () => {
  using scene = await alone(() => ({}));
  const wanted = { id: grantId(id, refresh(1)), profile: id, version: 0 };
  await scene.store.lease({ ...wanted, owner: 'dead', now: start, until: start + 60_000 });
  const grant = scene.enter(access(1), start + 90_000);
  expect(await grant.access(scene.now)).toBe(access(1));
  const { looks } = scene;
  expect(looks).toBeGreaterThan(100);
  expect(grant.access(scene.now)).toBe(access(1));
  expect([scene.looks, scene.asked]).toEqual([looks, 0]);
  scene.now += 60_000;
  expect(await grant.access(scene.now)).toBe(access(2));
  expect([scene.looks, scene.asked]).toEqual([looks, 1]);
});
