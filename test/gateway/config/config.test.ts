import { Database } from 'bun:sqlite';
import { afterEach, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import { redacted } from '../../../src/core/secrets.ts';
import { directories } from '../../directories.ts';
import { open, own, refusalOf, type Scene, type SceneOptions, variable } from '../scene.ts';

const directory = directories();
const file = '/etc/ola/config.json';
const baseUrl = 'https://api.acme.example/v1';
const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene[Symbol.asyncDispose]();
});

/** Opened under a file with this text. */
async function under(text: string, options: SceneOptions = {}, path = directory()): Promise<Scene> {
  const scene = await open(path, { ...options, file: { path: file, text } });
  scenes.push(scene);
  return scene;
}
const used = (scene: Scene) => scene.gateway.config.snapshot().open as unknown as JsonObject;
const caller = (scene: Scene, token: string) => scene.gateway.access.authenticate(new Headers({ 'x-api-key': token }));

describe('a file that governs', () => {
  const environment = { ACME_KEY: 'CANARY-key', TEAM: 'CANARY-team', CI_TOKEN: 'CANARY-ci-token-0123456789' };
  const secretFiles = { 'secrets/acme': 'CANARY-from-a-file' };
  const text = `{
    // why this one
    "providers": {
      "acme": { "base_url": "${baseUrl}", "apiKey": "ACME_KEY", "headers": { "x-team": "\${TEAM}", "x-plain": "CANARY-plain" } },
      "filed": { "baseUrl": "${baseUrl}", "apiKey": "file:secrets/acme" }, // a trailing comma:
    },
    "mine": "CANARY-mine",
  }`;

  test('is used with its references opened; what stands in it in clear is sealed, what it names is shown', async () => {
    const scene = await under(text, { environment, secretFiles });
    expect(used(scene)).toEqual({
      providers: {
        acme: { baseUrl, apiKey: 'CANARY-key', headers: { 'x-team': 'CANARY-team', 'x-plain': 'CANARY-plain' } },
        filed: { baseUrl, apiKey: 'CANARY-from-a-file' },
      },
      mine: 'CANARY-mine',
    });
    expect(scene.gateway.documents.show().document).toEqual({
      providers: {
        acme: { baseUrl, apiKey: variable('ACME_KEY'), headers: { 'x-team': variable('TEAM'), 'x-plain': redacted } },
        filed: { baseUrl, apiKey: 'file:secrets/acme' },
      },
      mine: redacted,
    });
    expect(await scene.store.config.current(null)).toBeNull();
    expect(await scene.store.config.current(file)).toMatchObject({ number: 1, actor: 'file', file });
    await scene.gateway.flush();
    expect(scene.onDisk()).not.toContain('CANARY');
    for (const held of ['CANARY-from-a-file', 'CANARY-team', 'CANARY-plain', 'CANARY-mine']) {
      expect(scene.gateway.redact(`a ${held} b`)).not.toContain('CANARY');
    }
  });

  test('is a revision once: not at a start or a reload that finds it as it was', async () => {
    const path = directory();
    const first = await under(text, { environment, secretFiles }, path);
    const sealed = await first.store.config.secrets();
    await first.gateway.config.reload(text);
    await first.gateway.config.reload(text.replace('why', 'still'));
    scenes.pop();
    await first[Symbol.asyncDispose]();
    const again = await under(text, { environment, secretFiles }, path);
    expect(again.gateway.config.snapshot().etag).toBe('"r1"');
    expect(await again.store.config.secrets()).toEqual(sealed);
    await again.gateway.config.reload(text.replace('CANARY-plain', 'CANARY-other'));
    expect(await again.store.config.current(file)).toMatchObject({ number: 2, summary: 'file providers.acme.headers.x-plain' });
    expect(await again.store.config.secrets()).toHaveLength(3);
  });

  test('in which only the order has changed is another one: providers are preferred in theirs', async () => {
    const providers = (...ids: string[]) =>
      JSON.stringify({
        providers: Object.fromEntries(ids.map((id) => [id, { baseUrl, authHeader: false, models: [{ id: 'm' }] }])),
      });
    const scene = await under(providers('b', 'a'));
    await scene.gateway.config.reload(providers('a', 'b'));
    expect(Object.keys(used(scene)['providers'] as JsonObject)).toEqual(['a', 'b']);
    expect(scene.gateway.config.snapshot().revision).toBe(2);
  });

  test('may say `file:` where no credential is expected, and means those words', async () => {
    const scene = await under('{"mine":"file:secrets/CANARY"}', { secretFiles });
    expect(used(scene)).toEqual({ mine: 'file:secrets/CANARY' });
    expect(JSON.stringify(scene.gateway.config.snapshot().document)).not.toContain('CANARY');
  });

  test('has the files that it names read again when it is', async () => {
    const files: Record<string, string> = { ...secretFiles };
    const scene = await under(text, { environment, secretFiles: files });
    files['secrets/acme'] = 'CANARY-new';
    await scene.gateway.config.reload(text);
    expect(used(scene)).toMatchObject({ providers: { filed: { apiKey: 'CANARY-new' } } });
    expect(scene.gateway.config.snapshot().revision).toBe(1);
  });

  test('is not changed by the API, which names it; tokens are', async () => {
    const scene = await under(text, { environment, secretFiles });
    const writes = [
      scene.gateway.documents.replace({}, null, own),
      scene.gateway.documents.replace({}, '"r9"', own),
      scene.gateway.providers.put('other', { baseUrl }, null, own),
      scene.gateway.providers.remove('acme', null, own),
    ];
    for (const write of writes) {
      const error: unknown = await write.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'config_managed_by_file', status: 409, facts: { details: { file } } });
      expect((error as Error).message).toContain(file);
    }
    const { token } = await scene.gateway.tokens.create({ name: 'a', expiresAt: null }, own);
    expect(caller(scene, token)).toHaveProperty('subject');
    expect(scene.gateway.config.snapshot().revision).toBe(1);
  });

  test('may hold access tokens by reference, compared as they are now', async () => {
    const tokens = {
      ci: { token: 'CI_TOKEN', scopes: ['read'] },
      off: { token: variable('TEAM'), enabled: false },
      gone: { token: variable('NOT_SET') },
    };
    const scene = await under(JSON.stringify({ authorization: { tokens } }), { environment });
    expect(caller(scene, environment.CI_TOKEN)).toEqual({ subject: 'ci', tokenId: null, project: null, scopes: ['read'] });
    for (const token of [environment.TEAM, variable('NOT_SET'), 'CI_TOKEN', ''])
      expect(caller(scene, token)).toMatchObject({ status: 401 });
    expect(scene.gateway.tokens.list()).toEqual([]);
    await scene.gateway.config.reload('{}');
    expect(caller(scene, environment.CI_TOKEN)).toMatchObject({ status: 401 });
  });

  test('may say where the database is', async () => {
    expect(used(await under('{"durableState":{"dbPath":"/var/lib/ola.sqlite3"}}'))).toEqual({
      durableState: { dbPath: '/var/lib/ola.sqlite3' },
    });
  });

  test('may name a secret of the store, which goes to its own address alone', async () => {
    const path = directory();
    const before = await open(path);
    await before.gateway.providers.put('acme', { baseUrl, apiKey: 'CANARY-stored' }, null, own);
    const [secret] = await before.store.config.secrets();
    await before[Symbol.asyncDispose]();
    const providers = {
      a: { baseUrl, apiKey: `store:${secret?.id}` },
      b: { baseUrl: 'https://evil.example', apiKey: `store:${secret?.id}` },
    };
    const scene = await under(JSON.stringify({ providers }), {}, path);
    expect(used(scene)).toMatchObject({ providers: { a: { apiKey: 'CANARY-stored' } } });
    expect((await refusalOf(scene, 'b/m')).message).toContain('origin_mismatch');
  });
});

describe('a file that cannot be used', () => {
  const good = `{"defaultModel":"good","providers":{"acme":{"baseUrl":"${baseUrl}"}}}`;
  const table: readonly [what: string, text: string, code: string, says: string][] = [
    ['is no JSON', '{"a": CANARY', 'invalid_json', 'line 1'],
    ['is empty', '', 'invalid_json', 'line 1'],
    ['does not fit', '{"publicHosts":"CANARY"}', 'invalid_field', "'publicHosts'"],
    [
      'holds a key in clear',
      `{"providers":{"acme":{"baseUrl":"${baseUrl}","apiKey":"sk-CANARY"}}}`,
      'invalid_field',
      variable('NAME'),
    ],
    ['holds a token in clear', '{"authorization":{"tokens":{"a":{"token":"CANARY-0123"}}}}', 'invalid_field', 'file:PATH'],
    ['holds a placeholder', `{"mine":"${redacted}"}`, 'invalid_field', 'nothing is stored'],
    [
      'names the metadata service',
      '{"providers":{"a":{"baseUrl":"https://169.254.169.254/"}}}',
      'unsafe_destination',
      'providers.a.baseUrl',
    ],
    ['names this machine', '{"providers":{"a":{"baseUrl":"http://127.0.0.1:1"}}}', 'unsafe_destination', 'allowLocal'],
  ];

  for (const [what, text, code, says] of table) {
    test(`because it ${what} ends the start, and nothing is written`, async () => {
      const path = directory();
      const error: unknown = await under(text, {}, path).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code });
      const { message } = error as Error;
      expect(message.startsWith(`${file}: `)).toBe(true);
      expect(message).toContain(says);
      expect(message).not.toContain('CANARY');
      const database = new Database(`${path}/state.sqlite3`, { readonly: true });
      expect(database.query('SELECT count(*) AS n FROM revisions').get()).toEqual({ n: 0 });
      database.close();
    });

    test(`because it ${what} changes nothing while ola runs; it is said once, and health is degraded until it is mended`, async () => {
      const scene = await under(good);
      const health = async () => {
        scene.now += 2000;
        const { status, checks } = await scene.gateway.health.report();
        return [status, checks['config']];
      };
      expect(await health()).toEqual(['ok', 'ok']);
      for (let n = 0; n < 3; n++) await scene.gateway.config.reload(text);
      expect(scene.gateway.config.problem()).toContain(says);
      expect(await health()).toEqual(['degraded', 'invalid']);
      expect(used(scene)).toMatchObject({ defaultModel: 'good' });
      expect(scene.log.filter(({ level }) => level === 'error')).toHaveLength(1);
      expect(JSON.stringify([scene.log, scene.gateway.config.problem()])).not.toContain('CANARY');
      await scene.gateway.config.reload(good.replace('"good"', '"better"'));
      expect(scene.gateway.config.problem()).toBeNull();
      expect(await health()).toEqual(['ok', 'ok']);
      expect(used(scene)).toMatchObject({ defaultModel: 'better' });
    });
  }

  test('because it is gone leaves the last good one in force', async () => {
    const scene = await under(good);
    await scene.gateway.config.reload(null);
    expect(scene.gateway.config.problem()).toContain(file);
    expect(used(scene)).toMatchObject({ defaultModel: 'good' });
    await scene.gateway.config.reload(good);
    expect(scene.gateway.config.problem()).toBeNull();
  });

  test('because the database cannot take it is to be handed over again, the same text, and is in force then', async () => {
    const path = directory();
    const scene = await under(good, {}, path);
    const next = good.replace('"good"', '"better"');
    const other = new Database(`${path}/state.sqlite3`);
    other.run("CREATE TRIGGER no_room BEFORE INSERT ON revisions BEGIN SELECT raise(ABORT, 'database or disk is full'); END");
    for (let n = 0; n < 2; n++) expect(await scene.gateway.config.reload(next)).toBe(false);
    expect(scene.gateway.config.problem()).toContain('free some space');
    expect(used(scene)).toMatchObject({ defaultModel: 'good' });
    // No matter of the database: the same text would be refused again.
    expect(await scene.gateway.config.reload('{')).toBe(true);
    expect(await scene.gateway.config.reload(next)).toBe(false);
    other.run('DROP TRIGGER no_room');
    other.close();
    expect(await scene.gateway.config.reload(next)).toBe(true);
    expect(scene.gateway.config.problem()).toBeNull();
    expect(used(scene)).toMatchObject({ defaultModel: 'better' });
    expect(scene.log.filter(({ level }) => level === 'error')).toHaveLength(3);
  });

  test('does not depend on the network: a name that does not resolve is the dial’s to refuse', async () => {
    const unknown = '{"providers":{"a":{"baseUrl":"https://not-there.test.acme.xyz/v1"}}}';
    const scene = await under(unknown);
    await scene.gateway.config.reload(unknown.replace('/v1', '/v2'));
    expect(scene.gateway.config.problem()).toBeNull();
  });

  test('reloads one after another, the last one wins', async () => {
    const scene = await under(good);
    const texts = Array.from({ length: 20 }, (_, n) => (n % 3 === 0 ? '{' : `{"defaultModel":"m${n}"}`));
    await Promise.all([...texts, '{"defaultModel":"last"}'].map((text) => scene.gateway.config.reload(text)));
    expect(used(scene)).toEqual({ defaultModel: 'last' });
    expect(scene.gateway.config.problem()).toBeNull();
  });
});

describe('histories', () => {
  test('of the database and of each file are apart, numbered through', async () => {
    const path = directory();
    const database = await open(path);
    await database.gateway.documents.replace({ defaultModel: 'a' }, null, own);
    await database[Symbol.asyncDispose]();
    const governed = await under('{"defaultModel":"b"}', {}, path);
    expect(governed.gateway.config.snapshot()).toMatchObject({ revision: 2, document: { defaultModel: 'b' } });
    scenes.pop();
    await governed[Symbol.asyncDispose]();
    const again = await open(path);
    scenes.push(again);
    expect(again.gateway.config.snapshot()).toMatchObject({ revision: 1, etag: '"r1"', document: { defaultModel: 'a' } });
    const { etag } = await again.gateway.documents.replace({ defaultModel: 'c' }, '"r1"', own);
    expect(etag).toBe('"r3"');
  });
});

describe('a secret that cannot be opened', () => {
  const provider = (id: string, more: JsonObject = {}) => ({
    baseUrl: `https://${id}.example/v1`,
    apiKey: `key-of-${id}`,
    ...more,
  });
  const providers = {
    key: provider('key'),
    header: provider('header', { headers: { 'x-team': 'team-secret' } }),
    both: provider('both'),
    fine: provider('fine'),
  };

  /** The database with the secrets at these places damaged. */
  async function damaged(places: readonly (readonly string[])[], environment: Readonly<Record<string, string>> = {}) {
    const path = directory();
    const before = await open(path);
    await before.gateway.documents.replace({ providers }, null, own);
    const { document } = before.gateway.config.snapshot();
    await before[Symbol.asyncDispose]();
    const database = new Database(`${path}/state.sqlite3`);
    for (const place of places) {
      const reference = place.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document);
      const { $secret } = reference as { $secret: string };
      database.run("UPDATE secrets SET envelope = substr(envelope, 1, length(envelope) - 4) || 'AAAA' WHERE id = ?", [$secret]);
    }
    database.close();
    const scene = await open(path, { environment });
    scenes.push(scene);
    return scene;
  }

  test('switches off its own provider, which says so, and no other', async () => {
    const scene = await damaged([
      ['providers', 'key', 'apiKey'],
      ['providers', 'header', 'headers', 'x-team'],
    ]);
    expect((await refusalOf(scene, 'key/m')).message).toContain('its apiKey is damaged');
    expect((await refusalOf(scene, 'header/m')).message).toContain("its header 'x-team' is damaged");
    for (const id of ['both', 'fine']) expect((await refusalOf(scene, `${id}/m`)).code).not.toBe('provider_resolution_failed');
    const errors = scene.log.filter(({ level }) => level === 'error');
    expect(errors.map(({ level, fields }) => [level, (fields as { place?: string }).place])).toEqual([
      ['error', 'providers.key.apiKey'],
      ['error', 'providers.header.headers.x-team'],
    ]);
    expect(scene.gateway.documents.show().document).toMatchObject({ providers: { key: { apiKey: redacted } } });
  });

  test('is not missed where the environment has a key', async () => {
    const scene = await damaged([['providers', 'both', 'apiKey']], { BOTH_API_KEY: 'from-the-environment' });
    expect((await refusalOf(scene, 'both/m')).code).not.toBe('provider_resolution_failed');
  });

  test('survives other changes, is said once, and can be entered again', async () => {
    const scene = await damaged([['providers', 'key', 'apiKey']]);
    await scene.gateway.providers.put('other', provider('other'), null, own);
    await scene.gateway.documents.replace(scene.gateway.documents.show().document, null, own);
    expect(scene.log).toHaveLength(1);
    await scene.gateway.providers.put('key', provider('key'), null, own);
    expect((await refusalOf(scene, 'key/m')).code).not.toBe('provider_resolution_failed');
  });

  test('because its variable is not set, or its file is gone, is said by name or not at all', async () => {
    const text = {
      providers: {
        variable: { baseUrl, apiKey: variable('NOT_SET') },
        filed: { baseUrl, apiKey: 'file:/run/secrets/hidden-path' },
        odd: { baseUrl, apiKey: 'file:odd' },
        header: { baseUrl, apiKey: 'SET_KEY', headers: { 'x-team': variable('NOT_SET') } },
        ollama: { apiKey: variable('NOT_SET') },
        fine: { baseUrl, apiKey: 'SET_KEY' },
      },
    };
    const scene = await under(JSON.stringify(text), { environment: { SET_KEY: 'k' }, secretFiles: { odd: 'two\nlines' } });
    const says = async (id: string) => (await refusalOf(scene, `${id}/m`)).message;
    expect(await says('variable')).toContain('NOT_SET, which is not set');
    expect(await says('filed')).toContain('names a file that cannot be read');
    expect(await says('filed')).not.toContain('hidden-path');
    expect(await says('header')).toContain("its header 'x-team' names the variable NOT_SET");
    expect((await refusalOf(scene, 'ollama/m')).code).toBe('provider_resolution_failed');
    expect((await refusalOf(scene, 'fine/m')).code).not.toBe('provider_resolution_failed');
    expect(await says('odd')).not.toContain('two');
    // A variable that is not set may be meant to be; a file that is named is meant to be there.
    const levels = scene.log.map(({ level, fields }) => [level, (fields as { place?: string } | undefined)?.place]);
    expect(levels).toContainEqual(['warn', 'providers.variable.apiKey']);
    expect(levels).toContainEqual(['warn', 'providers.header.headers.x-team']);
    expect(levels.filter(([level]) => level === 'error')).toEqual([['error', 'providers.filed.apiKey']]);
  });
});
