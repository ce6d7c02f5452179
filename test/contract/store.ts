/** What every store must hold, whatever engine is below it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { AuditEvent } from '../../src/core/audit.ts';
import type { ConfigWrite, Revision, Snapshot } from '../../src/core/config.ts';
import type { Cooldown } from '../../src/core/cooldowns.ts';
import type { StoredGrant } from '../../src/core/grants.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { PredecessorState } from '../../src/core/predecessor.ts';
import type { Store } from '../../src/core/store.ts';
import type { TaskAction } from '../../src/core/tasks.ts';
import type { TokenRecord } from '../../src/core/tokens.ts';
import { noTokenCounts, type UsageHour, type UsageRow } from '../../src/core/usage.ts';
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

export function revision(number: number, document: JsonObject = {}, file: string | null = null): Revision {
  return {
    number,
    at: start + number,
    actor: 'local',
    summary: `provider.update p${number}`,
    document,
    file,
    consents: { ACME_KEY: ['https://acme.example'] },
  };
}

export function configWrite(written: Revision, secrets: readonly SealedSecret[] = [], action = 'config.update'): ConfigWrite {
  return { revision: written, secrets, tokens: [], event: auditEvent(action) };
}

export function sealedSecret(id: string): SealedSecret {
  return { id, origin: 'https://api.example.com', hint: 'sk-****abcd', envelope: `v1.00000000.n.${id}`, createdAt: start };
}

const names = (rows: readonly UsageRow[]) => rows.map(({ requestId }) => requestId);
const actions = (events: readonly AuditEvent[]) => events.map(({ action }) => action);
const ids = (secrets: readonly SealedSecret[]) => secrets.map(({ id }) => id).sort();
/** A document that names these secrets. */
export const naming = (...secrets: readonly string[]): JsonObject => ({
  providers: Object.fromEntries(secrets.map((id) => [`p-${id}`, { apiKey: { $secret: id } }])),
});
const snapshot = (name: string, document: JsonObject, at = start): Snapshot => ({ name, document, at });

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

/** What is done to the configuration: numbers are taken modulo what there is. */
const deed = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), file: fc.nat(2), keep: fc.nat(), add: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollback' as const), to: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('many' as const), file: fc.nat(2), count: fc.integer({ min: 1, max: 49 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('save' as const), name: fc.nat(2), of: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), name: fc.nat(2) }) },
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

/** What the store should hold: written without thinking about speed. */
interface World {
  number: number;
  minted: number;
  readonly histories: Map<string | null, { number: number; secrets: readonly string[] }[]>;
  readonly snapshots: Map<string, readonly string[]>;
}

const emptyWorld = (): World => ({ number: 0, minted: 0, histories: new Map(), snapshots: new Map() });
const keptIn = (world: World) => [...world.histories].flatMap(([file, kept]) => kept.map((one) => ({ ...one, file })));
const namedIn = (world: World) => new Set([...keptIn(world).map(({ secrets }) => secrets), ...world.snapshots.values()].flat());

async function doDeed(store: Store, world: World, one: Deed): Promise<void> {
  const file = 'file' in one ? (one.file === 0 ? null : `/file${one.file}`) : null;
  if (one.kind === 'write') {
    // Bits of `keep` choose which of the secrets before stay.
    const before = world.histories.get(file)?.at(-1)?.secrets ?? [];
    const stay = before.filter((_, n) => (one.keep >> (n % 30)) % 2 === 1);
    const added = Array.from({ length: one.add }, () => `s${world.minted++}`);
    await writeNaming(store, world, file, [...stay, ...added], added);
  } else if (one.kind === 'many') {
    for (let n = 0; n < one.count; n++) await writeNaming(store, world, file, [], []);
  } else if (one.kind === 'delete') {
    const name = `n${one.name}`;
    expect(await store.config.deleteSnapshot(name, auditEvent('config.drop'))).toBe(world.snapshots.delete(name));
  } else {
    const kept = keptIn(world);
    const chosen = kept[(one.kind === 'save' ? one.of : one.to) % kept.length];
    if (chosen === undefined) return;
    if (one.kind === 'rollback') return writeNaming(store, world, chosen.file, chosen.secrets, []);
    const saved = snapshot(`n${one.name}`, naming(...chosen.secrets));
    await store.config.saveSnapshot(saved, [], auditEvent('config.snapshot'));
    world.snapshots.set(saved.name, chosen.secrets);
  }
}

async function writeNaming(
  store: Store,
  world: World,
  file: string | null,
  secrets: readonly string[],
  added: readonly string[],
): Promise<void> {
  const number = ++world.number;
  await store.config.write(configWrite(revision(number, naming(...secrets), file), added.map(sealedSecret)));
  const history = world.histories.get(file) ?? [];
  world.histories.set(file, [...history, { number, secrets }].slice(-50));
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
    const write = (written: Revision, secrets: readonly SealedSecret[] = [], action?: string) =>
      store.config.write(configWrite(written, secrets, action));

    test('is null before the first write, then the newest revision', async () => {
      expect(await store.config.current(null)).toBeNull();
      expect(await store.config.newest()).toBe(0);
      await write(revision(1));
      const second = revision(2, { defaultModel: 'a/b', unknown: { deep: [1, null, 'x'] } });
      await write(second);
      expect(await store.config.current(null)).toEqual(second);
      expect(await store.config.newest()).toBe(2);
    });

    test('of two writers from the same revision takes the first, and nothing of the second', async () => {
      await write(revision(1));
      const writes = [2, 2, 4, 1].map((number) =>
        write(revision(number, naming(`s${number}`)), [sealedSecret(`s${number}`)], `config.n${number}`),
      );
      const outcomes = await Promise.allSettled(writes);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'precondition_failed' } });
      expect(await store.config.newest()).toBe(2);
      expect(ids(await store.config.secrets())).toEqual(['s2']);
      expect(actions(await store.audit.list({ limit: 10 }))).toEqual(['config.n2', 'config.update']);
    });

    test('of the database and of each file has a history of its own, with numbers counted through all', async () => {
      await write(revision(1, { a: 1 }));
      await write(revision(2, { a: 2 }, '/etc/ola.json'));
      await write(revision(3, { a: 3 }, '/etc/other.json'));
      await write(revision(4, { a: 4 }, '/etc/ola.json'));
      await write(revision(5, { a: 5 }));
      const numbers = async (file: string | null, limit = 10, before?: number) =>
        (await store.config.revisions({ file, limit, ...(before === undefined ? {} : { before }) })).map(({ number }) => number);
      expect(await numbers(null)).toEqual([5, 1]);
      expect(await numbers('/etc/ola.json')).toEqual([4, 2]);
      expect(await numbers('/etc/ola.json', 1)).toEqual([4]);
      expect(await numbers('/etc/ola.json', 10, 4)).toEqual([2]);
      expect(await numbers('/etc/nothing.json')).toEqual([]);
      expect((await store.config.current('/etc/ola.json'))?.number).toBe(4);
      expect((await store.config.current('/etc/other.json'))?.document).toEqual({ a: 3 });
      expect((await store.config.current(null))?.number).toBe(5);
      expect(await store.config.newest()).toBe(5);
      expect(await store.config.revision(2)).toEqual(revision(2, { a: 2 }, '/etc/ola.json'));
      expect(await store.config.revision(6)).toBeNull();
      const { document: _, consents: __, ...facts } = revision(3, {}, '/etc/other.json');
      expect(await store.config.revisions({ file: '/etc/other.json', limit: 1 })).toEqual([facts]);
    });

    test('keeps 50 revisions of each history, however many the others have', async () => {
      await write(revision(1, { first: true }, '/f'));
      for (let number = 2; number <= 60; number++) await write(revision(number));
      const kept = await store.config.revisions({ file: null, limit: 100 });
      expect(kept.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, n) => 60 - n));
      expect((await store.config.current('/f'))?.number).toBe(1);
    });

    test('brings its secrets, which live as long as one of the 50 newest revisions names them', async () => {
      await write(revision(1, naming('s1')), [sealedSecret('s1')]);
      expect(await store.config.secrets()).toEqual([sealedSecret('s1')]);
      for (let number = 2; number <= 50; number++) await write(revision(number));
      expect(ids(await store.config.secrets())).toEqual(['s1']);
      await write(revision(51));
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
      await write(revision(1, document), secrets);
      expect(ids(await store.config.secrets())).toEqual(['in-header', 'in-list', 'in-secret']);
    });

    test('that names a secret which is not stored is refused, and nothing of it stays', async () => {
      await write(revision(1, naming('s1')), [sealedSecret('s1')]);
      const refused = [
        write(revision(2, naming('s1', 'gone', 's2')), [sealedSecret('s2')]),
        store.config.saveSnapshot(snapshot('a', naming('gone')), [], auditEvent('config.snapshot')),
      ];
      for (const attempt of refused) await expect(attempt).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.config.newest()).toBe(1);
      expect(await store.config.snapshots()).toEqual([]);
      expect(ids(await store.config.secrets())).toEqual(['s1']);
    });

    test('brings hashed access tokens, and none when one of them exists already', async () => {
      const tokens = [tokenRecord('a'), tokenRecord('b')];
      await store.config.write({ ...configWrite(revision(1)), tokens });
      expect(await store.tokens.list()).toEqual(tokens);
      const twice = { ...configWrite(revision(2)), tokens: [tokenRecord('c'), tokenRecord('a')] };
      await expect(store.config.write(twice)).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.config.newest()).toBe(1);
      expect((await store.tokens.list()).map(({ id }) => id)).toEqual(['a', 'b']);
      expect(await store.audit.list({ limit: 10 })).toHaveLength(1);
    });

    test('takes new envelopes, each only in place of the one that it was made from', async () => {
      const secrets = ['s1', 's2', 's3'].map(sealedSecret);
      await write(revision(1, naming('s1', 's2', 's3')), secrets);
      const to = (id: string) => ({ id, from: sealedSecret(id).envelope, to: `v1.11111111.n.${id}` });
      const changes = [to('s1'), { ...to('s2'), from: 'another' }, to('gone'), to('s3')];
      expect(await store.config.reseal(changes)).toBe(2);
      expect(await store.config.reseal(changes)).toBe(0);
      const envelopes = (await store.config.secrets()).map(({ envelope }) => envelope);
      expect(envelopes).toEqual(['v1.11111111.n.s1', sealedSecret('s2').envelope, 'v1.11111111.n.s3']);
      expect(await store.config.secrets()).toEqual(secrets.map((secret, n) => ({ ...secret, envelope: envelopes[n] ?? '' })));
    });
  });

  describe(`${engine}: snapshots`, () => {
    const save = (saved: Snapshot, secrets: readonly SealedSecret[] = []) =>
      store.config.saveSnapshot(saved, secrets, auditEvent('config.snapshot'));

    test('come back by name, and are replaced and deleted with their event', async () => {
      const first = snapshot('work', { a: 1 });
      const other = snapshot('Home é', { b: 2 }, start + 9);
      await save(first);
      await save(other);
      expect(await store.config.snapshots()).toEqual([other, first]);
      expect(await store.config.snapshot('work')).toEqual(first);
      expect(await store.config.snapshot('WORK')).toBeNull();
      const replaced = snapshot('work', { a: 3 }, start + 10);
      await save(replaced);
      expect(await store.config.snapshots()).toEqual([other, replaced]);
      expect(await store.config.deleteSnapshot('work', auditEvent('config.drop'))).toBe(true);
      expect(await store.config.deleteSnapshot('work', auditEvent('config.drop'))).toBe(false);
      expect(await store.config.snapshots()).toEqual([other]);
      const snapshotEvents = ['config.snapshot', 'config.snapshot', 'config.snapshot'];
      expect(actions(await store.audit.list({ limit: 10 }))).toEqual(['config.drop', ...snapshotEvents]);
    });

    test('keep their secrets when no revision names them any more', async () => {
      await store.config.write(configWrite(revision(1, naming('s1')), [sealedSecret('s1')]));
      await save(snapshot('work', naming('s1', 's2')), [sealedSecret('s2'), sealedSecret('nowhere')]);
      for (let number = 2; number <= 51; number++) await store.config.write(configWrite(revision(number)));
      expect(ids(await store.config.secrets())).toEqual(['s1', 's2']);
      await save(snapshot('work', naming('s2')));
      expect(ids(await store.config.secrets())).toEqual(['s2']);
      await store.config.deleteSnapshot('work', auditEvent('config.drop'));
      expect(await store.config.secrets()).toEqual([]);
    });
  });

  describe(`${engine}: secrets`, () => {
    test('are there exactly as long as a kept revision or a snapshot names them, whatever is done in what order', async () => {
      const property = fc.asyncProperty(fc.array(deed, { maxLength: 120 }), async (deeds) => {
        const fresh = await open();
        const world = emptyWorld();
        for (const one of deeds) {
          await doDeed(fresh, world, one);
          expect(ids(await fresh.config.secrets())).toEqual([...namedIn(world)].sort());
        }
        fresh.close();
      });
      await fc.assert(property, { numRuns: 25, seed: 11 });
    });
  });

  describe(`${engine}: what the original program left`, () => {
    const owner = { provider: 'agent_bridge', taskId: 't1', owner: 'a', createdBy: 'a', createdAt: start };
    const action: TaskAction = {
      ...{ provider: 'agent_bridge', taskId: 't1', action: 'create', subject: 'a', outcome: 'applied' },
      ...{ idempotencyKey: null, status: 200, reason: null, at: start },
    };
    const state: PredecessorState = {
      config: { ...configWrite(revision(1, naming('s1')), [sealedSecret('s1')]), tokens: [tokenRecord('a')] },
      snapshots: [snapshot('work', naming('s2')), snapshot('other', naming('s3'))],
      secrets: ['s2', 's3', 'nowhere'].map(sealedSecret),
      owners: [owner, { ...owner, taskId: 't2' }, { ...owner, owner: 'b' }],
      actions: [action, { ...action, taskId: null, outcome: 'rejected', status: null, reason: 'why' }],
      usage: [usageRow('r1', start), usageRow('r2', start)],
    };

    test('is taken over whole, once', async () => {
      expect(await store.predecessor.importedAt()).toBeNull();
      await store.predecessor.import(state, start + 5);
      expect(await store.predecessor.importedAt()).toBe(start + 5);
      expect(await store.config.current(null)).toEqual(revision(1, naming('s1')));
      expect((await store.config.snapshots()).map(({ name }) => name)).toEqual(['other', 'work']);
      expect(ids(await store.config.secrets())).toEqual(['s1', 's2', 's3']);
      expect(await store.tokens.list()).toEqual([tokenRecord('a')]);
      expect(names(await store.usage.recent(10)).sort()).toEqual(['r1', 'r2']);
      expect(actions(await store.audit.list({ limit: 10 }))).toEqual(['config.update']);
      await expect(store.predecessor.import({ ...state, config: null }, start + 6)).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.predecessor.importedAt()).toBe(start + 5);
      expect(await store.usage.recent(10)).toHaveLength(2);
    });

    test('leaves a snapshot of the same name as it is', async () => {
      const kept = snapshot('work', { mine: true });
      await store.config.saveSnapshot(kept, [], auditEvent('config.snapshot'));
      await store.predecessor.import({ ...state, config: null }, start);
      expect(await store.config.snapshot('work')).toEqual(kept);
      expect(ids(await store.config.secrets())).toEqual(['s3']);
    });

    test('is not there at all when one part of it is refused, and what was used before can be used after', async () => {
      await store.tokens.create(tokenRecord('a'), auditEvent('token.create'));
      const usage = [usageRow('r1', start, { model: 'new' })];
      await expect(store.predecessor.import({ ...state, usage }, start)).rejects.toMatchObject({ code: 'conflict' });
      const broken = [...usage, usageRow('broken', Number.POSITIVE_INFINITY)];
      await expect(store.predecessor.import({ ...state, config: null, usage: broken }, start)).rejects.toThrow();
      expect(await store.predecessor.importedAt()).toBeNull();
      expect(await store.config.snapshots()).toEqual([]);
      expect(await store.config.secrets()).toEqual([]);
      expect(await store.usage.recent(10)).toEqual([]);
      const other = usageRow('other', start + 1, { model: 'other' });
      await store.usage.append([other, ...usage]);
      expect(await store.usage.recent(10)).toEqual([other, ...usage]);
    });
  });

  describe(`${engine}: retention`, () => {
    const day = 86_400_000;
    /** Calls until nothing is left to do. @returns how many calls it took */
    async function retainAll(usageBefore: number | null, auditBefore: number | null): Promise<number> {
      let calls = 1;
      while (await store.retain({ usageBefore, auditBefore })) calls++;
      return calls;
    }

    test('deletes what is older than asked and nothing else, in small batches', async () => {
      const rows = Array.from({ length: 1500 }, (_, n) => usageRow(`r${n}`, start + n));
      const events = Array.from({ length: 1500 }, (_, n) => auditEvent(`a.${n}`, start + n));
      await store.usage.append(rows);
      await store.audit.append(events);
      expect(await store.retain({ usageBefore: start + 1400, auditBefore: start + 1300 })).toBe(true);
      expect((await store.usage.recent(5000)).length).toBeGreaterThan(1000);
      expect(await retainAll(start + 1400, start + 1300)).toBeLessThan(20);
      expect(await store.usage.recent(5000)).toEqual(rows.slice(1400).toReversed());
      expect(await store.audit.list({ limit: 5000 })).toEqual(events.slice(1300).toReversed());
    });

    test('of null keeps everything', async () => {
      await store.usage.append([usageRow('r', start)]);
      await store.audit.append([auditEvent('a.b')]);
      expect(await store.retain({ usageBefore: null, auditBefore: null })).toBe(false);
      expect(await store.usage.recent(10)).toHaveLength(1);
      expect(await store.audit.list({ limit: 10 })).toHaveLength(1);
    });

    test('leaves every row that stays readable, whatever was deleted between the calls that wrote it', async () => {
      const at = fc.nat(9).map((n) => start + n * (day / 3));
      const step = fc.oneof(
        fc.record({ append: fc.array(fc.record({ at, kind: fc.nat(5) }), { minLength: 1, maxLength: 8 }) }),
        fc.record({ before: at }),
      );
      const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await retainAll(Number.MAX_SAFE_INTEGER / 1024 / 2, null);
        let kept: UsageRow[] = [];
        for (const one of steps) {
          if ('before' in one) {
            await retainAll(one.before, null);
            kept = kept.filter(({ startedAt }) => startedAt >= one.before);
          } else {
            const rows = one.append.map((row) => usageRow('r', row.at, { model: `m${row.kind}` }));
            await store.usage.append(rows);
            kept.push(...rows);
          }
          expect((await store.usage.recent(5000)).map(({ startedAt, model }) => `${startedAt} ${model}`).sort()).toEqual(
            kept.map(({ startedAt, model }) => `${startedAt} ${model}`).sort(),
          );
        }
      });
      await fc.assert(property, { numRuns: 60, seed: 3 });
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

  describe(`${engine}: usage by pages and ids`, () => {
    test('goes back from a place, and finds the newer of two rows with one id', async () => {
      await store.usage.append(['a', 'b', 'a', 'c'].map((id, n) => usageRow(id, start + n, { status: 200 + n })));
      const first = await store.usage.page(3, null);
      expect(first.map(({ row }) => row.status)).toEqual([203, 202, 201]);
      const rest = await store.usage.page(3, first.at(-1)?.place ?? null);
      expect(rest.map(({ row }) => row.status)).toEqual([200]);
      expect((await store.usage.find('a'))?.status).toBe(202);
      expect(await store.usage.find('nobody')).toBeNull();
    });
  });

  describe(`${engine}: usage by the hour`, () => {
    const hour = 3_600_000;
    const first = Math.ceil(start / hour);
    /** All slices, one after the other. */
    async function hours(limit: number, from = first): Promise<UsageHour[]> {
      const found: UsageHour[] = [];
      for (let after = { hour: from, kind: -1 }; ; after = found.at(-1) ?? after) {
        const slice = await store.usage.hours(after, limit);
        expect(slice.length).toBeLessThanOrEqual(limit);
        if (slice.length === 0) return found;
        found.push(...slice);
      }
    }
    type Call = { readonly at: number; readonly model: string | null; readonly tokenId: string | null } & Counted;
    type Counted = Pick<UsageRow, 'error' | 'costMicros' | 'latencyMs'> & { readonly prompt: number | null };
    const keyOf = (at: number, model: string | null, tokenId: string | null) => `${Math.floor(at / hour)} ${model} ${tokenId}`;
    const total = (calls: readonly Call[], of: (call: Call) => number) => calls.reduce((sum, call) => sum + of(call), 0);
    /** The sums of calls, written without thinking about speed. */
    const sums = (calls: readonly Call[]) => ({
      requests: calls.length,
      errors: calls.filter(({ error }) => error !== null).length,
      promptTokens: total(calls, ({ prompt }) => prompt ?? 0),
      priced: calls.filter(({ costMicros }) => costMicros !== null).length,
      costMicros: total(calls, ({ costMicros }) => costMicros ?? 0),
      latencyMs: total(calls, ({ latencyMs }) => latencyMs),
    });

    test('is the sum of the rows, whatever their batches, and the same in slices of any length', async () => {
      const call = fc.record({
        at: fc.nat(5 * hour).map((n) => first * hour + n),
        model: fc.constantFrom('a', 'b', null),
        tokenId: fc.constantFrom('t1', 't2', null),
        error: fc.constantFrom(null, null, 'provider_error'),
        prompt: fc.option(fc.nat(1000)),
        costMicros: fc.option(fc.nat(1000)),
        latencyMs: fc.nat(1000),
      });
      const batches = fc.array(fc.array(call, { maxLength: 9 }), { maxLength: 9 });
      const property = fc.asyncProperty(batches, fc.integer({ min: 1, max: 7 }), async (given, limit) => {
        while (await store.retain({ usageBefore: Number.MAX_SAFE_INTEGER / 1024 / 2, auditBefore: null }));
        for (const batch of given) {
          const rows = batch.map(({ at, prompt, ...more }) => ({ at, ...more, tokens: { ...noTokenCounts, prompt } }));
          await store.usage.append(rows.map(({ at, ...more }) => usageRow('r', at, more)));
        }
        const groups = Map.groupBy(given.flat(), ({ at, model, tokenId }) => keyOf(at, model, tokenId));
        const found = await hours(limit);
        expect(found).toHaveLength(groups.size);
        for (const each of found) {
          expect(each).toMatchObject(sums(groups.get(keyOf(each.hour * hour, each.model, each.tokenId)) ?? []));
        }
        expect(found.map((each) => each.hour)).toEqual(found.map((each) => each.hour).toSorted((a, b) => a - b));
      });
      await fc.assert(property, { numRuns: 60, seed: 7 });
    });

    test('names what its rows have in common', async () => {
      const common = {
        endpoint: '/v1/embeddings',
        provider: 'p',
        model: 'm',
        profile: 'x',
        source: 'none',
        project: 'q',
        subject: 's',
        tokenId: 't',
      };
      await store.usage.append([usageRow('r', first * hour, common)]);
      expect(await hours(9)).toEqual([expect.objectContaining({ hour: first, ...common })]);
    });

    test('starts where it is asked to', async () => {
      await store.usage.append([0, 1, 2].map((n) => usageRow('r', (first + n) * hour)));
      expect((await hours(9, first + 1)).map((each) => each.hour)).toEqual([first + 1, first + 2]);
    });

    test('goes with its rows, but for an hour of which some are left', async () => {
      await store.usage.append([0, 1, 2].map((n) => usageRow('r', (first + n) * hour)));
      while (await store.retain({ usageBefore: (first + 1) * hour + 1, auditBefore: null }));
      expect((await hours(9)).map((each) => each.hour)).toEqual([first + 1, first + 2]);
      while (await store.retain({ usageBefore: (first + 400) * hour, auditBefore: null }));
      expect(await hours(9)).toEqual([]);
    });

    test('stops at the largest safe number, and loses no row to counts that are beyond it', async () => {
      const huge = { tokens: { ...noTokenCounts, prompt: Number.MAX_SAFE_INTEGER, completion: Number.MIN_SAFE_INTEGER } };
      for (let batch = 0; batch < 3; batch++) {
        await store.usage.append(Array.from({ length: 1100 }, (_, n) => usageRow(`r${n}`, first * hour, huge)));
      }
      expect(await hours(9)).toEqual([
        expect.objectContaining({
          requests: 3300,
          promptTokens: Number.MAX_SAFE_INTEGER,
          completionTokens: Number.MIN_SAFE_INTEGER,
        }),
      ]);
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

  describe(`${engine}: cooldowns`, () => {
    const cooldown = (more: Partial<Cooldown> = {}): Cooldown => ({
      provider: 'acme',
      source: 'env:ACME_API_KEY',
      model: 'm',
      reason: 'rate_limit',
      since: start,
      until: start + 1000,
      probeAt: start + 500,
      windows: 2,
      ...more,
    });

    test('come back as they were saved; one of the same credential and model is replaced', async () => {
      const all = [
        cooldown(),
        cooldown({ model: null, since: start + 1 }),
        cooldown({ source: 'profile:acme:work', since: start + 2 }),
      ];
      await store.cooldowns.save(all);
      expect(await store.cooldowns.list()).toEqual(all);
      const later = cooldown({ reason: 'billing', until: start + 5000 });
      await store.cooldowns.save([later]);
      expect(await store.cooldowns.list()).toEqual([later, ...all.slice(1)]);
    });

    test('are removed by credential and model', async () => {
      await store.cooldowns.save([cooldown(), cooldown({ model: null }), cooldown({ provider: 'other' })]);
      await store.cooldowns.remove([cooldown({ model: null }), cooldown({ model: 'unknown' })]);
      expect((await store.cooldowns.list()).map(({ provider, model }) => [provider, model])).toEqual([
        ['acme', 'm'],
        ['other', 'm'],
      ]);
    });
  });

  describe(`${engine}: grants`, () => {
    const wanted = { id: 'g1', profile: 'acme:login', version: 0, owner: 'one', now: start, until: start + 1000 };
    const renewed: StoredGrant = {
      ...{ id: 'g1', profile: 'acme:login', version: 1, envelope: 'v1.k.n.a', obtainedAt: start, expiresAt: start + 5000 },
      ...{ state: 'ready', reason: null, failingSince: null, failures: 0, retryAt: 0 },
      ...{ leaseOwner: null, leaseUntil: 0, changedAt: start },
    };

    test('have one lease until it ends or the grant is saved', async () => {
      const first = await store.grants.lease(wanted);
      expect(first).toMatchObject({
        taken: true,
        grant: { version: 0, envelope: null, leaseOwner: 'one', leaseUntil: start + 1000 },
      });
      const other = { ...wanted, owner: 'two', now: start + 999, until: start + 1999 };
      expect(await store.grants.lease(other)).toEqual({ taken: false, grant: first.grant });
      expect(await store.grants.lease({ ...other, now: start + 1000 })).toMatchObject({
        taken: true,
        grant: { leaseOwner: 'two' },
      });
      expect(await store.grants.save(renewed)).toBe(true);
      expect(await store.grants.lease(other)).toEqual({ taken: false, grant: renewed });
      expect((await store.grants.lease({ ...other, version: 1 })).taken).toBe(true);
    });

    test('come back as they were saved; a save that follows another version changes nothing', async () => {
      expect(await store.grants.save(renewed)).toBe(false);
      await store.grants.lease(wanted);
      expect(await store.grants.save(renewed)).toBe(true);
      expect(await store.grants.save({ ...renewed, envelope: 'late' })).toBe(false);
      expect(await store.grants.list()).toEqual([renewed]);
      const failing = { ...renewed, version: 2, state: 'failing', reason: 'answered', failingSince: start, failures: 1 } as const;
      expect(await store.grants.save({ ...failing, envelope: null })).toBe(true);
      expect(await store.grants.list()).toEqual([failing]);
    });

    test('are sealed anew where they still have the envelope', async () => {
      await store.grants.lease(wanted);
      await store.grants.save(renewed);
      const changes = [{ id: 'g1', from: 'v1.k.n.a', to: 'v1.l.n.a' }];
      expect([await store.grants.reseal(changes), await store.grants.reseal(changes)]).toEqual([1, 0]);
      expect((await store.grants.list()).map(({ envelope, version }) => [envelope, version])).toEqual([['v1.l.n.a', 1]]);
    });

    test('of profiles that are gone are forgotten after a time', async () => {
      await store.grants.lease(wanted);
      await store.grants.lease({ ...wanted, id: 'g2', profile: 'acme:gone' });
      await store.grants.lease({ ...wanted, id: 'g3', profile: 'acme:gone', now: start + 1 });
      await store.grants.forget(['acme:login'], start + 1);
      expect((await store.grants.list()).map(({ id }) => id)).toEqual(['g3', 'g1']);
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
      expect(await store.config.reseal([])).toBe(0);
      await store.checkpoint();
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
      await expect(store.retain({ usageBefore: start, auditBefore: null })).rejects.toMatchObject({
        code: 'persistence_unavailable',
      });
      await expect(store.checkpoint()).rejects.toMatchObject({ code: 'persistence_unavailable' });
    });
  });
}
