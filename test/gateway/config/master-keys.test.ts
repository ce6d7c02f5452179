import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVault } from '../../../src/credentials/vault.ts';
import { directories } from '../../directories.ts';
import { open, own } from '../scene.ts';
import { atNextStart, openKeys } from './key-scene.ts';

const directory = directories();
const keyText = (seed: string) => Buffer.from(seed.padEnd(32, '.')).toString('base64');
const bytesIn = (path: string) =>
  readdirSync(path)
    .map((name) => readFileSync(join(path, name), 'latin1'))
    .join('\n');
const refusal = (code: string, ...words: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(new RegExp(words.join('.*'), 's')) });

describe('a rotation of ola’s own key', () => {
  test('seals every secret with a new key, leaves nothing of the old one on the disk, and says so in the audit', async () => {
    const path = directory();
    const scene = openKeys(path);
    await scene.fill(250);
    const old = scene.vault.keyId();
    const rotation = await scene.keys.rotate(own);
    const retiredTo = join(path, 'master.key.retired');
    const source = join(path, 'master.key');
    expect(rotation).toMatchObject({ resealed: 250, dropped: [old], kept: [], damaged: [], source, retiredTo });
    expect(rotation.keyId).not.toBe(old);
    expect(rotation.notes.join()).toContain(`Backups made before this need the retired key (${old}), kept in ${retiredTo}`);
    expect(scene.vault.keyId()).toBe(rotation.keyId);
    expect(bytesIn(path)).toContain(`v1.${rotation.keyId}.`);
    expect(bytesIn(path)).not.toContain(`v1.${old}.`);
    const [event] = await scene.store.audit.list({ limit: 1 });
    const { notes: _, ...facts } = rotation;
    expect(event).toMatchObject({ action: 'key.rotate', result: 'success', actor: 'local', details: facts });
    await scene.close();
    expect(await atNextStart(path)).toEqual({ keyIds: [rotation.keyId], retired: [old], lost: [], sealedBy: [rotation.keyId] });
  });

  test('keeps the old key for good: what is still sealed with it opens, and the next rotation reseals it', async () => {
    const path = directory();
    const scene = openKeys(path);
    const old = createVault(scene.source.read());
    await scene.fill(1);
    const first = await scene.keys.rotate(own);
    // As after a restore of an older database.
    await scene.fill(3, 'older-', old);
    const second = await scene.keys.rotate(own);
    expect(second).toMatchObject({ resealed: 4, dropped: [first.keyId], damaged: [] });
    expect(second.notes.join(' ')).not.toContain('interrupted');
    await scene.fill(1, 'oldest-', old);
    await scene.close();
    const next = await atNextStart(path);
    expect(next).toMatchObject({ keyIds: [second.keyId], retired: [old.keyId(), first.keyId], lost: [] });
  });

  test('takes in what is written meanwhile, and the next one starts from the key of this one', async () => {
    const path = directory();
    const scene = openKeys(path);
    await scene.fill(300);
    const rotating = scene.keys.rotate(own);
    for (let n = 0; n < 20; n++) {
      await scene.fill(2, `w${n}-`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const first = await rotating;
    const second = await scene.keys.rotate(own);
    expect(second).toMatchObject({ resealed: 340, dropped: [first.keyId] });
    await scene.close();
    const next = await atNextStart(path);
    expect(next).toMatchObject({ keyIds: [second.keyId], lost: [], sealedBy: [second.keyId] });
    expect(next.retired).toHaveLength(2);
  });

  test('takes in the whole of the configuration that is written meanwhile, in use and after a restart', async () => {
    const path = directory();
    const scene = await open(path);
    const key = (n: number) => `sk-test-${n}-0123456789`;
    const put = (n: number) =>
      scene.gateway.providers.put(`p${n % 7}`, { baseUrl: 'https://api.acme.example/v1', apiKey: key(n) }, null, own);
    for (let n = 0; n < 7; n++) await put(n);
    let rotating = true;
    const rotation = (async () => {
      for (let n = 0; n < 3; n++) await scene.gateway.keys.rotate(own);
      rotating = false;
    })();
    let last = 7;
    for (; rotating; last++) {
      await put(last);
      await scene.gateway.snapshots.save(`n${last % 3}`, own);
      await new Promise((resolve) => setTimeout(resolve, last % 3));
    }
    await rotation;
    await scene[Symbol.asyncDispose]();
    await using next = await open(path);
    expect(next.log).toEqual([]);
    for (let n = last - 7; n < last; n++) {
      expect(next.gateway.config.snapshot().open.providers?.[`p${n % 7}`]?.apiKey).toBe(key(n));
    }
  });

  test('looks again until nothing is sealed with the old key: what was sealed before it began is written late', async () => {
    const path = directory();
    let reads = 0;
    const scene = openKeys(path, {}, ({ store, source }) => ({
      source,
      store: {
        ...store,
        config: {
          ...store.config,
          async secrets() {
            const read = await store.config.secrets();
            if (++reads > 1 && reads < 5) await scene.fill(1, `late${reads}-`, old);
            return read;
          },
        },
      },
    }));
    await scene.fill(2);
    const old = createVault(scene.source.read());
    const rotation = await scene.keys.rotate(own);
    expect(rotation.resealed).toBe(5);
    await scene.close();
    expect(await atNextStart(path)).toMatchObject({ keyIds: [rotation.keyId], lost: [], sealedBy: [rotation.keyId] });
  });

  test('is one at a time', async () => {
    const scene = openKeys(directory());
    await scene.fill(3);
    const first = scene.keys.rotate(own);
    await expect(scene.keys.rotate(own)).rejects.toThrow(refusal('conflict', 'already'));
    expect(await first).toMatchObject({ resealed: 3 });
    expect(await scene.keys.rotate(own)).toMatchObject({ resealed: 3 });
    await scene.close();
  });

  test('leaves damaged secrets as they are, and keeps the key that they name', async () => {
    const path = directory();
    const scene = openKeys(path);
    await scene.fill(5);
    const old = scene.vault.keyId();
    const database = new Database(join(path, 'state.sqlite3'));
    database.run(`UPDATE secrets SET envelope = substr(envelope, 1, length(envelope) - 4) || 'AAAA' WHERE id = 's1'`);
    database.run(`UPDATE secrets SET envelope = 'v1.broken' WHERE id = 's2'`);
    database.close();
    const rotation = await scene.keys.rotate(own);
    expect(rotation).toMatchObject({ resealed: 3, dropped: [], kept: [old], damaged: ['s1', 's2'] });
    expect(rotation.notes.join(' ')).toMatch(/2 stored secrets are damaged.*stays/);
    await scene.close();
    const next = await atNextStart(path);
    expect(next).toMatchObject({ keyIds: [rotation.keyId, old], lost: ['s1', 's2'] });
  });

  test('finishes one that was interrupted, and says so', async () => {
    const path = directory();
    const before = openKeys(path);
    await before.fill(4);
    await before.close();
    const interrupted = readFileSync(join(path, 'master.key'), 'utf8');
    writeFileSync(join(path, 'master.key'), `${keyText('new')}\n${interrupted}`);
    const scene = openKeys(path);
    await scene.fill(3, 'n');
    const rotation = await scene.keys.rotate(own);
    expect(rotation).toMatchObject({ resealed: 7, dropped: [expect.any(String), expect.any(String)] });
    expect(rotation.notes.join(' ')).toContain('interrupted');
    await scene.close();
    expect(await atNextStart(path)).toMatchObject({ keyIds: [rotation.keyId], lost: [], sealedBy: [rotation.keyId] });
  });

  test('is refused when the file is not the one of the start; nothing is changed then', async () => {
    const path = directory();
    const scene = openKeys(path);
    await scene.fill(2);
    const original = readFileSync(join(path, 'master.key'), 'utf8');
    const others = [`${keyText('new')}\n${original}`, keyText('other')];
    for (const text of others) {
      writeFileSync(join(path, 'master.key'), text);
      await expect(scene.keys.rotate(own)).rejects.toThrow(refusal('conflict', 'restart ola first'));
      expect(readFileSync(join(path, 'master.key'), 'utf8')).toBe(text);
    }
    writeFileSync(join(path, 'master.key'), original);
    expect(await scene.keys.rotate(own)).toMatchObject({ resealed: 2 });
    await scene.close();
  });
});

describe('a rotation of keys that somebody else keeps', () => {
  test('is refused with instructions while there is one key', async () => {
    const path = directory();
    const scene = openKeys(path, { value: keyText('old') });
    await scene.fill(2);
    await expect(scene.keys.rotate(own)).rejects.toThrow(
      refusal('conflict', 'OPEN_LLM_AUTH_MASTER_KEY', 'openssl rand', 'in front of the old one', 'restart ola'),
    );
    await scene.close();
    expect((await atNextStart(path, { value: keyText('old') })).lost).toEqual([]);
  });

  test('seals with the first, and says which ones may be taken out; then they may', async () => {
    const path = directory();
    const before = openKeys(path, { value: keyText('old') });
    await before.fill(3);
    const old = before.vault.keyId();
    await before.close();
    const scene = openKeys(path, { value: `${keyText('new')},${keyText('old')}` });
    const rotation = await scene.keys.rotate(own);
    expect(rotation).toMatchObject({ keyId: scene.vault.keyId(), resealed: 3, dropped: [old] });
    expect(rotation.notes.join(' ')).toContain(`Take ${old} out of OPEN_LLM_AUTH_MASTER_KEY`);
    await scene.close();
    expect((await atNextStart(path, { value: keyText('new') })).lost).toEqual([]);
  });

  test('is refused when a key that is still needed has been taken out', async () => {
    const path = directory();
    const file = join(directory(), 'keys');
    writeFileSync(file, keyText('old'), { mode: 0o600 });
    const before = openKeys(path, { file });
    await before.fill(1);
    const old = before.vault.keyId();
    await before.close();
    writeFileSync(file, `${keyText('new')}\n${keyText('old')}`);
    const scene = openKeys(path, { file });
    writeFileSync(file, `${keyText('new')}\n${keyText('third')}`);
    await expect(scene.keys.rotate(own)).rejects.toThrow(refusal('conflict', old, 'put it back'));
    await scene.close();
  });
});

describe('an end in the middle', () => {
  /** Lets so many steps be done, and none after that: what a kill leaves. */
  function dyingAfter(steps: number) {
    let left = steps;
    const step = <T>(work: () => T): T => {
      if (left-- <= 0) throw new Error('killed');
      return work();
    };
    return { step, isDead: () => left < 0 };
  }

  test('at any step leaves every secret readable, and the next rotation ends well', async () => {
    let steps = 0;
    for (let finished = false; !finished; steps++) {
      const path = directory();
      const { step } = dyingAfter(steps);
      const scene = openKeys(path, {}, ({ store, source }) => ({
        store: {
          audit: { ...store.audit, append: async (events) => step(() => store.audit.append(events)) },
          checkpoint: async () => step(() => store.checkpoint()),
          grants: store.grants,
          config: {
            secrets: async () => step(() => store.config.secrets()),
            reseal: async (changes) => step(() => store.config.reseal(changes)),
          },
        },
        source: { ...source, write: (ring) => step(() => source.write?.(ring)) },
      }));
      await scene.fill(120);
      finished = await scene.keys.rotate(own).then(
        () => true,
        () => false,
      );
      // The process lives on, or it is started again: both must work.
      await scene.fill(1, 'after');
      await scene.close();
      expect((await atNextStart(path)).lost).toEqual([]);
      const again = openKeys(path);
      const rotation = await again.keys.rotate(own);
      await again.close();
      expect(await atNextStart(path)).toMatchObject({ keyIds: [rotation.keyId], lost: [], sealedBy: [rotation.keyId] });
      expect(
        bytesIn(path)
          .match(/v1\.[0-9a-f]{8}\./g)
          ?.every((mark) => mark === `v1.${rotation.keyId}.`),
      ).toBe(true);
    }
    expect(steps).toBeGreaterThan(8);
  });

  test('by kill -9, again and again, leaves every secret readable', async () => {
    const path = directory();
    const first = openKeys(path);
    await first.fill(250);
    await first.close();
    for (let round = 1; round <= 4; round++) {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, 'rotate-keys.ts'), path], {
        stdout: 'pipe',
        stderr: 'inherit',
      });
      let said = 0;
      for await (const chunk of child.stdout) {
        said += chunk.length;
        if (said > round * 4) child.kill('SIGKILL');
      }
      await child.exited;
      expect(child.signalCode).toBe('SIGKILL');
      expect((await atNextStart(path)).lost).toEqual([]);
    }
    const scene = openKeys(path);
    const { keyId } = await scene.keys.rotate(own);
    await scene.close();
    expect(await atNextStart(path)).toMatchObject({ keyIds: [keyId], lost: [], sealedBy: [keyId] });
  });
});
