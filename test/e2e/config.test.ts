/** The configuration as a whole, through the API of the binary: swapped at once, judged field by field, never lost. */
import { describe, expect, test } from 'bun:test';
import type { TSchema } from '@sinclair/typebox';
import { documentSchema } from '../../src/core/document.ts';
import { type Answer, adminToken, expectError, type Json, type Ola, request, stage, until } from './stage.ts';
import { chunk, done, event, lastChunk, streamHead, type Upstream } from './upstream.ts';

const { start, upstream } = stage();

const provider = ({ baseUrl }: Upstream, apiKey: string, more: object = {}) => ({ baseUrl, apiKey, allowLocal: true, ...more });
const post = (ola: Ola, document: unknown, headers: Readonly<Record<string, string>> = {}) =>
  ola.ask('POST', '/config', document, headers);
const etagOf = ({ headers }: Answer) => headers.get('etag') ?? '';
const plainOf = (json: Json) => json as unknown as Record<string, unknown>;

function expectOk(answer: Answer): Answer {
  expect(`${answer.status} ${answer.text}`).toStartWith('200 ');
  return answer;
}

/** The body of a stream, as it comes. */
async function streamed(ola: Ola, model: string): Promise<Promise<string>> {
  const response = await fetch(`${ola.address}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], stream: true }),
  });
  return response.text();
}

describe('a change', () => {
  test('is in force at once, and a stream that runs ends whole on the configuration it began with', async () => {
    const ola = await start();
    const [before, after] = [await upstream(), await upstream()];
    for (const each of [before, after]) each.modes.set('slow', ({ socket }) => void socket.write(streamHead + chunk(event('a'))));
    const keyBefore = 'key-before-the-change-0123456789';
    const keyAfter = 'key-after-the-change-0123456789';
    expectOk(await post(ola, { providers: { acme: provider(before, keyBefore, { headers: { 'x-side': 'before' } }) } }));
    const text = streamed(ola, 'acme/slow');
    await until('the stream has begun', () => before.for('slow').length === 1);
    const waiting = ola.chat('acme/slow-answer');
    before.modes.set('slow-answer', () => undefined);
    await until('the call is under way', () => before.for('slow-answer').length === 1);

    expectOk(await post(ola, { providers: { acme: provider(after, keyAfter, { headers: { 'x-side': 'after' } }) } }));
    expect((await ola.chat('acme/fresh')).status).toBe(200);
    expect(after.requestFor('fresh').headers.get('authorization')).toBe(`Bearer ${keyAfter}`);
    expect(after.requestFor('fresh').headers.get('x-side')).toBe('after');
    // The provider goes altogether; what runs goes on all the same.
    expectOk(await post(ola, {}));
    expect((await ola.chat('acme/gone')).status).toBe(404);

    const slow = before.requestFor('slow');
    slow.socket.write(chunk(event('b') + event('c')) + chunk(done) + lastChunk);
    expect(await text).toBe(event('a') + event('b') + event('c') + done);
    const held = before.requestFor('slow-answer');
    expect(held.headers.get('x-side')).toBe('before');
    const body = '{"choices":[{"message":{}}]}';
    held.socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    expect((await waiting).status).toBe(200);
    expect([before, after].flatMap(({ received }) => received).length).toBe(3);
  });

  test('is there after a restart, whole, with the same tag', async () => {
    const ola = await start();
    const up = await upstream();
    const document = {
      defaultModel: 'acme/one',
      providers: { acme: provider(up, 'key-that-survives-0123456789', { weight: 2, models: [{ id: 'one', contextWindow: 5 }] }) },
      authOrder: { acme: ['acme:b', 'acme:a'] },
      usage: { retentionDays: 30 },
    };
    const { headers } = expectOk(await post(ola, document));
    const shown = await ola.ask('GET', '/config');
    expect(shown.json as unknown).toMatchObject({ ...document, providers: { acme: { apiKey: '[REDACTED]', weight: 2 } } });
    ola.kill('SIGTERM');
    expect(await ola.exited).toBe(0);
    const again = await start({ home: ola.home });
    const { text, headers: later } = await again.ask('GET', '/config');
    expect([text, later.get('etag')]).toEqual([shown.text, headers.get('etag')]);
    expect((await again.chat('default')).status).toBe(200);
    expect(up.requestFor('one').headers.get('authorization')).toBe('Bearer key-that-survives-0123456789');
  });

  test('of fifty that are sent at once with one tag is one; the others are told, and change nothing', async () => {
    const ola = await start();
    const tag = etagOf(await ola.ask('GET', '/config'));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => post(ola, { defaultModel: `acme/model-${index}` }, { 'if-match': tag })),
    );
    const won = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
    expect(won).toHaveLength(1);
    for (const each of answers) if (each.status !== 200) expectError(each, 412, 'precondition_failed');
    const now = await ola.ask('GET', '/config');
    expect(plainOf(now.json)).toEqual({ defaultModel: `acme/model-${won[0]}` });
    expect(etagOf(now)).toBe(etagOf(answers[won[0] ?? 0] ?? now));
    expect(plainOf((await ola.ask('GET', '/config/revisions')).json)['data']).toHaveLength(1);
  });

  test('keeps keys that nobody knows, says so, and shows no text under them', async () => {
    const ola = await start();
    const up = await upstream();
    const unknown = { mistyped: 7, deep: { list: [1, { on: true }], nothing: null } };
    const document = {
      egresPolicy: unknown,
      providers: { acme: provider(up, 'key-beside-the-unknown-0123456789', { hedaers: unknown, note: 'may be a secret' }) },
    };
    const { json } = expectOk(await post(ola, document));
    const warnings = json['warnings'] as unknown as { path: string; reason: string }[];
    expect(warnings.map(({ path }) => path).sort()).toEqual(['egresPolicy', 'providers.acme.hedaers', 'providers.acme.note']);
    const shown = expectOk(await ola.ask('GET', '/config'));
    const expected = { egresPolicy: unknown, providers: { acme: { hedaers: unknown, note: '[REDACTED]' } } };
    expect(plainOf(shown.json)).toMatchObject(expected);
    // What was shown is sent back: nothing has changed, and the text is still there.
    expectOk(await post(ola, shown.json));
    expect(plainOf((await ola.ask('GET', '/config')).json)).toEqual(plainOf(shown.json));
    expect(plainOf((await ola.ask('GET', '/config/revisions/1/diff')).json)['changes']).toEqual([]);
  });

  test('of one provider is in force also where the same one stands under `models.providers`', async () => {
    const ola = await start();
    const up = await upstream();
    expectOk(await post(ola, { models: { providers: { acme: provider(up, 'key-that-has-leaked-0123456789') } } }));
    const replaced = await ola.ask('PUT', '/config/providers/acme', provider(up, 'key-that-is-new-0123456789'));
    // Refused, or in force: not acknowledged and without effect.
    if (replaced.status === 200) {
      expect((await ola.chat('acme/one')).status).toBe(200);
      expect(up.requestFor('one').headers.get('authorization')).toBe('Bearer key-that-is-new-0123456789');
    }
    const deleted = await ola.ask('DELETE', '/config/providers/acme');
    if (deleted.status === 200) expect((await ola.chat('acme/two')).status).toBe(404);
  });

  test('is only checked by validate', async () => {
    const ola = await start();
    const tag = etagOf(expectOk(await post(ola, { defaultModel: 'acme/one' })));
    const checked = expectOk(await ola.ask('POST', '/config/validate', { defaultModel: 'acme/two', typo: 1 }));
    expect(plainOf(checked.json)).toMatchObject({ status: 'ok', warnings: [{ path: 'typo' }, { path: 'defaultModel' }] });
    expectError(await ola.ask('POST', '/config/validate', { defaultModel: 7 }), 422, 'invalid_field');
    const now = await ola.ask('GET', '/config');
    expect([now.text, etagOf(now)]).toEqual(['{"defaultModel":"acme/one"}', tag]);
  });

  test('of the place of the database is refused, and where it is can be asked', async () => {
    const ola = await start();
    expectError(await post(ola, { durableState: { dbPath: '/tmp/elsewhere.sqlite3' } }), 409, 'conflict');
    const { json } = await ola.ask('GET', '/config/config-file-path');
    const configFile = `${ola.home}/config.json`;
    expect(plainOf(json)).toEqual({
      configDir: ola.home,
      config_dir: ola.home,
      configFile,
      config_file: configFile,
      database: `${ola.home}/runtime_state.sqlite3`,
      mode: 'database',
      problem: null,
    });
  });
});

const canary = 'canary-value-0f1e2d3c4b5a';
const canaryNumber = -98_765_432.5;

/** A place of the document: where it is, what fits there, and whether it may be missing. */
interface Slot {
  readonly path: readonly string[];
  readonly schema: TSchema;
  readonly required: boolean;
}

/** Keys of maps, by the map's own name. */
const keyIn: Readonly<Record<string, string>> = {
  providers: 'acme',
  authProfiles: 'acme:work',
  profiles: 'acme:work',
  tokens: 'ci',
};
const each = (schema: TSchema): TSchema | undefined =>
  Object.values((schema['patternProperties'] as Record<string, TSchema> | undefined) ?? {})[0];

function slotsOf(schema: TSchema, path: readonly string[] = [], required = false): Slot[] {
  const inside = (key: string, inner: TSchema, needed: boolean) => slotsOf(inner, [...path, key], needed);
  const named = Object.entries((schema['properties'] as Record<string, TSchema> | undefined) ?? {});
  const needed = (schema['required'] as string[] | undefined) ?? [];
  const member = each(schema);
  const items = schema['items'] as TSchema | undefined;
  return [
    { path, schema, required },
    ...named.flatMap(([key, inner]) => inside(key, inner, needed.includes(key))),
    ...(member === undefined ? [] : inside(keyIn[path.at(-1) ?? ''] ?? 'one', member, false)),
    ...(items === undefined ? [] : inside('0', items, true)),
  ];
}

/** The least that fits. */
function least(schema: TSchema): unknown {
  const choice = (schema['anyOf'] as TSchema[] | undefined)?.[0];
  if (choice !== undefined) return least(choice);
  if (schema['const'] !== undefined) return schema['const'];
  if (schema['type'] === 'string') return 'x'.repeat(Number(schema['minLength'] ?? 1));
  const needed = (schema['required'] as string[] | undefined) ?? [];
  const properties = (schema['properties'] as Record<string, TSchema> | undefined) ?? {};
  return Object.fromEntries(needed.map((key) => [key, least(properties[key] ?? schema)]));
}

/** A document that has this value at this place, and around it no more than must be there. */
function documentWith(path: readonly string[], value: unknown, schema: TSchema = documentSchema): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const items = schema['items'] as TSchema | undefined;
  if (items !== undefined) return [documentWith(rest, value, items)];
  const inner = (schema['properties'] as Record<string, TSchema> | undefined)?.[key] ?? each(schema);
  if (inner === undefined) throw new Error(`no schema at ${path.join('.')}`);
  return { ...(least(schema) as object), [key]: documentWith(rest, value, inner) };
}

function misfits({ schema, required }: Slot): unknown[] {
  const wrong: unknown[] = required ? [null] : [];
  const numeric = schema['type'] === 'integer' || schema['type'] === 'number';
  const choice = schema['anyOf'] !== undefined;
  if (schema['type'] !== 'array') wrong.push([canary], []);
  if (schema['type'] !== 'object') wrong.push({ [canary]: canary });
  if (schema['type'] !== 'string') wrong.push(canary);
  if (schema['type'] !== 'boolean') wrong.push(true);
  if (!numeric) wrong.push(canaryNumber);
  if (numeric && schema['minimum'] !== undefined) wrong.push(canaryNumber);
  if (schema['type'] === 'integer') wrong.push(Math.max(1, Number(schema['minimum'] ?? 1)) + 0.5);
  if (schema['maximum'] !== undefined) wrong.push(1e300);
  if (Number(schema['minLength'] ?? 0) > 0) wrong.push('');
  if (schema['maxLength'] !== undefined) wrong.push(canary.repeat(Number(schema['maxLength'])));
  return choice ? wrong.filter((value) => value !== null) : wrong;
}

describe('a field that does not fit', () => {
  const slots = slotsOf(documentSchema).filter(({ path, schema }) => path.length > 0 && schema['readOnly'] !== true);
  const sections = [...Map.groupBy(slots, ({ path }) => path[0] ?? '')];
  const shared = start();

  test('is looked for in a schema that has many', () => {
    expect(slots.length).toBeGreaterThan(150);
  });

  test.each(sections)('is refused by its path, and its value is not repeated: %s', async (_, places) => {
    const ola = await shared;
    const before = await ola.ask('GET', '/config');
    const wrong: string[] = [];
    for (const slot of places) {
      // The older names are read as the newer ones.
      const path = slot.path
        .join('.')
        .replace(/^auth\.profiles\./, 'authProfiles.')
        .replace(/^auth\.order\./, 'authOrder.');
      for (const value of misfits(slot)) {
        const { status, json, text } = await ola.ask('POST', '/config', documentWith(slot.path, value));
        const { message, code, param } = (json['error'] ?? {}) as unknown as Record<string, unknown>;
        const refused = status === 422 && code === 'invalid_field' && param === path && String(message).includes(`'${path}'`);
        const isTold = /expected|is to be|is missing|send the value itself/.test(String(message));
        if (refused && isTold && !text.includes('canary') && !text.includes('98765432')) continue;
        wrong.push(`${path} = ${String(JSON.stringify(value)).slice(0, 60)}: ${status} ${text}`);
      }
    }
    expect(wrong).toEqual([]);
    const after = await ola.ask('GET', '/config');
    expect([after.text, etagOf(after)]).toEqual([before.text, etagOf(before)]);
  });

  test('because it is null is absent where it may be', async () => {
    const ola = await shared;
    const optional = slots.filter(({ required }) => !required);
    for (const { path } of optional) {
      const answer = await ola.ask('POST', '/config/validate', documentWith(path, null));
      expect([path.join('.'), answer.status]).toEqual([path.join('.'), 200]);
    }
  });

  test('is not named by what stands in it, in the log either', async () => {
    const ola = await shared;
    expect(ola.out() + ola.err()).not.toContain('canary');
  });
});

describe('a document that nobody would write', () => {
  const shared = (async () => {
    const ola = await start();
    const up = await upstream();
    await ola.addProvider('acme', up);
    return { ola, up };
  })();
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const odd: readonly (readonly [string, string, number, string])[] = [
    ['of 5 MiB of text', `{"note":"${'x'.repeat(5 * 1024 * 1024)}"}`, 413, 'request_too_large'],
    [
      'of 5 MiB of small keys',
      `{"note":{${Array.from({ length: 400_000 }, (_, i) => `"key${i}":[]`).join(',')}}}`,
      413,
      'request_too_large',
    ],
    ['of more than a body may have', `{"note":"${'x'.repeat(33 * 1024 * 1024)}"}`, 413, 'request_too_large'],
    ['65 levels deep', nested(65), 422, 'invalid_field'],
    ['100,000 levels deep', nested(100_000), 422, 'invalid_field'],
    ['with __proto__', '{"__proto__":{"serverToken":"x"}}', 422, 'invalid_field'],
    ['with __proto__ inside', '{"providers":{"acme":{"headers":{"__proto__":"x"}}}}', 422, 'invalid_field'],
    ['with __proto__ where nobody looks', '{"note":[{"__proto__":[]}]}', 422, 'invalid_field'],
    ['with a provider __proto__', '{"providers":{"__proto__":{}}}', 422, 'invalid_field'],
    ['with a provider that is a path', '{"providers":{"../acme":{}}}', 422, 'invalid_field'],
    ['with a provider that has a slash', '{"providers":{"a/b":{}}}', 422, 'invalid_field'],
    ['with a provider without a name', '{"providers":{"":{}}}', 422, 'invalid_field'],
    ['with a profile that is a path', '{"authProfiles":{"../../x":{"provider":"acme","type":"api_key"}}}', 422, 'invalid_field'],
    [
      'with a profile with a line break',
      '{"authProfiles":{"a:\\nb":{"provider":"acme","type":"api_key"}}}',
      422,
      'invalid_field',
    ],
    ['with one field in two spellings', '{"defaultModel":"a/b","default_model":"a/c"}', 422, 'invalid_field'],
    ['that is a list', '[]', 422, 'invalid_field'],
    ['that is null', 'null', 422, 'invalid_field'],
    ['that is half', '{"providers":', 400, 'invalid_json'],
    ['with a comment', '{/* */}', 400, 'invalid_json'],
    ['with a made-up reference to a secret', '{"serverToken":{"$secret":"0"}}', 422, 'invalid_field'],
    ['with one among unknown keys', '{"note":{"a":[{"$secret":"0"}]}}', 422, 'invalid_field'],
    ['with a placeholder for nothing', '{"serverToken":"[REDACTED]"}', 422, 'invalid_field'],
    ['with a place in place of a key', '{"providers":{"acme":{"apiKey":"file:/etc/passwd"}}}', 422, 'invalid_field'],
    ['with a secret of the store', '{"providers":{"acme":{"apiKey":"store:0"}}}', 422, 'invalid_field'],
    [
      'with a metadata address',
      '{"providers":{"evil":{"baseUrl":"http://169.254.169.254/v1","allowLocal":true}}}',
      400,
      'unsafe_destination',
    ],
    [
      'with a profile there',
      '{"authProfiles":{"acme:x":{"provider":"acme","type":"api_key","baseUrl":"http://169.254.169.254/"}}}',
      400,
      'unsafe_destination',
    ],
  ];
  test.each(odd)('%s is refused, and nothing has changed', async (_, body, status, code) => {
    const { ola, up } = await shared;
    const before = await ola.ask('GET', '/config');
    for (const path of ['/config/validate', '/config']) expectError(await ola.ask('POST', path, body), status, code);
    const after = await ola.ask('GET', '/config');
    expect([after.text, etagOf(after)]).toEqual([before.text, etagOf(before)]);
    expect(String((await request(`${ola.address}/health`)).json['status'])).toBe('ok');
    expect((await ola.chat(`acme/still-${up.received.length}`)).status).toBe(200);
  });

  test('with the names of what every object has is one like any other', async () => {
    const { ola, up } = await shared;
    const names = ['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
    const map = (value: unknown) => Object.fromEntries(names.map((name) => [name, value]));
    const ids = (value: unknown) => ({ constructor: value, prototype: value });
    const document = {
      ...map({ constructor: 1 }),
      providers: ids(provider(up, 'key-of-the-constructor-0123456789', { headers: map('a value'), toString: { valueOf: 2 } })),
      authProfiles: ids({ provider: 'constructor', type: 'api_key', metadata: map('a fact') }),
      authOrder: map(['constructor']),
    };
    const { json } = expectOk(await post(ola, document));
    expect((json['warnings'] as unknown as { path: string }[]).map(({ path }) => path)).toContain('constructor');
    expect((await ola.chat('constructor/one')).status).toBe(200);
    expect(up.requestFor('one').headers.get('authorization')).toBe('Bearer key-of-the-constructor-0123456789');
    expect(up.requestFor('one').headers.get('hasownproperty')).toBe('a value');
    const shown = await ola.ask('GET', '/config');
    expect(plainOf(shown.json)['providers']).toMatchObject(ids({ headers: map('[REDACTED]'), toString: { valueOf: 2 } }));
    expect(plainOf(shown.json)).toMatchObject(map({ constructor: 1 }));
    expectOk(await post(ola, shown.json));
    expect((await ola.ask('GET', '/config')).text).toBe(shown.text);
  });

  test.each(['..', '../x', 'a/b', 'a\\b', '', 'a\u0000b', 'a\nb', 'x'.repeat(129)])(
    'a snapshot may not be named %j',
    async (name) => {
      const { ola } = await shared;
      expectError(await ola.ask('POST', '/config/profiles', { name }), 400, 'invalid_request');
      const imported = await ola.ask('POST', '/config/profiles/import', { name, content: '{}' });
      expectError(imported, 400, 'invalid_request');
      expect((await ola.ask('GET', '/config/profiles')).text).toBe('[]');
    },
  );
});
