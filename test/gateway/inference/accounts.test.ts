/** Conversations over interchangeable accounts: real calls to a server on loopback, told apart by the key that comes. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { answer, completion, type Upstream, upstream } from '../../e2e/upstream.ts';
import { callOver, open, own, requestOf, type Scene } from '../scene.ts';

const directory = directories();
let up: Upstream;
beforeAll(async () => {
  up = await upstream();
});
afterAll(() => up.close());

let number = 0;
let model: string;
beforeEach(() => {
  model = `accounts-${number++}`;
});

const names = ['a', 'b', 'c'] as const;
const keyOf = (name: string) => `key-of-account-${name}-0123`;

/** A provider with three accounts that nobody ordered. */
async function play(more: JsonObject = {}): Promise<Scene> {
  const scene = await open(directory());
  const profile = (name: string) => ({ provider: 'acme', type: 'api_key', key: keyOf(name) });
  const authProfiles = Object.fromEntries(names.map((name) => [`acme:${name}`, profile(name)]));
  const providers = { acme: { baseUrl: up.baseUrl, allowLocal: true } };
  await scene.gateway.documents.replace({ providers, authProfiles, ...more }, null, own);
  return scene;
}

async function say(scene: Scene, conversation: string, turn: number, session: string | null = null): Promise<string | undefined> {
  const opening = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: conversation },
  ];
  const turns = Array.from({ length: turn }, (_, n) => ({ role: n % 2 === 0 ? 'assistant' : 'user', content: `turn ${n}` }));
  const request = requestOf('/v1/chat/completions', { model: `acme/${model}`, messages: [...opening, ...turns] });
  const { headers } = await scene.gateway.inference.run(callOver({ session: () => session }), request);
  return headers['x-ola-profile'];
}

const conversations = Array.from({ length: 20 }, (_, n) => `conversation ${n}`);

test('twenty conversations at once keep their accounts, and all accounts have some', async () => {
  await using scene = await play();
  const homes = await Promise.all(conversations.map((each) => say(scene, each, 0)));
  expect(new Set(homes)).toEqual(new Set(names.map((name) => `acme:${name}`)));
  for (let turn = 1; turn <= 4; turn++) {
    expect(await Promise.all(conversations.map((each) => say(scene, each, turn)))).toEqual(homes);
  }
});

test('an account that is limited gives its conversations away for as long as that, and gets them back', async () => {
  await using scene = await play();
  const homes = await Promise.all(conversations.map((each) => say(scene, each, 0)));
  up.modes.set(model, (received) => {
    const isLimited = received.headers.get('authorization') === `Bearer ${keyOf('a')}`;
    const limit = answer(429, { error: { message: 'slow down' } }, { 'retry-after': '30' });
    return (isLimited ? limit : answer(200, completion('Hello')))(received);
  });
  const during = await Promise.all(conversations.map((each) => say(scene, each, 1)));
  expect(during).not.toContain('acme:a');
  expect(during.filter((_, n) => homes[n] !== 'acme:a')).toEqual(homes.filter((home) => home !== 'acme:a'));
  up.modes.delete(model);
  scene.now += 30_000;
  // One call tries the account; when it has answered, all of them return.
  const [probe = ''] = conversations.filter((_, n) => homes[n] === 'acme:a');
  expect(await say(scene, probe, 2)).toBe('acme:a');
  expect(await Promise.all(conversations.map((each) => say(scene, each, 3)))).toEqual(homes);
});

test('a refused account loses its conversations for good', async () => {
  await using scene = await play();
  const homes = await Promise.all(conversations.map((each) => say(scene, each, 0)));
  up.modes.set(model, (received) => {
    const isRefused = received.headers.get('authorization') === `Bearer ${keyOf('b')}`;
    return (isRefused ? answer(401, { error: { message: 'no' } }) : answer(200, completion('Hello')))(received);
  });
  const during = await Promise.all(conversations.map((each) => say(scene, each, 1)));
  up.modes.delete(model);
  scene.now += 600_000;
  expect(await Promise.all(conversations.map((each) => say(scene, each, 2)))).toEqual(during);
  expect(during.filter((_, n) => homes[n] !== 'acme:b')).toEqual(homes.filter((home) => home !== 'acme:b'));
});

describe('the conversation of a request is', () => {
  test('the session that its client names, before its words', async () => {
    await using scene = await play();
    const homes = await Promise.all([0, 1, 2, 3].map((n) => say(scene, `words ${n}`, 0, 'session 1')));
    const [first] = homes;
    expect(homes).toEqual(Array(4).fill(first));
    expect(await Promise.all([0, 1, 2, 3].map((n) => say(scene, `other words ${n}`, 1, 'session 1')))).toEqual(
      Array(4).fill(first),
    );
  });
});

test('an order is an order: the first account has every call', async () => {
  await using scene = await play({ authOrder: { acme: ['acme:c', 'acme:a', 'acme:b'] } });
  expect(new Set(await Promise.all(conversations.map((each) => say(scene, each, 0))))).toEqual(new Set(['acme:c']));
});
