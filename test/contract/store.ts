/** What every store must hold, whatever engine is below it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { AuditEvent } from '../../src/core/audit.ts';
import type { Revision } from '../../src/core/config.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Store } from '../../src/core/store.ts';
import type { TokenRecord } from '../../src/core/tokens.ts';
import { noTokenCounts, type UsageRow } from '../../src/core/usage.ts';
import type { SealedSecret } from '../../src/core/vault.ts';

export const start = 1_760_000_000_000;

export function auditEvent(action: string, timestamp = start): AuditEvent {
  return {
    timestamp,
    action,
    actor: 'user:1',
    result: 'success',
    projectId: null,
    requestId: 'req_1',
    clientIp: '127.0.0.1',
    userAgent: 'curl/8 "quoted" é',
    details: { endpoint: '/v1/models', status: 200, nested: { list: [1, 2] } },
  };
}

export function tokenRecord(id: string, createdAt = start): TokenRecord {
  return {
    id,
    digest: new Bun.CryptoHasher('sha256').update(id).digest('hex'),
    hint: 'ola_****abcd',
    name: `token ${id}`,
    owner: null,
    project: 'p1',
    scopes: ['read', 'write'],
    enabled: true,
    createdAt,
    expiresAt: createdAt + 1000,
    revokedAt: null,
    lastUsedAt: null,
    useCount: 0,
  };
}

export function usageRow(requestId: string, startedAt: number, more: Partial<UsageRow> = {}): UsageRow {
  return {
    startedAt,
    requestId,
    subject: 'tok_1',
    tokenId: 'tok_1',
    project: null,
    client: '127.0.0.1',
    endpoint: '/v1/chat/completions',
    requested: 'openai/gpt-5',
    provider: 'openai',
    model: 'gpt-5',
    profile: null,
    source: 'env:OPENAI_API_KEY',
    stream: true,
    status: 200,
    error: null,
    tokens: { ...noTokenCounts, prompt: 12, completion: 0 },
    costMicros: 42,
    priceVersion: '1',
    firstByteMs: 5,
    latencyMs: 9,
    attempts: null,
    ...more,
  };
}

export function revision(number: number, document: JsonObject = {}): Revision {
  return { number, at: start + number, actor: 'local', summary: `provider.update p${number}`, document };
}

export function sealedSecret(id: string): SealedSecret {
  return { id, origin: 'https://api.example.com', hint: 'sk-****abcd', envelope: `v1.00000000.n.${id}`, createdAt: start };
}

const names = (rows: readonly UsageRow[]) => rows.map(({ requestId }) => requestId);
const actions = (events: readonly AuditEvent[]) => events.map(({ action }) => action);
const ids = (secrets: readonly SealedSecret[]) => secrets.map(({ id }) => id).sort();
const named = (id: string): JsonObject => ({ providers: { acme: { apiKey: { $secret: id } } } });

/** Kinds whose texts are the same when joined, with marks and nulls among them: what a careless key would confuse. */
const lookalikes = fc
  .tuple(
    fc.array(fc.constantFrom('a', '1', ':', '-', '"', ',', '"null"', '\\', '\0', '\u0001', '\u{1F600}'), { maxLength: 12 }),
    fc.array(fc.tuple(fc.array(fc.nat(12), { minLength: 10, maxLength: 10 }), fc.nat(), fc.boolean()), {
      minLength: 2,
      maxLength: 4,
    }),
  )
  .map(([pieces, rows]) => rows.map(([cuts, nulls, stream]) => ({ ...cutInto(pieces, cuts, nulls), stream })));

/** @param nulls a bit for each field: null where it is set and the field is empty and may be null */
function cutInto(pieces: readonly string[], cuts: readonly number[], nulls: number) {
  const places = [0, ...cuts.toSorted((a, b) => a - b), pieces.length];
  const text = (n: number) => pieces.slice(places[n], places[n + 1]).join('');
  const orNull = (n: number) => (text(n) === '' && (nulls >> n) % 2 === 1 ? null : text(n));
  return {
    ...{ endpoint: text(0), provider: orNull(1), model: orNull(2), profile: orNull(3), source: orNull(4) },
    ...{
      priceVersion: orNull(5),
      project: orNull(6),
      subject: text(7),
      tokenId: orNull(8),
      client: orNull(9),
      requested: text(10),
    },
  };
}

/** @param open a store without content; a new one at each call */
export function storeContract(engine: string, open: () => Promise<Store>): void {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  describe(`${engine}: tokens`, () => {
    test('come back as they were written, oldest first', async () => {
      const plain = tokenRecord('b', start + 5);
      const full: TokenRecord = {
        ...tokenRecord('a'),
        owner: 'o',
        enabled: false,
        expiresAt: null,
        revokedAt: 7,
        lastUsedAt: 6,
        useCount: 3,
      };
      await store.tokens.create(plain, auditEvent('token.create'));
      await store.tokens.create(full, auditEvent('token.create'));
      expect(await store.tokens.list()).toEqual([full, plain]);
    });

    test('are revoked once, and the event is written with the change only', async () => {
      await store.tokens.create(tokenRecord('a'), auditEvent('token.create'));
      expect(await store.tokens.revoke('a', start + 9, auditEvent('token.revoke'))).toBe(true);
      expect(await store.tokens.revoke('a', start + 99, auditEvent('token.revoke'))).toBe(false);
      expect(await store.tokens.revoke('nobody', start, auditEvent('token.revoke'))).toBe(false);
      expect((await store.tokens.list())[0]?.revokedAt).toBe(start + 9);
      expect(actions(await store.audit.list({ limit: 10 }))).toEqual(['token.revoke', 'token.create']);
    });

    test('with an id or a digest that exists are refused, and nothing of the attempt stays', async () => {
      const first = tokenRecord('a');
      await store.tokens.create(first, auditEvent('token.create'));
      const sameDigest = { ...tokenRecord('b'), digest: first.digest };
      for (const twin of [first, sameDigest]) {
        await expect(store.tokens.create(twin, auditEvent('token.twin'))).rejects.toMatchObject({ code: 'conflict' });
      }
      expect(await store.tokens.list()).toEqual([first]);
      expect(actions(await store.audit.list({ limit: 10 }))).toEqual(['token.create']);
    });

    test('with a digest that is not 32 bytes are refused', async () => {
      const broken = { ...tokenRecord('a'), digest: 'abcd' };
      await expect(store.tokens.create(broken, auditEvent('token.create'))).rejects.toMatchObject({
        code: 'persistence_unavailable',
      });
      expect(await store.audit.list({ limit: 10 })).toEqual([]);
    });

    test('count their uses, and the last use never goes back', async () => {
      await store.tokens.create(tokenRecord('a'), auditEvent('token.create'));
      await store.tokens.recordUse([
        { id: 'a', count: 2, lastUsedAt: 20 },
        { id: 'gone', count: 1, lastUsedAt: 5 },
      ]);
      await store.tokens.recordUse([{ id: 'a', count: 3, lastUsedAt: 10 }]);
      expect((await store.tokens.list())[0]).toMatchObject({ useCount: 5, lastUsedAt: 20 });
    });
  });

  describe(`${engine}: configuration`, () => {
    test('is null before the first write, then the newest revision', async () => {
      expect(await store.config.current()).toBeNull();
      await store.config.write(revision(1), [], auditEvent('config.update'));
      const second = revision(2, { defaultModel: 'a/b', unknown: { deep: [1, null, 'x'] } });
      await store.config.write(second, [], auditEvent('config.update'));
      expect(await store.config.current()).toEqual(second);
    });

    test('of two writers from the same revision takes the first, and nothing of the second', async () => {
      await store.config.write(revision(1), [], auditEvent('config.update'));
      const writes = [2, 2, 4, 1].map((number) =>
        store.config.write(revision(number, named(`s${number}`)), [sealedSecret(`s${number}`)], auditEvent(`config.n${number}`)),
      );
      const outcomes = await Promise.allSettled(writes);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'precondition_failed' } });
      expect((await store.config.current())?.number).toBe(2);
      expect(ids(await store.config.secrets())).toEqual(['s2']);
      expect(actions(await store.audit.list({ limit: 10 }))).toEqual(['config.n2', 'config.update']);
    });

    test('brings its secrets, which live as long as one of the 50 newest revisions names them', async () => {
      await store.config.write(revision(1, named('s1')), [sealedSecret('s1')], auditEvent('config.update'));
      expect(await store.config.secrets()).toEqual([sealedSecret('s1')]);
      for (let number = 2; number <= 50; number++) await store.config.write(revision(number), [], auditEvent('config.update'));
      expect(ids(await store.config.secrets())).toEqual(['s1']);
      await store.config.write(revision(51), [], auditEvent('config.update'));
      expect(ids(await store.config.secrets())).toEqual([]);
    });

    test('finds references at any depth, and does not take text that looks like one', async () => {
      const document: JsonObject = {
        list: [[{ $secret: 'in-list' }]],
        headers: { a: { $secret: 'in-header' } },
        text: '{"$secret":"in-text"}',
        odd: { $secret: { $secret: 'in-secret' } },
      };
      const secrets = ['in-list', 'in-header', 'in-text', 'in-secret', 'nowhere'].map(sealedSecret);
      await store.config.write(revision(1, document), secrets, auditEvent('config.update'));
      expect(ids(await store.config.secrets())).toEqual(['in-header', 'in-list', 'in-secret']);
    });
  });

  describe(`${engine}: usage`, () => {
    test('comes back as it was written', async () => {
      const attempt = { provider: 'a', model: 'm', source: 'none', status: null, error: 'upstream_timeout', milliseconds: 3 };
      const tokens = { prompt: 1, completion: 2, cacheRead: 3, cacheWrite: 4, reasoning: 5 };
      const full = usageRow('full', start + 1, { stream: false, project: 'p', tokens, attempts: [attempt], error: 'x' });
      const empty = usageRow('empty', start, {
        ...{ tokenId: null, client: null, provider: null, model: null, source: null, tokens: noTokenCounts },
        ...{ costMicros: null, priceVersion: null, firstByteMs: null, requested: 'nul \0 and \u{1F600}' },
      });
      await store.usage.append([full, empty]);
      expect(await store.usage.recent(10)).toEqual([full, empty]);
    });

    test('is in the order of arrival, newest first, however it was settled', async () => {
      await store.usage.append([usageRow('late', start + 9), usageRow('early', start)]);
      await store.usage.append([usageRow('middle', start + 5)]);
      expect(names(await store.usage.recent(2))).toEqual(['late', 'middle']);
    });

    test('keeps every row of one millisecond, over batches too, and the rows of the next', async () => {
      const many = Array.from({ length: 1100 }, (_, i) => usageRow(`m${i}`, start));
      await store.usage.append([usageRow('next', start + 1)]);
      await store.usage.append(many.slice(0, 600));
      await store.usage.append(many.slice(600));
      expect(new Set(names(await store.usage.recent(5000))).size).toBe(1101);
    });

    test('takes numbers as upstreams report them: no row is lost for an odd count', async () => {
      const tokens = { ...noTokenCounts, prompt: 1.5, completion: 1e300, reasoning: Number.NaN };
      await store.usage.append([
        usageRow('odd', start + 0.7, { tokens, latencyMs: 12.4, firstByteMs: 3.6 }),
        usageRow('next', start),
      ]);
      const odd = (await store.usage.recent(10)).find(({ requestId }) => requestId === 'odd');
      expect(odd).toMatchObject({ startedAt: start, latencyMs: 12, firstByteMs: 4, tokens: { ...noTokenCounts, prompt: 2 } });
      expect(await store.usage.recent(10)).toHaveLength(2);
    });
  });

  describe(`${engine}: usage kinds`, () => {
    test('are never confused, whatever is in the texts', async () => {
      let at = start;
      const property = fc.asyncProperty(lookalikes, async (kinds) => {
        const rows = kinds.map((kind) => usageRow('r', at++, kind));
        await store.usage.append(rows);
        expect(await store.usage.recent(rows.length)).toEqual(rows.toReversed());
      });
      await fc.assert(property, { numRuns: 200, seed: 7 });
    });

    test('of a batch that was refused do not stay in mind: the same rows can be written after', async () => {
      const first = usageRow('first', start, { model: 'new' });
      const broken = usageRow('broken', Number.POSITIVE_INFINITY);
      await expect(store.usage.append([first, broken])).rejects.toMatchObject({ code: 'persistence_unavailable' });
      expect(await store.usage.recent(10)).toEqual([]);
      const other = usageRow('other', start + 1, { model: 'other' });
      await store.usage.append([other]);
      await store.usage.append([first]);
      expect(await store.usage.recent(10)).toEqual([other, first]);
    });

    test('may be more than are kept in mind', async () => {
      const many = Array.from({ length: 4100 }, (_, n) => usageRow(`r${n}`, start + n, { requested: `m${n}` }));
      const again = many.slice(0, 10).map((row) => ({ ...row, startedAt: row.startedAt + 5000 }));
      await store.usage.append(many);
      await store.usage.append(again);
      expect(await store.usage.recent(5000)).toEqual([...many, ...again].toReversed());
    });
  });

  describe(`${engine}: audit`, () => {
    test('comes back as it was written, newest first, up to a limit, before a time', async () => {
      const events = [1, 2, 3].map((n) => auditEvent(`a.${n}`, start + n));
      await store.audit.append(events);
      expect(await store.audit.list({ limit: 10 })).toEqual(events.toReversed());
      expect(actions(await store.audit.list({ limit: 1 }))).toEqual(['a.3']);
      expect(actions(await store.audit.list({ limit: 10, before: start + 3 }))).toEqual(['a.2', 'a.1']);
    });
  });

  describe(`${engine}: as a whole`, () => {
    test('answers the check, and takes empty batches', async () => {
      await store.check();
      await store.usage.append([]);
      await store.audit.append([]);
      await store.tokens.recordUse([]);
    });

    test('closed, says so and does not break', async () => {
      store.close();
      store.close();
      await expect(store.tokens.list()).rejects.toMatchObject({
        code: 'persistence_unavailable',
        message: expect.stringMatching(/stopping/),
      });
      await expect(store.audit.append([auditEvent('a.b')])).rejects.toMatchObject({ code: 'persistence_unavailable' });
      await expect(store.check()).rejects.toMatchObject({ code: 'persistence_unavailable' });
    });
  });
}
