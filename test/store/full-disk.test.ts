import { afterAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqlDatabase } from '../../src/core/ports.ts';
import type { Store } from '../../src/core/store.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
import { auditEvent, configWrite, naming, revision, sealedSecret, start, tokenRecord, usageRow } from '../contract/store.ts';
import { directories } from '../directories.ts';

const directory = directories();
const open = (database: SqlDatabase) => openStore({ database, now: () => start, backUp: () => {} });

/** What a store answers to every read. */
const everything = async ({ config, tokens, usage, audit, predecessor }: Store) => ({
  revisions: await config.revisions({ file: null, limit: 1000 }),
  current: await config.current(null),
  snapshots: await config.snapshots(),
  secrets: await config.secrets(),
  tokens: await tokens.list(),
  usage: await usage.recent(1000),
  audit: await audit.list({ limit: 1000 }),
  importedAt: await predecessor.importedAt(),
});

const long = 'x'.repeat(20_000);
const secret = { ...sealedSecret('s2'), envelope: long };
const changes: Record<string, (store: Store) => Promise<unknown>> = {
  'a document': ({ config }) => config.write(configWrite(revision(2, { ...naming('s2'), long }), [secret])),
  'a snapshot': ({ config }) =>
    config.saveSnapshot({ name: 'a', at: start, document: { ...naming('s2'), long } }, [secret], auditEvent('config.snapshot')),
  'new envelopes': ({ config }) => config.reseal([{ id: 's1', from: sealedSecret('s1').envelope, to: long }]),
  'an import': ({ predecessor }) =>
    predecessor.import(
      {
        config: configWrite(revision(2, naming('s2')), [secret]),
        ...{ snapshots: [], secrets: [], owners: [], actions: [], usage: [usageRow('r2', start)] },
      },
      start,
    ),
};

for (const [name, change] of Object.entries(changes)) {
  test(`${name} that finds no room changes nothing, and works when there is room`, async () => {
    const database = openSqlite(join(directory(), 'state.sqlite3'));
    const store = open(database);
    await store.config.write(configWrite(revision(1, naming('s1')), [sealedSecret('s1')]));
    await store.usage.append([usageRow('r', start)]);
    const before = await everything(store);
    const pages = database.prepare('PRAGMA page_count').get()?.['page_count'];
    database.exec(`PRAGMA max_page_count = ${pages}`);
    for (const _ of [1, 2]) {
      await expect(change(store)).rejects.toMatchObject({
        code: 'persistence_unavailable',
        message: expect.stringContaining('free some space'),
      });
      expect(await everything(store)).toEqual(before);
    }
    database.exec('PRAGMA max_page_count = 1000000');
    await change(store);
    expect(await everything(store)).not.toEqual(before);
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    store.close();
  });
}

/** A disk of 2 MiB, where this user may make one. */
const disk = mkdtempSync(join(tmpdir(), 'ola-disk-'));
const mounted = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]).success;
afterAll(() => {
  if (mounted) Bun.spawnSync(['umount', '-l', disk]);
  rmSync(disk, { recursive: true, force: true });
});

if (mounted) {
  test('a disk that runs full loses no acknowledged write, still answers reads, and takes writes once there is room', async () => {
    const path = join(disk, 'state.sqlite3');
    const store = open(openSqlite(path));
    const acknowledged: string[] = [];
    const create = async (id: string) => {
      await store.tokens.create({ ...tokenRecord(id), name: long }, auditEvent('token.create'));
      acknowledged.push(id);
    };
    const stored = async () => (await store.tokens.list()).map(({ id }) => id);
    await create('before');
    writeFileSync(join(disk, 'other'), new Uint8Array(500_000));
    for (let n = 0; acknowledged.length === n + 1; n++) {
      await create(`t${n}`).catch((error) =>
        expect(error).toMatchObject({ code: 'persistence_unavailable', message: expect.stringContaining('free some space') }),
      );
    }
    expect(acknowledged.length).toBeGreaterThan(5);
    for (const id of ['still1', 'still2']) await expect(create(id)).rejects.toMatchObject({ code: 'persistence_unavailable' });
    expect(await stored()).toEqual(acknowledged);
    rmSync(join(disk, 'other'));
    await create('after');
    await store.check();
    expect(await stored()).toEqual(acknowledged);
    store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    const again = open(openSqlite(path));
    expect((await again.tokens.list()).map(({ id }) => id)).toEqual(acknowledged);
    again.close();
  });
}
