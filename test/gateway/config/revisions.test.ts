import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene } from '../scene.ts';

const directory = directories();
let path = '';
let scene: Scene;
beforeEach(async () => {
  path = directory();
  scene = await open(path);
});
afterEach(() => scene[Symbol.asyncDispose]());

const replace = (document: JsonObject, ifMatch: string | null = null) => scene.gateway.documents.replace(document, ifMatch, own);
const rollback = (number: number, ifMatch: string | null = null) => scene.gateway.revisions.rollback(number, ifMatch, own);
const inUse = () => scene.gateway.config.snapshot().open as unknown as JsonObject;
const provider = (apiKey: string, host = 'api.acme.example') => ({
  providers: { acme: { baseUrl: `https://${host}/v1`, apiKey } },
});
const keyOf = (n: number) => `sk-CANARY-${n}-0123456789`;

describe('the history', () => {
  test('lists who did what, newest first, and shows each document without its secrets', async () => {
    await replace(provider(keyOf(1)));
    await replace({ defaultModel: 'acme/m' });
    const list = await scene.gateway.revisions.list();
    expect(list.map(({ number, actor }) => [number, actor])).toEqual([
      [2, 'local'],
      [1, 'local'],
    ]);
    const first = await scene.gateway.revisions.show(1);
    expect(first.document).toEqual(provider('[REDACTED]'));
    expect(JSON.stringify([list, first])).not.toContain('CANARY');
  });

  test('tells what differs, forwards and backwards, to the newest unless another is named; secrets on neither side', async () => {
    await replace({ ...provider(keyOf(1)), publicHosts: ['a'], note: 'CANARY note' });
    await replace({ ...provider(keyOf(2)), publicHosts: ['a', 'b'], defaultModel: 'acme/m' });
    await replace(provider(keyOf(2)));
    const { to, changes } = await scene.gateway.revisions.diff(1, 2);
    expect(to).toBe(2);
    expect(changes).toContainEqual({
      path: ['providers', 'acme', 'apiKey'],
      change: 'changed',
      before: '[REDACTED]',
      after: '[REDACTED]',
    });
    expect(changes).toContainEqual({ path: ['publicHosts'], change: 'changed', before: ['a'], after: ['a', 'b'] });
    expect(changes).toContainEqual({ path: ['note'], change: 'removed', before: '[REDACTED]', after: undefined });
    expect(changes).toContainEqual({ path: ['defaultModel'], change: 'added', before: undefined, after: 'acme/m' });
    expect(changes).toHaveLength(4);
    expect(JSON.stringify(changes)).not.toContain('CANARY');
    const back = await scene.gateway.revisions.diff(2, 1);
    expect(back.changes).toContainEqual({ path: ['defaultModel'], change: 'removed', before: 'acme/m', after: undefined });
    expect((await scene.gateway.revisions.diff(1, null)).to).toBe(3);
    expect((await scene.gateway.revisions.diff(2, 2)).changes).toEqual([]);
  });

  test('says which numbers there are when one is not, or has been dropped', async () => {
    await expect(scene.gateway.revisions.show(1)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found', message: expect.stringContaining('none yet') }),
    );
    await expect(scene.gateway.revisions.diff(1, null)).rejects.toThrow(expect.objectContaining({ code: 'not_found' }));
    for (let n = 1; n <= 52; n++) await replace({ defaultModel: `acme/${n}` });
    for (const number of [1, 2, 53]) {
      for (const ask of [
        () => scene.gateway.revisions.show(number),
        () => rollback(number),
        () => scene.gateway.revisions.diff(52, number),
      ]) {
        await expect(ask()).rejects.toThrow(
          expect.objectContaining({
            code: 'not_found',
            message: expect.stringContaining('3 to 52'),
            facts: expect.objectContaining({ details: { oldest: 3, newest: 52 } }),
          }),
        );
      }
    }
    expect(await rollback(3)).toMatchObject({ revision: 53 });
  });
});

describe('a rollback', () => {
  test('leaves access tokens alone, also those that came with a document: they are revoked as any other', async () => {
    await replace({ defaultModel: 'acme/m' });
    const text = 'ola-test-imported-token-0123456789';
    await replace({ defaultModel: 'acme/n', authorization: { tokens: { ci: { token: text, scopes: ['read'] } } } });
    const comesIn = () => scene.gateway.access.authenticate(new Headers({ 'x-api-key': text }));
    expect(comesIn()).toMatchObject({ subject: 'ci', scopes: ['read'] });
    await rollback(1);
    expect(inUse()).toEqual({ defaultModel: 'acme/m' });
    expect(comesIn()).toMatchObject({ subject: 'ci', scopes: ['read'] });
    const [token] = scene.gateway.tokens.list().filter(({ name }) => name === 'ci');
    await scene.gateway.tokens.revoke(token?.id ?? '', own);
    expect(comesIn).toThrow(expect.objectContaining({ code: 'invalid_api_key' }));
    // Nor does going forward again bring a revoked one back.
    await rollback(2);
    expect(inUse()).toEqual({ defaultModel: 'acme/n' });
    expect(comesIn).toThrow(expect.objectContaining({ code: 'invalid_api_key' }));
  });

  test('is a new revision with the old document and its secrets, can be undone itself, and survives a restart', async () => {
    await replace(provider(keyOf(1)));
    await replace(provider(keyOf(2), 'api.other.example'));
    expect(await rollback(1)).toMatchObject({ revision: 3, etag: '"r3"' });
    expect(inUse()).toEqual(provider(keyOf(1)));
    await rollback(2);
    expect(inUse()).toEqual(provider(keyOf(2), 'api.other.example'));
    await rollback(3);
    await scene[Symbol.asyncDispose]();
    scene = await open(path);
    expect(inUse()).toEqual(provider(keyOf(1)));
    const [event] = (await scene.store.audit.list({ limit: 20 })).filter(({ action }) => action === 'config.rollback');
    expect(event).toMatchObject({ actor: 'local', details: { to: 3, revision: 5 } });
    expect((await scene.gateway.revisions.list())[0]).toMatchObject({ number: 5, summary: 'config.rollback 3' });
  });

  test('to 0 undoes the very first change, and is undone like any other', async () => {
    await replace(provider(keyOf(1)));
    await rollback(0);
    expect(inUse()).toEqual({});
    await rollback(1);
    expect(inUse()).toEqual(provider(keyOf(1)));
    expect((await scene.gateway.revisions.show(0)).document).toEqual({});
  });

  test('works when its address may not be written any more, and when the secret was deleted meanwhile', async () => {
    await replace({
      providers: { acme: { baseUrl: 'http://10.0.0.1/v1', apiKey: keyOf(1), allowLocal: true } },
      egressPolicy: { allowedPorts: [80] },
    });
    await replace({ egressPolicy: { denyCidrs: ['10.0.0.0/8'] } });
    await rollback(1);
    expect(inUse()).toMatchObject({ providers: { acme: { apiKey: keyOf(1) } } });
  });

  test('to the revision in force is a conflict that says so; of a stale reading, 412', async () => {
    await replace({ defaultModel: 'a/b' });
    await replace({ defaultModel: 'a/c' });
    await expect(rollback(2)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', message: expect.stringContaining('in force already') }),
    );
    await expect(rollback(1, '"r1"')).rejects.toThrow(expect.objectContaining({ code: 'precondition_failed' }));
    expect(await scene.gateway.revisions.list()).toHaveLength(2);
    expect(await rollback(1, '"r2"')).toMatchObject({ revision: 3 });
  });

  test('to any revision that is kept gives its document back, whatever came between', async () => {
    const step = fc.oneof(
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 9 }).map((key) => ({ write: key })) },
      { weight: 1, arbitrary: fc.nat().map((which) => ({ back: which })) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const place = directory();
        await using one = await open(place);
        const documents = new Map<number, JsonObject>();
        const used = () => one.gateway.config.snapshot().open as unknown as JsonObject;
        for (const next of steps) {
          const { revision } = one.gateway.config.snapshot();
          if ('write' in next) await one.gateway.documents.replace(provider(keyOf(next.write)), null, own);
          else {
            const to = revision === 0 ? 1 : 1 + (next.back % revision);
            const expected = documents.get(to);
            if (expected === undefined || to === revision) continue;
            await one.gateway.revisions.rollback(to, null, own);
            expect(used()).toEqual(expected);
          }
          documents.set(one.gateway.config.snapshot().revision, used());
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('when a file governs', () => {
  const file = (text: string) => ({ path: '/etc/ola.json', text });

  test('the history is the file’s own, and only the file is rolled back', async () => {
    await replace({ defaultModel: 'data/base' });
    await scene[Symbol.asyncDispose]();
    scene = await open(path, { file: file('{"defaultModel": "a/b"}') });
    await scene.gateway.config.reload('{"defaultModel": "a/c"}');
    const { revisions } = scene.gateway;
    expect((await revisions.list()).map(({ number, file: from }) => [number, from])).toEqual([
      [3, '/etc/ola.json'],
      [2, '/etc/ola.json'],
    ]);
    expect((await revisions.diff(2, null)).changes).toEqual([
      { path: ['defaultModel'], change: 'changed', before: 'a/b', after: 'a/c' },
    ]);
    await expect(revisions.show(1)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found', message: expect.stringContaining('/etc/ola.json: there are 2 to 3.') }),
    );
    await expect(rollback(2)).rejects.toThrow(
      expect.objectContaining({ code: 'config_managed_by_file', message: expect.stringContaining('/etc/ola.json') }),
    );
    await scene[Symbol.asyncDispose]();
    scene = await open(path);
    expect((await scene.gateway.revisions.list()).map(({ number }) => number)).toEqual([1]);
    expect(inUse()).toEqual({ defaultModel: 'data/base' });
  });
});
