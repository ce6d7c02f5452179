/** The history of the configuration: whatever was done, one command undoes it, secrets too; and none of it shows a secret. */
import { describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TSchema } from '@sinclair/typebox';
import { documentSchema } from '../../src/core/document.ts';
import { type Answer, adminToken, binary, type Ended, expectError, filesBelow, type Ola, stage, until } from './stage.ts';
import type { Upstream } from './upstream.ts';

const { directory, run, start, upstream } = stage();

const firstKey = 'key-that-came-first-0123456789';
const firstHeader = 'header-that-came-first-0123456789';
const secondKey = 'key-that-came-second-0123456789';

const document = ({ baseUrl }: Upstream, apiKey = firstKey, header = firstHeader) => ({
  defaultModel: 'acme/one',
  providers: { acme: { baseUrl, apiKey, allowLocal: true, headers: { 'x-team': header } } },
});

interface Scene {
  readonly home: string;
  readonly up: Upstream;
  readonly folder: string;
  /** A command beside the server, or without one; it must succeed. */
  command(...args: readonly string[]): Promise<Ended>;
  /** A command with a text as its standard input. */
  fed(input: string, ...args: readonly string[]): Promise<string>;
}

function sceneIn(home: string, up: Upstream): Scene {
  const folder = directory();
  return {
    home,
    up,
    folder,
    async command(...args) {
      const ended = await run(args, { home });
      expect([args, ended.code, ended.code === 0 ? '' : ended.err]).toEqual([args, 0, '']);
      return ended;
    },
    async fed(input, ...args) {
      const env = { PATH: process.env['PATH'] ?? '', HOME: home, OPEN_LLM_AUTH_HOME: home };
      const child = Bun.spawn([binary, ...args], { env, cwd: folder, stdin: Buffer.from(input), stdout: 'pipe', stderr: 'pipe' });
      const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
      expect([args, child.exitCode, child.exitCode === 0 ? '' : err]).toEqual([args, 0, '']);
      return out;
    },
  };
}

async function served(): Promise<Scene & { readonly ola: Ola }> {
  const [ola, up] = [await start(), await upstream()];
  const { status, text } = await ola.ask('POST', '/config', document(up));
  expect(`${status} ${text}`).toStartWith('200 ');
  return { ...sceneIn(ola.home, up), ola };
}

function file(path: string, value: unknown): string {
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

/** An editor that replaces one word, as a person would. */
function editor(folder: string, from: string, to: string): string {
  const path = file(join(folder, 'editor.sh'), `#!/bin/sh\nsed -i 's|${from}|${to}|' "$1"\n`);
  chmodSync(path, 0o700);
  return path;
}

let asked = 0;
/** What a call carries now. */
async function carried({ ola, up }: { readonly ola: Ola; readonly up: Upstream }): Promise<unknown> {
  const model = `m${++asked}`;
  const answer = await ola.chat(`acme/${model}`);
  if (answer.status !== 200) return answer.status;
  const { headers } = up.requestFor(model);
  return [headers.get('authorization'), headers.get('x-team')];
}

const atFirst = [`Bearer ${firstKey}`, firstHeader];

describe('one command undoes', () => {
  type Change = (scene: Scene & { readonly ola: Ola }) => Promise<unknown>;
  const api =
    (method: string, path: string, body: (scene: Scene) => unknown): Change =>
    async (scene) => {
      const { status, text } = await scene.ola.ask(method, path, body(scene));
      expect(`${status} ${text}`).toStartWith('200 ');
    };
  const changes: readonly (readonly [string, Change, unknown])[] = [
    [
      'PUT of a provider',
      api('PUT', '/config/providers/acme', ({ up }) => ({ baseUrl: up.baseUrl, allowLocal: true, apiKey: secondKey })),
      // What is not sent of its secrets stays.
      [`Bearer ${secondKey}`, firstHeader],
    ],
    ['DELETE of a provider', api('DELETE', '/config/providers/acme', () => undefined), 404],
    [
      'POST of a document',
      api('POST', '/config', ({ up }) => document(up, secondKey, 'other')),
      [`Bearer ${secondKey}`, 'other'],
    ],
    ['POST of an empty document', api('POST', '/config', () => ({})), 404],
    [
      'POST of an import',
      api('POST', '/config/import', ({ up }) => ({ content: document(up, secondKey, '[REDACTED]') })),
      [`Bearer ${secondKey}`, firstHeader],
    ],
    [
      'config set of a secret',
      async ({ fed }) => fed(`${secondKey}\n`, 'config', 'set', 'providers.acme.apiKey', '--stdin'),
      [`Bearer ${secondKey}`, firstHeader],
    ],
    [
      'config set --unset',
      async ({ command }) => command('config', 'set', 'providers.acme.headers', '--unset'),
      [`Bearer ${firstKey}`, undefined],
    ],
    ['config set of a switch', async ({ command }) => command('config', 'set', 'providers.acme.enabled', 'false'), 404],
    [
      'config edit',
      async ({ folder, home }) => {
        const env = { EDITOR: editor(folder, '"x-team"', '"x-other"') };
        // The header's secret has no value under its new name.
        const refused = await run(['config', 'edit'], { home, env });
        expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('x-other')]);
        const edited = await run(['config', 'edit'], {
          home,
          env: { EDITOR: editor(folder, '"allowLocal": true', '"allowLocal": true, "authHeader": false') },
        });
        expect([edited.code, edited.err]).toEqual([0, '']);
      },
      [undefined, firstHeader],
    ],
    [
      'config import',
      async ({ command, folder, up }) =>
        command('config', 'import', file(join(folder, 'new.json'), document(up, secondKey, 'new'))),
      [`Bearer ${secondKey}`, 'new'],
    ],
    [
      'the activation of a snapshot',
      async ({ ola, up }) => {
        const content = JSON.stringify(document(up, secondKey, 'of the snapshot'));
        for (const [path, body] of [
          ['/config/profiles/import', { name: 'other', content }],
          ['/config/profiles/other/activate', {}],
          // The undo does not need it.
        ] as const)
          expect((await ola.ask('POST', path, body)).status).toBe(200);
        expect((await ola.ask('DELETE', '/config/profiles/other')).status).toBe(200);
      },
      [`Bearer ${secondKey}`, 'of the snapshot'],
    ],
  ];

  test.each(changes)('%s, and the undoing itself', async (_, change, then) => {
    const scene = await served();
    const { ola, command } = scene;
    const before = (await ola.ask('GET', '/config')).text;
    expect(await carried(scene)).toEqual(atFirst);
    await change(scene);
    expect(await carried(scene)).toEqual(then);
    const after = (await ola.ask('GET', '/config')).text;

    const undone = await command('config', 'rollback');
    expect(await carried(scene)).toEqual(atFirst);
    expect((await ola.ask('GET', '/config')).text).toBe(before);
    expect(undone.out + undone.err).not.toMatch(/-0123456789/);
    expect(undone.err).toMatch(/^undo: ola config rollback \d+\n$/);

    await command('config', 'rollback');
    expect(await carried(scene)).toEqual(then);
    expect((await ola.ask('GET', '/config')).text).toBe(after);
    await command('config', 'rollback', '1');
    expect(await carried(scene)).toEqual(atFirst);
  });

  test('a change that a restart has come after, and one that was made while nothing ran', async () => {
    const scene = await served();
    const { ola, command, fed, home } = scene;
    await fed(secondKey, 'config', 'set', 'providers.acme.apiKey', '--stdin');
    ola.kill('SIGTERM');
    await ola.exited;
    await command('config', 'rollback');
    await command('config', 'set', 'defaultModel', 'acme/offline');
    const again = { ...scene, ola: await start({ home }) };
    expect(await carried(again)).toEqual(atFirst);
    expect((await again.ola.chat('default')).status).toBe(200);
    expect(scene.up.for('offline')).toHaveLength(1);
    await command('config', 'rollback', '2');
    expect(await carried(again)).toEqual([`Bearer ${secondKey}`, firstHeader]);
  });

  test('the first change of all', async () => {
    const [ola, up] = [await start(), await upstream()];
    const scene = { ...sceneIn(ola.home, up), ola };
    await ola.addProvider('acme', up, { apiKey: firstKey, headers: { 'x-team': firstHeader } });
    await scene.command('config', 'rollback');
    expect(await carried(scene)).toBe(404);
    await scene.command('config', 'rollback');
    expect(await carried(scene)).toEqual(atFirst);
  });

  test('a change of a file that governs, whose comments stay', async () => {
    const up = await upstream();
    const folder = directory();
    file(join(folder, 'a.key'), firstKey);
    file(join(folder, 'b.key'), secondKey);
    for (const name of ['a.key', 'b.key']) chmodSync(join(folder, name), 0o600);
    const config = join(folder, 'ola.json');
    const text = `{\n  // the team's\n  "providers": { "acme": ${JSON.stringify({ baseUrl: up.baseUrl, allowLocal: true, apiKey: 'file:a.key' })} }\n}\n`;
    writeFileSync(config, text, { mode: 0o600 });
    const ola = await start({ args: ['--config', config] });
    const scene = { ...sceneIn(ola.home, up), ola };
    expect(await carried(scene)).toEqual([`Bearer ${firstKey}`, undefined]);
    await scene.command('config', 'set', 'providers.acme.apiKey', 'file:b.key');
    await inForce(ola, 2);
    expect(await carried(scene)).toEqual([`Bearer ${secondKey}`, undefined]);
    await scene.command('config', 'rollback');
    await inForce(ola, 3);
    expect(await carried(scene)).toEqual([`Bearer ${firstKey}`, undefined]);
    expect(readFileSync(config, 'utf8')).toContain("// the team's");
    expectError(await ola.ask('POST', '/config/revisions/2/rollback', {}), 409, 'config_managed_by_file');
  });
});

async function inForce(ola: Ola, revision: number): Promise<void> {
  const current = async () => (await ola.ask('GET', '/config')).headers.get('etag');
  await until(`revision ${revision} is in force`, async () => (await current()) === `"r${revision}"`);
}

describe('the history', () => {
  test('says who did what, newest first, compares any two, and keeps fifty', async () => {
    const scene = await served();
    const { ola, command, up } = scene;
    await command('config', 'set', 'defaultModel', 'acme/two');
    await ola.addProvider('beta', up);
    const listed = JSON.parse((await command('config', 'history', '--json')).out) as { data: Record<string, unknown>[] };
    expect(listed.data.map(({ number, actor }) => [number, actor])).toEqual([
      [3, 'legacy-admin'],
      [2, 'local'],
      [1, 'legacy-admin'],
    ]);
    expect(listed.data.map(({ summary }) => summary)).toEqual([
      'provider.update beta',
      'config.update defaultModel',
      'config.update defaultModel, providers',
    ]);
    expect((await command('config', 'diff', '1', '2')).out).toBe('~ defaultModel: "acme/one" -> "acme/two"\n');
    expect((await command('config', 'diff', '3', '2')).out).toStartWith('- providers.beta: ');
    for (let index = 0; index < 50; index++)
      expect((await ola.ask('POST', '/config', { defaultModel: `acme/${index}` })).status).toBe(200);
    const kept = JSON.parse((await command('config', 'history', '--json')).out) as { data: { number: number }[] };
    expect(kept.data.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, index) => 53 - index));
    const gone = await run(['config', 'rollback', '3'], { home: ola.home });
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining('4 to 53')]);
  });
});

/** A document with a secret of its own in every place that may hold one, found by the schema. */
function planted(up: Upstream) {
  const secrets = new Map<string, string>();
  let count = 0;
  const plant = (path: readonly string[]) => {
    const secret = `canary-${String(++count).padStart(3, '0')}-${Bun.hash(path.join('.')).toString(16)}`;
    secrets.set(path.join('.'), secret);
    return secret;
  };
  const keys: Readonly<Record<string, string>> = { providers: 'acme', authProfiles: 'acme:work', tokens: 'ci', headers: 'x-one' };
  const fixed: Readonly<Record<string, unknown>> = {
    baseUrl: up.baseUrl,
    provider: 'acme',
    type: 'api_key',
    id: 'one',
    api: 'openai-completions',
    auth: 'api-key',
  };
  const fill = (schema: TSchema, path: readonly string[]): unknown => {
    const name = path.at(-1) ?? '';
    if (schema['x-secret'] === true) return plant(path);
    const properties = schema['properties'] as Record<string, TSchema> | undefined;
    const member = Object.values((schema['patternProperties'] as Record<string, TSchema> | undefined) ?? {})[0];
    const items = schema['items'] as TSchema | undefined;
    if (member !== undefined) {
      const key = keys[name] ?? 'one';
      const value = fill(member, [...path, key]);
      return value === undefined ? undefined : { [key]: value };
    }
    if (properties !== undefined) {
      const members = Object.entries(properties).map(([key, inner]) => [
        key,
        fixed[key] !== undefined && inner['type'] !== 'object' ? fixed[key] : fill(inner, [...path, key]),
      ]);
      const known = Object.fromEntries(members.filter(([, value]) => value !== undefined)) as object;
      return {
        ...known,
        odd: plant([...path, 'odd']),
        oddly: { deep: [plant([...path, 'oddly', 'deep', '0']), { er: plant([...path, 'oddly', 'deep', '1', 'er']) }] },
      };
    }
    return items?.['properties'] === undefined ? undefined : [fill(items, [...path, '0'])];
  };
  const { auth: __, authorization, models, ...others } = fill(documentSchema, []) as Record<string, unknown>;
  const allowed = (section: unknown) => ({ ...(section as { acme: object }).acme, allowLocal: true });
  const filled = {
    ...others,
    authorization,
    models: { ...(models as object), providers: { other: { ...allowed((models as { providers: unknown }).providers) } } },
    providers: { acme: allowed(others['providers']) },
  };
  for (const path of [...secrets.keys()]) {
    if (path.startsWith('auth.')) secrets.delete(path);
  }
  return { filled, secrets };
}

/** A place as it is typed. */
function typed(path: string): string {
  const moved = path.replace(/^models\.providers\.acme/, 'models.providers.other');
  return moved.replace('.acme:work', '["acme:work"]').replace(/\.(\d+)(?=\.|$)/g, '[$1]');
}

test('no secret of any place of the document comes out: of a route, a command, the log, or a file', async () => {
  const up = await upstream();
  const { filled, secrets } = planted(up);
  expect(secrets.size).toBeGreaterThan(60);
  const ola = await start({ args: ['--log-level', 'debug'] });
  const scene = sceneIn(ola.home, up);
  const { folder, command, fed } = scene;
  const answers: Answer[] = [];
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await ola.ask(method, path, body);
    answers.push(answer);
    return answer;
  };
  const written = await ask('POST', '/config', filled);
  expect(`${written.status} ${written.text}`).toStartWith('200 ');
  expect((await ola.chat('acme/one')).status).toBe(200);
  expect(up.requestFor('one').headers.get('authorization')).toBe(`Bearer ${secrets.get('authProfiles.acme:work.key')}`);

  const content = JSON.stringify(filled);
  for (const [method, path, body] of [
    ['GET', '/config'],
    ['GET', '/config/providers'],
    ['GET', '/config/config-file-path'],
    ['POST', '/config/validate', filled],
    ['POST', '/config/validate', { ...filled, egressPolicy: { mode: secrets.get('odd') } }],
    ['POST', '/config', { ...filled, authProfiles: { 'acme:work': { ...filled, provider: 'acme', type: 7 } } }],
    ['POST', '/config', `${content}}`],
    ['GET', '/config/revisions'],
    ['GET', '/config/revisions/1'],
    ['POST', '/config/profiles', { name: 'one' }],
    ['POST', '/config/profiles/import', { name: 'two', content }],
    ['POST', '/config/profiles/import', { name: 'three', content: content.slice(0, -3) }],
    ['GET', '/config/profiles'],
    ['GET', '/config/profiles/export/one'],
    ['GET', '/config/profiles/export/two'],
    ['POST', '/config/export', {}],
    ['POST', '/config/export', { passphrase: 'a passphrase of some length' }],
    ['PUT', '/config/providers/acme', { ...filled.providers.acme, auth: 'api-key' }],
    ['POST', '/config/import', { content: filled }],
    ['POST', '/config/profiles/two/activate', {}],
    ['GET', '/config/revisions/1/diff'],
    ['POST', '/config/revisions/1/rollback', {}],
    ['POST', '/config/keys/rotate', {}],
    ['POST', '/config', {}],
    ['GET', '/config/revisions/1/diff'],
    ['POST', '/config/revisions/1/rollback', {}],
    ['DELETE', '/config/providers/acme'],
    ['POST', '/config/revisions/1/rollback', {}],
    ['GET', '/config/tokens'],
    ['GET', '/health'],
  ] as const)
    await ask(method, path, body);
  const statuses = answers.map(({ status }) => status).join(' ');
  expect(statuses).toMatch(/^200( 200)* 422 422 400( 200)* 400( 200)* 403( 200)*$/);

  const words = file(join(folder, 'words.txt'), 'correct horse battery staple\n');
  chmodSync(words, 0o600);
  const outputs: Ended[] = [];
  for (const args of [
    ['config', 'show'],
    ['config', 'history', '--json'],
    ['config', 'diff', '1', '2'],
    ['config', 'diff', '2', '1', '--json'],
    ['config', 'export'],
    ['config', 'export', join(folder, 'plain.json')],
    ['config', 'export', join(folder, 'sealed.json'), '--with-secrets', '--passphrase-file', words],
    ['config', 'validate'],
    ['config', 'validate', file(join(folder, 'given.json'), filled)],
    ['config', 'path', '--json'],
    ['config', 'rollback', '2'],
    ['config', 'rollback'],
    ['keys', 'rotate'],
    ['status', '--json'],
    ['backup', join(folder, 'ola.backup')],
  ])
    outputs.push(await command(...args));
  outputs.push(await run(['config', 'import', file(join(folder, 'bad.json'), `${content}}`)], { home: ola.home }));
  outputs.push(
    await run(['config', 'import', file(join(folder, 'wrong.json'), { ...filled, egressPolicy: { mode: secrets.get('odd') } })], {
      home: ola.home,
    }),
  );
  const again = await fed(content, 'config', 'import', '-');
  // One place in five, each a process of its own.
  const places = [...secrets.keys()].filter((path) => !path.startsWith('authorization.tokens.'));
  for (const path of places.filter((_, index) => index % 5 === 0)) {
    const got = await command('config', 'get', typed(path));
    expect([path, got.out]).toEqual([path, '[REDACTED]\n']);
  }
  // Seen in the editor too.
  const seen = join(folder, 'seen.txt');
  const looking = file(join(folder, 'look.sh'), `#!/bin/sh\ncat "$1" > '${seen}'\n`);
  chmodSync(looking, 0o700);
  outputs.push(await run(['config', 'edit'], { home: ola.home, env: { EDITOR: looking } }));

  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
  outputs.push(await command('config', 'show'), await command('config', 'export'));
  const texts: (readonly [string, string])[] = [
    ...answers.map(
      ({ status, headers, text }, index) => [`answer ${index}: ${status}`, JSON.stringify([...headers]) + text] as const,
    ),
    ...outputs.map(({ out, err }, index) => [`output ${index}`, out + err] as const),
    ['fed', again],
    ['server', ola.out() + ola.err()],
    ...['plain.json', 'sealed.json', 'ola.backup', 'seen.txt'].map(
      (name) => [name, readFileSync(join(folder, name), 'latin1')] as const,
    ),
    ...filesBelow(ola.home).map(({ path, bytes }) => [path, bytes.toString('latin1')] as const),
  ];
  expect(readFileSync(seen, 'utf8')).toContain('[REDACTED]');
  const found: string[] = [];
  for (const [where, text] of texts) {
    for (const [path, secret] of secrets) {
      const forms = [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex')];
      if (forms.some((form) => text.includes(form))) found.push(`${path} in ${where}: ${text.slice(0, 200)}`);
    }
    if (text.includes(adminToken)) found.push(`the admin token in ${where}`);
  }
  expect(found).toEqual([]);
});

test('no secret of a file that governs is in the database, the answers or the log', async () => {
  const up = await upstream();
  const folder = directory();
  mkdirSync(join(folder, 'keys'), { mode: 0o700 });
  const inFile = 'canary-in-a-file-of-its-own-0123456789';
  writeFileSync(join(folder, 'keys/acme'), inFile, { mode: 0o600 });
  const secrets = ['canary-header-in-clear-0123456789', 'canary-metadata-in-clear-0123', 'canary-unknown-in-clear-0123'];
  const [header, fact, unknown] = secrets;
  const config = join(folder, 'ola.json');
  const text = {
    providers: {
      acme: { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'file:keys/acme', headers: { 'x-team': header }, odd: unknown },
      beta: { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'file:keys/acme' },
    },
    authProfiles: { 'acme:work': { provider: 'acme', type: 'api_key', key: `\${WORK_KEY}`, metadata: { account: fact } } },
  };
  writeFileSync(config, JSON.stringify(text), { mode: 0o600 });
  const env = { WORK_KEY: 'canary-of-a-variable-0123456789' };
  const ola = await start({ args: ['--config', config, '--log-level', 'debug'], env });
  expect((await ola.chat('acme/one')).status).toBe(200);
  const { headers } = up.requestFor('one');
  expect([headers.get('authorization'), headers.get('x-team')]).toEqual([`Bearer ${env.WORK_KEY}`, header]);
  expect((await ola.chat('beta/two')).status).toBe(200);
  expect(up.requestFor('two').headers.get('authorization')).toBe(`Bearer ${inFile}`);
  const answers: string[] = [];
  for (const path of ['/config', '/config/providers', '/config/revisions/1']) answers.push((await ola.ask('GET', path)).text);
  answers.push((await ola.ask('POST', '/config/export', {})).text, (await ola.ask('POST', '/config/validate', text)).text);
  for (const args of [['show'], ['diff'], ['validate'], ['export'], ['history']]) {
    const { out, err } = await run(['config', ...args], { home: ola.home, env });
    answers.push(out + err);
  }
  ola.kill('SIGTERM');
  await ola.exited;
  answers.push(ola.out() + ola.err(), ...filesBelow(ola.home).map(({ bytes }) => bytes.toString('latin1')));
  for (const each of answers) expect([each.slice(0, 300), each.includes('canary')]).toEqual([each.slice(0, 300), false]);
  expect(answers[0]).toContain('file:keys/acme');
  expect(answers[0]).toContain(`\${WORK_KEY}`);
});
