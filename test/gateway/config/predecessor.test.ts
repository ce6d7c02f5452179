import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createCatalog } from '../../../src/catalog/lookup.ts';
import type { SqlRow } from '../../../src/core/ports.ts';
import { readPredecessorDocument, taskActions, taskOwners, usageRows } from '../../../src/gateway/config/predecessor.ts';
import type { ReadContext } from '../../../src/gateway/config/read-document.ts';

const catalog = createCatalog(['openai-completions']);
const facts: ReadContext = { mode: 'database', catalog, environment: { GROQ_API_KEY: 'set' }, everyProviderLocal: false };
const read = (value: unknown) => readPredecessorDocument(JSON.stringify(value), facts);
const { canonicalId } = catalog;

describe('a configuration', () => {
  test('loses its nulls without a word, and what was about the original program alone with a warning', () => {
    const { document, warnings, database } = read({
      authProfiles: null,
      defaultModel: 'openai/gpt-4o-mini',
      durableState: { dbPath: '/srv/state.sqlite3', failClosed: null },
      activeProviderIds: ['openai-codex'],
    });
    expect(document).toEqual({ defaultModel: 'openai/gpt-4o-mini', durableState: {} });
    expect(warnings.map(({ path }) => path)).toEqual(['activeProviderIds', 'durableState.dbPath']);
    expect(database).toBe('/srv/state.sqlite3');
  });

  test('is read in snake case too', () => {
    const { document, database } = read({
      default_model: 'm',
      durable_state: { db_path: '/a' },
      active_provider_ids: ['openai-codex'],
    });
    expect(document).toEqual({ defaultModel: 'm', durableState: {} });
    expect(database).toBe('/a');
  });

  test('keeps any other list of active providers', () => {
    for (const activeProviderIds of [[], ['openai'], ['openai-codex', 'openai']]) {
      expect(read({ activeProviderIds }).document['activeProviderIds']).toEqual(activeProviderIds);
    }
  });

  test('keeps references to variables, and gives access tokens as hashes', () => {
    const { document, tokens } = read({
      providers: {
        groq: { apiKey: 'GROQ_API_KEY' },
        deepseek: { apiKey: `\${DEEPSEEK_API_KEY}` },
        xai: { apiKey: 'NOT_SET_HERE' },
      },
      authorization: {
        tokens: { ci: { id: null, token: 'fake-token-of-the-ci-0123456789012', scopes: ['read'], admin: false } },
      },
    });
    expect(document).toEqual({
      providers: {
        groq: { apiKey: `\${GROQ_API_KEY}` },
        deepseek: { apiKey: `\${DEEPSEEK_API_KEY}` },
        xai: { apiKey: 'NOT_SET_HERE' },
      },
    });
    expect(tokens.map(({ id, scopes }) => ({ id, scopes }))).toEqual([{ id: 'ci', scopes: ['read'] }]);
    expect(JSON.stringify(tokens)).not.toContain('fake-token');
  });

  test('that is no JSON, no object or does not fit is refused without a word of its own', () => {
    for (const [text, code] of [
      ['{"serverToken": "sk-fake-secret"', 'invalid_json'],
      ['["sk-fake-secret"]', 'invalid_field'],
      ['{"serverToken": {"value": "sk-fake-secret"}}', 'invalid_field'],
      ['{"serverToken": "[REDACTED]"}', 'invalid_field'],
    ] as const) {
      try {
        readPredecessorDocument(text, facts);
        expect.unreachable();
      } catch (thrown) {
        expect(thrown).toMatchObject({ code });
        expect(String(thrown)).not.toContain('sk-fake-secret');
      }
    }
  });
});

test('owners keep their subjects; a row without an owner is counted', () => {
  const row = { provider_id: 'agent_bridge', task_id: 't1', owner_subject: 'ci', created_by_subject: null, created_at_ms: 5 };
  expect(taskOwners([row, { ...row, owner_subject: null }], canonicalId)).toEqual({
    rows: [{ provider: canonicalId('agent_bridge'), taskId: 't1', owner: 'ci', createdBy: 'ci', createdAt: 5 }],
    unusable: 1,
  });
});

test('actions have an outcome of ola, and keep in words what it cannot say', () => {
  const row = { provider_id: 'p', task_id: 't', action: 'create', subject: 's', idempotency_key: null, created_at_ms: 5 };
  const outcomes = ([outcome, status_code, details_json]: readonly [string, number | null, string | null]) => {
    const [action] = taskActions([{ ...row, outcome, status_code, details_json }], canonicalId).rows;
    return [action?.outcome, action?.reason];
  };
  expect(
    (
      [
        ['success', 200, '{}'],
        ['Rejected', 409, '{"reason":"taken"}'],
        ['error', 502, '{"error":"no answer"}'],
        ['timed out', null, 'no json'],
        ['', 403, null],
      ] as const
    ).map(outcomes),
  ).toEqual([
    ['applied', null],
    ['rejected', 'taken'],
    ['failed', 'no answer'],
    ['failed', 'timed out'],
    ['rejected', null],
  ]);
});

describe('usage', () => {
  const row: SqlRow = {
    id: 7,
    ts: '2025-11-21T10:00:00.123456+02:00',
    provider: 'openai',
    model: 'gpt-4o-mini',
    endpoint: '/v1/chat/completions',
    source: 'profile',
    profile_id: 'openai:work',
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 15,
    latency_ms: 812,
    cost: 0.0000125,
  };
  const startedAt = (ts: string) => usageRows([{ ...row, ts }], canonicalId).rows[0]?.startedAt ?? null;

  test('has its time in milliseconds and its cost in whole micro-dollars', () => {
    expect(usageRows([row], canonicalId).rows).toMatchObject([
      {
        startedAt: Date.parse('2025-11-21T08:00:00.123Z'),
        costMicros: 13,
        tokens: { prompt: 10, completion: 5 },
        latencyMs: 812,
      },
    ]);
  });

  test('is at the time it says, in any offset; a row whose time is none, or has no place in the table, is counted', () => {
    expect(startedAt('2025-11-21 10:00:00')).toBe(Date.parse('2025-11-21T10:00:00Z'));
    for (const ts of ['', 'yesterday', '2025-13-01T00:00:00Z', '1969-12-31T23:59:59Z', '9999-01-01T00:00:00Z', '2025-11-21']) {
      expect(usageRows([{ ...row, ts }], canonicalId)).toEqual({ rows: [], unusable: 1 });
    }
    const offsets = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(fc.integer({ min: 86_400_000, max: 4e12 }), offsets, (at, minutes) => {
        const local = new Date(at + minutes * 60_000).toISOString().replace('Z', '');
        const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) => String(n).padStart(2, '0'));
        expect(startedAt(`${local}${minutes < 0 ? '-' : '+'}${hours}:${rest}`)).toBe(at);
      }),
    );
  });

  test('of whatever kind is taken or counted, never a reason to fail, and its numbers fit the table', () => {
    const value = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.constant(null));
    const any = fc.record(Object.fromEntries(Object.keys(row).map((key) => [key, value])));
    fc.assert(
      fc.property(any, (strange) => {
        const { rows } = usageRows([{ ...strange, ts: '2025-11-21T10:00:00Z' }], canonicalId);
        for (const { costMicros, latencyMs, tokens } of rows) {
          for (const number of [costMicros, latencyMs, tokens.prompt, tokens.completion]) {
            expect(number === null || (Number.isSafeInteger(number) && number >= 0)).toBe(true);
          }
        }
        expect(rows).toHaveLength(1);
      }),
    );
  });
});
