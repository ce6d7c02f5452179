/** `/config/usage` and `/me/usage`: what they count, over which period, and for whom. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { noTokenCounts, type UsageRow } from '../../../src/core/usage.ts';
import { usageRow } from '../../contract/store.ts';
import { directories } from '../../directories.ts';
import { own } from '../../gateway/scene.ts';
import { type AppScene, open } from '../scene.ts';

const hour = 3_600_000;
const day = 24 * hour;
const directory = directories();
let scene: AppScene;
beforeEach(async () => {
  scene = await open(directory());
  // 10:30 of a day of UTC.
  scene.now = Date.parse('2026-11-21T10:30:00Z');
});
afterEach(() => scene[Symbol.asyncDispose]());

const ask = (path: string, token = scene.tokens.admin) =>
  scene.ask('GET', path, { headers: { authorization: `Bearer ${token}` } });
type Item = Readonly<Record<string, unknown>>;
const get = async (path: string, token?: string): Promise<Item> => (await (await ask(path, token)).json()) as Item;
const list = async (path: string) => (await get(path)) as unknown as readonly Item[];
const record = (ago: number, more: Partial<UsageRow> = {}) =>
  scene.gateway.usage.record(usageRow('req_1', scene.now - ago, { ...more }));
const counted = (prompt: number, completion: number) => ({ ...noTokenCounts, prompt, completion });

describe('the summary', () => {
  test('adds up requests, tokens, errors, cost and latency, waiting rows too', async () => {
    record(0, { tokens: counted(10, 5), costMicros: 1_500_000, latencyMs: 100 });
    record(hour, { tokens: counted(1, 2), costMicros: 250_000, latencyMs: 300 });
    record(hour, { error: 'provider_error', status: 502, tokens: noTokenCounts, costMicros: null, latencyMs: 50 });
    expect(await get('/config/usage/summary?days=7')).toEqual({
      days: 7,
      from: '2026-11-15T00:00:00.000Z',
      requests: 3,
      errors: 1,
      prompt_tokens: 11,
      completion_tokens: 7,
      total_tokens: 18,
      total_cost: 1.75,
      unpriced_requests: 1,
      avg_latency_ms: 150,
    });
  });

  test('says that no price is known, and nothing of no requests', async () => {
    expect(await get('/config/usage/summary')).toMatchObject({ days: 30, requests: 0, total_cost: null, avg_latency_ms: 0 });
    record(0, { costMicros: null });
    expect(await get('/config/usage/summary')).toMatchObject({ requests: 1, total_cost: null, unpriced_requests: 1 });
  });
});

describe('the period', () => {
  const requests = async (query: string) => (await get(`/config/usage/summary?${query}`))['requests'];

  test('of one day is the last 24 hours, of several the days of UTC with today', async () => {
    for (const ago of [0, 23 * hour, 24 * hour, day + 11 * hour, 6 * day + 11 * hour]) record(ago);
    expect(await Promise.all([1, 2, 6, 7, 8].map((days) => requests(`days=${days}`)))).toEqual([2, 3, 4, 4, 5]);
  });

  test('may begin at the hour of a time', async () => {
    for (const ago of [0, 2 * hour, 3 * hour]) record(ago);
    expect(await requests('since=2026-11-21T08:59:59Z')).toBe(2);
    expect(await requests('since=2026-11-21T09:00:00%2B01:00')).toBe(2);
    expect(await requests('since=2026-11-21')).toBe(3);
    expect(await requests('since=2026-11-22')).toBe(0);
  });

  test('out of range becomes the nearest in range, and the answer says so', async () => {
    const answers = ['days=0', 'days=9999', 'days=30'].map((query) => ask(`/config/usage/summary?${query}`));
    expect((await Promise.all(answers)).map(({ headers }) => headers.get('x-ola-clamped'))).toEqual(['days=1', 'days=365', null]);
    const both = await ask('/config/usage/overview?days=400&recent_limit=501');
    expect(both.headers.get('x-ola-clamped')).toBe('days=365, recent_limit=500');
  });

  test.each(['days=x', 'days=1.5', 'days=', 'limit=x', 'since=tomorrow', 'since=2027-13-01', 'since=21', 'since=1960-01-01'])(
    '%p is refused by the name of the parameter',
    async (query) => {
      const response = await ask(`/config/usage/models?${query}`);
      expect([response.status, await response.json()]).toMatchObject([
        422,
        { error: { code: 'invalid_field', param: query.split('=')[0] } },
      ]);
    },
  );
});

describe('the chart', () => {
  test('of days has a label for each, empty ones too', async () => {
    record(0, { tokens: counted(10, 5), costMicros: 500_000, latencyMs: 40 });
    record(2 * day);
    const chart = await get('/config/usage/chart?days=3');
    expect(chart).toEqual({
      labels: ['2026-11-19', '2026-11-20', '2026-11-21'],
      requests: [1, 0, 1],
      tokens: [12, 0, 15],
      cost: [0.000042, 0, 0.5],
      latency: [9, 0, 40],
    });
  });

  test('of a short period has a label for each hour', async () => {
    record(hour);
    const { labels, requests } = (await get('/config/usage/chart?days=1')) as {
      readonly labels: readonly string[];
      readonly requests: readonly number[];
    };
    expect([labels.length, labels[0], labels.at(-1)]).toEqual([24, '2026-11-20T11:00Z', '2026-11-21T10:00Z']);
    expect(requests.slice(-3)).toEqual([0, 1, 0]);
  });

  test('of days that begins in the middle of one begins at that day', async () => {
    const { labels } = await get('/config/usage/chart?since=2026-11-18T20:00:00Z');
    expect(labels).toEqual(['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21']);
  });
});

describe('a breakdown', () => {
  test('has the value with the most requests first, and those without one too', async () => {
    for (const provider of ['groq', 'openai', 'groq', null]) record(0, { provider, tokens: counted(1, 1) });
    const found = await list('/config/usage/providers');
    expect(found.map(({ provider, requests, total_tokens }) => [provider, requests, total_tokens])).toEqual([
      ['groq', 2, 4],
      ['openai', 1, 2],
      [null, 1, 2],
    ]);
    expect(await get('/config/usage/providers?limit=1')).toHaveLength(1);
  });

  test('by model keeps models of one name apart when their providers differ', async () => {
    for (const provider of ['a', 'b', 'a']) record(0, { provider, model: 'm' });
    const found = await list('/config/usage/models');
    expect(found.map(({ model, provider, requests }) => [model, provider, requests])).toEqual([
      ['m', 'a', 2],
      ['m', 'b', 1],
    ]);
  });

  test.each([
    ['endpoints', 'endpoint', '/v1/embeddings'],
    ['sources', 'source', 'env:X'],
    ['profiles', 'profile', 'p:1'],
    ['projects', 'project', 'site'],
  ])('exists by %p', async (name, field, value) => {
    record(0, { [field]: value });
    expect(await list(`/config/usage/${name}`)).toEqual([expect.objectContaining({ [field]: value, requests: 1 })]);
  });

  test('by token tells its name, also when it has been revoked, and the subject of a caller without one', async () => {
    const { view } = await scene.gateway.tokens.create({ name: 'editor', expiresAt: null }, own);
    record(0, { tokenId: view.id, subject: view.id });
    record(0, { tokenId: view.id, subject: view.id });
    record(0, { tokenId: null, subject: 'legacy-admin' });
    await scene.gateway.tokens.revoke(view.id, own);
    expect(await list('/config/usage/tokens')).toEqual([
      expect.objectContaining({ token: view.id, name: 'editor', requests: 2 }),
      expect.objectContaining({ token: 'legacy-admin', name: null, requests: 1 }),
    ]);
  });
});

test('recent requests come newest first, without anything that was said in them', async () => {
  const attempt = { provider: 'a', model: 'm', source: 'none', status: 500, error: 'x', milliseconds: 3 };
  record(1000, { requestId: 'older' });
  record(0, { requestId: 'newer', attempts: [attempt], error: 'provider_error', status: 502 });
  const recent = await list('/config/usage/recent?limit=2');
  expect(recent.map(({ request_id, failed_attempts, status }) => [request_id, failed_attempts, status])).toEqual([
    ['newer', 1, 502],
    ['older', 0, 200],
  ]);
  expect(Object.keys(recent[0] ?? {})).not.toContain('attempts');
});

test('the telemetry of providers is over seven days, with the share of errors', async () => {
  record(0, { provider: 'a' });
  record(0, { provider: 'a', error: 'provider_error' });
  record(0, { provider: null, error: 'model_not_found' });
  record(8 * day, { provider: 'old' });
  expect(await get('/config/usage/provider-telemetry')).toMatchObject({
    days: 7,
    providers: [{ provider: 'a', requests: 2, error_rate: 0.5 }],
  });
});

test('the overview has it all, from one period', async () => {
  record(0, { project: 'site' });
  const overview = await get('/config/usage/overview?days=2&recent_limit=1');
  expect(Object.keys(overview)).toEqual(
    'days summary chart providers models endpoints sources profiles projects tokens recent latest_provider_meta'.split(' '),
  );
  for (const list of ['providers', 'models', 'endpoints', 'sources', 'profiles', 'projects', 'tokens', 'recent']) {
    expect([list, overview[list]]).toEqual([list, [expect.any(Object)]]);
  }
  expect(overview['latest_provider_meta']).toMatchObject({ provider: 'openai', model: 'gpt-5', status: 200 });
});

test('a caller with whichever scope sees its own use and nothing of others', async () => {
  const ids = Object.fromEntries(scene.gateway.tokens.list().map(({ name, id }) => [name, id]));
  for (const name of ['read', 'read', 'write', 'admin']) {
    const id = ids[name] ?? '';
    record(0, { tokenId: id, subject: id, model: `of ${name}` });
  }
  for (const [name, requests] of [
    ['read', 2],
    ['write', 1],
    ['admin', 1],
  ] as const) {
    expect(await get('/me/usage?days=1', scene.tokens[name])).toMatchObject({
      days: 1,
      summary: { requests },
      models: [{ model: `of ${name}`, requests }],
    });
  }
});
