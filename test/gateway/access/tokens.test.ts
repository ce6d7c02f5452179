import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { loadTokens } from '../../../src/gateway/access/tokens.ts';
import { createAudit } from '../../../src/gateway/records/audit.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene, start } from '../scene.ts';

const directory = directories();

/** The tokens as another start of the program would read them. */
function reload({ store }: Scene) {
  const log = { log: () => undefined };
  const now = () => start;
  return loadTokens({ store: store.tokens, audit: createAudit({ store: store.audit, now, log }), now, log });
}

describe('a new token', () => {
  test('lets its owner in at once and after a restart', async () => {
    await using scene = await open(directory());
    const { token, view } = await scene.gateway.tokens.create({ name: 'mine', expiresAt: null, project: 'p' }, own);
    const principal = { subject: view.id, tokenId: view.id, project: 'p', scopes: ['read', 'write'] } as const;
    expect(scene.gateway.tokens.find(token)).toEqual(principal);
    expect((await reload(scene)).find(token)).toEqual(principal);
  });

  test('is kept as a digest and a hint; itself it is nowhere, not on the disk, not in a view', async () => {
    const path = directory();
    await using scene = await open(path);
    const { token, view } = await scene.gateway.tokens.create({ name: 'mine', expiresAt: null }, own);
    await scene.gateway.flush();
    const [record] = await scene.store.tokens.list();
    expect(record?.digest).toBe(createHash('sha256').update(token).digest('hex'));
    expect(view.hint).toBe(`ola_****${token.slice(-4)}`);
    expect(JSON.stringify([view, scene.gateway.tokens.list()])).not.toContain(record?.digest as string);
    expect(scene.onDisk()).toContain(view.id);
    expect(scene.onDisk()).not.toContain(token.slice(4, 40));
  });

  test('has the scopes that were asked for, in their order, once; read and write when none were; admin is all', async () => {
    await using scene = await open(directory());
    const made = async (wanted: object) =>
      (await scene.gateway.tokens.create({ name: 'n', expiresAt: null, ...wanted }, own)).view;
    expect((await made({})).scopes).toEqual(['read', 'write']);
    expect((await made({ scopes: [] })).scopes).toEqual(['read', 'write']);
    expect((await made({ scopes: ['write', 'read', 'write'] })).scopes).toEqual(['read', 'write']);
    expect((await made({ scopes: ['read'] })).admin).toBe(false);
    for (const all of [{ admin: true }, { scopes: ['admin'] }, { admin: true, scopes: ['read'] }]) {
      expect(await made(all)).toMatchObject({ scopes: ['read', 'write', 'admin'], admin: true });
    }
  });

  test('is audited without itself', async () => {
    await using scene = await open(directory());
    const { token, view } = await scene.gateway.tokens.create({ name: 'mine', expiresAt: null }, own);
    const events = await scene.store.audit.list({ limit: 10 });
    const event = events.find(({ action }) => action === 'token.create');
    expect(event).toMatchObject({ actor: 'local', result: 'success', requestId: 'req_1', details: { token: view.id } });
    expect(JSON.stringify(events)).not.toContain(token.slice(4, 20));
  });
});

describe('a token ends', () => {
  test('at its time, to the millisecond, and still counts as configured', async () => {
    await using scene = await open(directory());
    const { token } = await scene.gateway.tokens.create({ name: 'n', expiresAt: start + 1000 }, own);
    scene.now = start + 999;
    expect(scene.gateway.tokens.find(token)).not.toBeNull();
    scene.now = start + 1000;
    expect(scene.gateway.tokens.find(token)).toBeNull();
    expect(scene.gateway.tokens.configured()).toBe(true);
    expect(scene.gateway.tokens.list()).toHaveLength(1);
  });

  test('when it is revoked: at once, after a restart too, and once', async () => {
    await using scene = await open(directory());
    const { tokens } = scene.gateway;
    const { token, view } = await tokens.create({ name: 'n', expiresAt: null }, own);
    await tokens.revoke(view.id, own);
    expect(tokens.find(token)).toBeNull();
    expect(tokens.list()).toEqual([]);
    expect(tokens.configured()).toBe(false);
    const again = await reload(scene);
    expect(again.find(token)).toBeNull();
    expect(again.configured()).toBe(false);
    expect(again.list()).toEqual([]);
    for (const id of [view.id, 'tok_unknown', '__proto__']) {
      await expect(tokens.revoke(id, own)).rejects.toMatchObject({ code: 'not_found' });
    }
    const events = await scene.store.audit.list({ limit: 10 });
    expect(events.filter(({ action }) => action === 'token.revoke')).toHaveLength(1);
  });
});

describe('uses', () => {
  test('are counted, with the last time, and written behind', async () => {
    await using scene = await open(directory());
    const { tokens } = scene.gateway;
    const a = (await tokens.create({ name: 'a', expiresAt: null }, own)).view.id;
    const b = (await tokens.create({ name: 'b', expiresAt: null }, own)).view.id;
    for (const at of [1, 2, 3]) {
      scene.now = start + at;
      tokens.used(a);
    }
    tokens.used(b);
    expect((await scene.store.tokens.list()).map(({ useCount }) => useCount)).toEqual([0, 0]);
    const shown = () => tokens.list().map(({ id, useCount, lastUsedAt }) => [id, useCount, lastUsedAt]);
    expect(shown()).toEqual([
      [a, 3, start + 3],
      [b, 1, start + 3],
    ]);
    await tokens.flush();
    tokens.used(a);
    await tokens.flush();
    await tokens.flush();
    const records = await scene.store.tokens.list();
    expect(records.map(({ id, useCount, lastUsedAt }) => [id, useCount, lastUsedAt])).toEqual([
      [a, 4, start + 3],
      [b, 1, start + 3],
    ]);
    expect(shown()).toEqual(records.map(({ id, useCount, lastUsedAt }) => [id, useCount, lastUsedAt]));
  });

  test('are told of with the time of the last request that a token let in, whatever it was for', async () => {
    await using scene = await open(directory());
    const { tokens, access } = scene.gateway;
    const { token, view } = await tokens.create({ name: 'a', expiresAt: null }, own);
    const shown = () => tokens.list().map(({ useCount, lastUsedAt }) => [useCount, lastUsedAt]);
    expect(shown()).toEqual([[0, null]]);
    expect(tokens.nameOf(view.id)).toBe('a');
    scene.now = start + 5;
    access.authenticate(new Headers({ authorization: `Bearer ${token}x` }));
    expect(shown()).toEqual([[0, null]]);
    access.authenticate(new Headers({ authorization: `Bearer ${token}` }));
    expect(shown()).toEqual([[0, start + 5]]);
    await tokens.flush();
    expect((await scene.store.tokens.list()).map(({ useCount, lastUsedAt }) => [useCount, lastUsedAt])).toEqual([[0, start + 5]]);
  });
});
