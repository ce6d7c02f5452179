/** The reference against what it describes: the route table, and the answers of the real app. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { errorStatus, errorType } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { operations } from '../../../src/http/reference/document.ts';
import { tags } from '../../../src/http/reference/operations.ts';
import { errorType as anthropicType } from '../../../src/protocols/anthropic-messages/errors.ts';
import { usageRow } from '../../contract/store.ts';
import { readGoogleError } from '../google-error.ts';
import { type AppScene, open } from '../scene.ts';
import { shapeFaults } from './examples.ts';
import { type Document, type Judge, judgeBy, type OperationObject, readDocument } from './openapi.ts';

const path = mkdtempSync(join(tmpdir(), 'ola-test-'));
let scene: AppScene;
/** As it is served. */
let text: string;
let document: Document;
let judge: Judge;
beforeAll(async () => {
  // An access token in the place of a key: it is passed over.
  scene = await open(path, { environment: { XAI_API_KEY: `ola_${'x'.repeat(49)}` } });
  text = await (await scene.ask('GET', '/docs/json')).text();
  document = readDocument(text);
  judge = judgeBy(document);
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(path, { recursive: true, force: true });
});

interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

function described(): Described[] {
  return Object.entries(document.paths).flatMap(([at, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path: at, operation })),
  );
}

/** The form of the errors of a path. */
function formOf(at: string): string {
  if (at.startsWith('/api/')) return 'OllamaError';
  if (at.startsWith('/v1beta/')) return 'GoogleError';
  return at.startsWith('/v1/messages') ? 'AnthropicError' : 'ErrorEnvelope';
}

/** `/v1/models/*` and `/v1/models/{id}` are one. */
const shape = (pattern: string) => pattern.replace(/(?<=\/):\w+|\{\w+\}|\*/g, '?');

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(await new Validator().validate(JSON.parse(text) as Record<string, unknown>)).toEqual({ valid: true });
  });

  test('has every route of the table and no other, those of the reference itself too', () => {
    const served = scene.app.routes.map((route) => `${route.method} ${shape(route.path)}`).sort();
    expect(
      described()
        .map((each) => `${each.method} ${shape(each.path)}`)
        .sort(),
    ).toEqual(served);
    expect(Object.keys(operations).sort()).toEqual(scene.app.routes.map((route) => `${route.method} ${route.path}`).sort());
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/docs', '/docs/json', '/v1/models/{id}']));
  });

  test('says of each what it is, in which group, and who may', () => {
    const names = described().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(document.tags.map(({ name }) => name)).toEqual([...tags]);
    for (const { method, path: at, operation } of described()) {
      const route = scene.app.routes.find((each) => each.method === method && shape(each.path) === shape(at));
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).toBe(route?.summary ?? '');
      expect([...tags] as string[]).toContain(operation.tags.join());
      expect(operation['x-scope']).toBe(route?.scope ?? '');
      expect(operation.security).toEqual(route?.scope === 'none' ? [] : [{ bearer: [] }, { apiKey: [] }, { googleKey: [] }]);
      expect(operation.description).toContain(route?.scope === 'none' ? 'Open to everybody' : `\`${route?.scope}\``);
    }
  });

  test('leads from each wire format of a vendor to the page of the vendor, and shows how it is asked and answered', () => {
    const foreign = described().filter(({ operation }) => operation.tags[0] === 'Inference');
    expect(foreign.length).toBeGreaterThan(9);
    for (const { path: at, operation } of foreign) {
      expect([at, operation.externalDocs?.url]).toEqual([at, expect.stringMatching(/^https:\/\/[a-z.]+\/\S+$/)]);
      const asked = Object.values(operation.requestBody?.content ?? {}).flatMap(({ examples = {} }) => Object.keys(examples));
      const isForm = operation.requestBody?.content['multipart/form-data'] !== undefined;
      // A form is shown as a command: JSON examples of it are none.
      if (isForm) expect([at, operation.description]).toEqual([at, expect.stringContaining(`curl "$OLA${at}"`)]);
      else expect([at, asked.length]).toEqual([at, 2]);
      const answered = Object.values(operation.responses['200']?.content ?? {}).filter(({ example }) => example !== undefined);
      expect([at, answered.length > 0]).toEqual([at, true]);
    }
  });

  test('names every parameter of a path, once', () => {
    for (const { path: at, operation } of described()) {
      const inPath = [...at.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect([at, operation.parameters?.filter((each) => each.in === 'path').map(({ name }) => name) ?? []]).toEqual([
        at,
        inPath as string[],
      ]);
    }
  });

  test('names with an example the parameters that fit it, each of them one of the operation', () => {
    const fitting = described().flatMap(({ operation }) =>
      Object.values(operation.requestBody?.content['application/json']?.examples ?? {}).flatMap(
        ({ 'x-parameters': given = {} }) =>
          Object.keys(given).map((name) => [name, operation.parameters?.some((each) => each.name === name)]),
      ),
    );
    expect(fitting.length).toBeGreaterThan(2);
    expect(fitting.filter(([, known]) => known !== true)).toEqual([]);
  });

  test('shows of each error a code that ola has, with the type of its status', () => {
    for (const { path: at, operation } of described()) {
      for (const [status, { content }] of Object.entries(operation.responses).filter(([code]) => Number(code) >= 400)) {
        const { schema, examples = {} } = content?.['application/json'] ?? { schema: {} };
        if (schema['$ref'] === '#/components/schemas/Health') continue;
        const form = formOf(at);
        const shownAs = { $ref: `#/components/schemas/${form}` };
        const either = { anyOf: [shownAs, { $ref: '#/components/schemas/AnthropicError' }] };
        expect([at, status, schema]).toEqual([at, status, at.startsWith('/v1/models') ? either : shownAs]);
        const typeOf = form === 'AnthropicError' ? anthropicType : errorType;
        const shown = Object.values(examples).map(
          ({ $ref }) => document.components.examples[$ref?.split('/').at(-1) ?? '']?.value.error,
        );
        expect(shown.length).toBeGreaterThan(0);
        if (form === 'OllamaError') {
          expect(shown).toEqual(shown.map(() => expect.any(String)));
          continue;
        }
        for (const error of shown.map(readGoogleError)) {
          expect(error?.type).toBe(typeOf(Number(status)));
          // A provider's errors keep its status, and some its code.
          const own = errorStatus[error?.code as keyof typeof errorStatus] ?? null;
          if (own !== Number(status)) expect(error?.message).toContain('Upstream provider');
        }
      }
    }
  });

  test('speaks of broken JSON where JSON is sent, of a broken form where a form is', () => {
    for (const { path: at, operation } of described()) {
      const sent = Object.keys(operation.requestBody?.content ?? {});
      const codes = Object.keys(operation.responses['400']?.content?.['application/json']?.examples ?? {});
      expect([at, codes.includes('invalid_json')]).toEqual([at, sent.includes('application/json')]);
      if (sent.includes('multipart/form-data')) expect([at, codes]).toEqual([at, expect.arrayContaining(['invalid_request'])]);
    }
  });

  test('shows requests and answers that are what it says they are', () => {
    let count = 0;
    for (const { method, path: at, operation } of described()) {
      const sides = [
        ['requestBody', operation.requestBody?.content ?? {}] as const,
        ...Object.entries(operation.responses).map(([status, { content = {} }]) => [`responses/${status}`, content] as const),
      ];
      for (const [side, content] of sides) {
        for (const [type, { examples = {}, example }] of Object.entries(content)) {
          const named = Object.entries(examples).map(([name, { $ref, value }]) => [
            name,
            $ref === undefined ? value : document.components.examples[$ref.split('/').at(-1) ?? '']?.value,
          ]);
          for (const [name, shown] of [...named, ...(example === undefined ? [] : [['example', example]])]) {
            if (type !== 'application/json') continue;
            expect([method, at, side, name, judge.body(method, at, side, type, shown)]).toEqual([method, at, side, name, []]);
            count++;
          }
        }
      }
    }
    expect(count).toBeGreaterThan(100);
  });

  test('refers to nothing that is not there, and holds nothing that nobody refers to', () => {
    const wanted = new Set(
      [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)].map(([, kind, name]) => `${kind}/${name}`),
    );
    const { components } = JSON.parse(text) as { readonly components: Readonly<Record<string, object>> };
    const there = ['schemas', 'responses', 'examples', 'headers'].flatMap((kind) =>
      Object.keys(components[kind] ?? {}).map((name) => `${kind}/${name}`),
    );
    expect([...wanted].sort()).toEqual(there.sort());
    expect(text).not.toMatch(/x-secret|x-plain|x-later|\$id|9007199254740991/);
  });

  test('leads into itself: each link of the introduction is an operation', () => {
    const links = [...document.info.description.matchAll(/\]\(#\/(\w+)\/(\w+)\)/g)];
    expect(links.length).toBeGreaterThan(3);
    for (const [, tag, id] of links) {
      const found = described().find(({ operation }) => operation.operationId === id);
      expect([id, found?.operation.tags[0]]).toEqual([id, tag]);
    }
  });
});

/** Sends a request as an administrator unless it brings its own headers. */
function send(method: string, target: string, body?: Json, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const sent = {
    authorization: `Bearer ${scene.tokens.admin}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  return scene.ask(method, target, {
    headers: sent,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** The examples of a request, in their order. */
function examplesOf(method: string, at: string): Json[] {
  const { examples = {} } = document.paths[at]?.[method.toLowerCase()]?.requestBody?.content['application/json'] ?? {};
  return Object.values(examples).map(({ value }) => value ?? null);
}

// The last of them shuts the scene down.
describe('the answers of the app', () => {
  /** The answers to each operation and status, as JSON where they are. */
  const met = new Map<string, Json[]>();

  /** Sends, and holds the answer against the document. @returns its body */
  async function expectTold(
    status: number,
    method: string,
    at: string,
    target: string,
    body?: Json,
    headers?: Readonly<Record<string, string>>,
  ) {
    const response = await send(method, target, body, headers);
    const text = await response.clone().text();
    expect([method, target, response.status, text.slice(0, 200)]).toEqual([method, target, status, expect.any(String)]);
    expect([method, target, await judge.answer(method, at, response)]).toEqual([method, target, []]);
    const answered = /^[[{]/.test(text) ? (JSON.parse(text) as Json) : null;
    const key = `${method} ${at} ${status}`;
    met.set(key, [...(met.get(key) ?? []), answered]);
    return (answered ?? {}) as JsonObject;
  }
  /** Every example of a request, as it stands. @param target where the example of that index goes */
  async function expectExamplesTaken(status: number, method: string, at: string, target: (index: number) => string = () => at) {
    const examples = examplesOf(method, at);
    expect([at, examples.length > 0]).toEqual([at, true]);
    for (const [index, value] of examples.entries()) await expectTold(status, method, at, target(index), value);
  }

  /** The examples of answers have the members, types and forms of the answers that came. */
  function expectExamplesAlike(): void {
    let count = 0;
    const found: [string, string[]][] = [];
    for (const { method, path: at, operation } of described()) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const example = content?.['application/json']?.example;
        if (example === undefined || !status.startsWith('2') || operation.tags[0] === 'Inference') continue;
        const faults = shapeFaults(example, met.get(`${method} ${at} ${status}`) ?? []);
        if (faults.length > 0) found.push([`${method} ${at} ${status}`, faults]);
        count++;
      }
    }
    expect(found).toEqual([]);
    expect(count).toBeGreaterThan(25);
  }

  test('are what it says they are; its examples are taken as they stand, and look like what comes', async () => {
    await expectTold(200, 'GET', '/health', '/health');
    await expectTold(200, 'GET', '/', '/', undefined, { accept: 'text/html' });
    await expectTold(200, 'GET', '/docs', '/docs');
    await expectTold(200, 'GET', '/docs/json', '/docs/json');
    for (const { path: at } of described().filter((each) => each.path.startsWith('/static/')))
      await expectTold(200, 'GET', at, at);

    await expectExamplesTaken(201, 'POST', '/config/tokens');
    const listed = await expectTold(200, 'GET', '/config/tokens', '/config/tokens?limit=2');
    const [{ id } = {}] = listed['data'] as unknown as { id?: string }[];
    await expectTold(200, 'GET', '/config/tokens/{id}', `/config/tokens/${id}`);
    const made = await expectTold(201, 'POST', '/config/tokens', '/config/tokens', { name: 'for a moment' });
    await expectTold(200, 'GET', '/config/tokens', '/config/tokens');
    await expectTold(200, 'GET', '/config/tokens/{id}', `/config/tokens/${made['id']}`);
    await expectTold(200, 'DELETE', '/config/tokens/{id}', `/config/tokens/${made['id']}`);

    const put = document.paths['/config/providers/{id}']?.['put']?.requestBody?.content['application/json']?.examples ?? {};
    const ids = Object.values(put).map((example) => example['x-parameters']?.['id']);
    expect(ids).toEqual(['groq', 'local', 'models']);
    await expectExamplesTaken(200, 'PUT', '/config/providers/{id}', (index) => `/config/providers/${ids[index]}`);
    await expectTold(200, 'GET', '/config/providers', '/config/providers');
    await expectTold(200, 'GET', '/config/builtin-providers', '/config/builtin-providers');
    await expectTold(200, 'GET', '/config/providers/{id}/models', '/config/providers/groq/models');
    for (const verb of ['disable', 'enable']) {
      await expectTold(200, 'POST', `/config/providers/{id}/${verb}`, `/config/providers/groq/${verb}`);
    }
    const cooled = '/config/cooldowns/{id}';
    await expectExamplesTaken(200, 'PUT', cooled, () => '/config/cooldowns/provider-config:groq');
    await expectTold(200, 'GET', '/config/cooldowns', '/config/cooldowns?limit=1');
    await expectTold(200, 'GET', '/config/cooldowns', '/config/cooldowns');
    await expectTold(200, 'GET', '/config/explain', '/config/explain?model=groq/x');
    await expectTold(200, 'DELETE', cooled, '/config/cooldowns/provider-config:groq');
    const fallback = { providers: {}, providerFallback: { order: { groq: ['local/llama', 'nobody/x'] } } };
    const before = await expectTold(200, 'GET', '/config', '/config');
    await expectTold(200, 'POST', '/config', '/config', { ...before, ...fallback, providers: before['providers'] ?? {} });
    await expectTold(200, 'GET', '/config/explain', '/config/explain?model=groq/x');
    await expectTold(200, 'GET', '/config/explain', '/config/explain?model=xai/x');
    const own = scene.gateway.tokens.list().find(({ name }) => name === 'admin')?.id ?? '';
    const facts = { subject: own, tokenId: own, project: 'website', profile: 'groq:work', costMicros: 42 };
    for (const requested of ['groq/x', 'xai/x']) {
      scene.gateway.usage.record(usageRow(`req of ${requested}`, scene.now, { ...facts, requested }));
      await expectTold(200, 'GET', '/config/requests/{id}', `/config/requests/${encodeURIComponent(`req of ${requested}`)}`);
    }
    await expectTold(200, 'GET', '/config/explain', '/config/explain');
    await expectTold(200, 'GET', '/v1/models', '/v1/models');
    await expectTold(200, 'GET', '/v1/models/{id}', '/v1/models/groq/llama-3.3-70b-versatile');
    await expectTold(200, 'GET', '/v1beta/models', '/v1beta/models');
    await expectTold(200, 'GET', '/v1beta/models/{model}', '/v1beta/models/groq/llama-3.3-70b-versatile');
    const anthropic = { 'anthropic-version': '2023-06-01' };
    await expectTold(200, 'GET', '/v1/models', '/v1/models?limit=2', undefined, anthropic);
    await expectTold(200, 'GET', '/v1/models/{id}', '/v1/models/groq/llama-3.3-70b-versatile', undefined, anthropic);
    for (const at of ['/api/tags', '/api/version', '/api/ps']) await expectTold(200, 'GET', at, at);
    await expectExamplesTaken(200, 'POST', '/api/show');
    await expectTold(200, 'DELETE', '/config/providers/{id}', '/config/providers/models');
    await expectTold(200, 'GET', '/config/providers', '/config/providers');

    const profiles = '/config/auth-profiles/{id}';
    const [work, token] = ['/config/auth-profiles/groq:work', '/config/auth-profiles/groq:token'];
    await expectExamplesTaken(200, 'PUT', profiles, (index) => (index === 0 ? work : token));
    await expectTold(200, 'GET', '/config/auth-profiles', '/config/auth-profiles');
    await expectTold(200, 'GET', profiles, work);
    await expectTold(200, 'GET', profiles, token);
    await expectTold(200, 'POST', `${profiles}/disable`, `${work}/disable`);
    await expectTold(200, 'POST', `${profiles}/enable`, `${work}/enable`);
    await expectExamplesTaken(200, 'PUT', '/config/auth-order');
    await expectExamplesTaken(200, 'PUT', '/config/auth-order');
    await expectTold(200, 'PUT', '/config/auth-order', '/config/auth-order', { groq: ['groq:work', 'groq:none'] });
    await expectTold(200, 'GET', '/config/auth-order', '/config/auth-order');
    await expectTold(200, 'DELETE', profiles, token);
    await expectTold(200, 'GET', '/config/configured-providers', '/config/configured-providers');
    using refusing = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('no', { status: 401 }) });
    await expectTold(200, 'PUT', profiles, '/config/auth-profiles/local:a', {
      ...{
        provider: 'local',
        type: 'api_key',
        key: 'k-0123456789abcdef',
        baseUrl: `${refusing.url}v1`,
        email: 'me@acme.example',
      },
    });
    await expectTold(200, 'POST', `${profiles}/test`, '/config/auth-profiles/local:a/test');
    await expectTold(200, 'POST', '/config/credentials/{id}/test', '/config/credentials/local%3Aa/test');

    scene.gateway.usage.record(usageRow('req_1', scene.now, facts));
    for (const name of ['overview', 'summary', 'chart', 'recent', 'provider-telemetry']) {
      await expectTold(200, 'GET', `/config/usage/${name}`, `/config/usage/${name}?days=2`);
    }
    for (const name of ['providers', 'models', 'tokens', 'projects', 'endpoints', 'sources', 'profiles']) {
      await expectTold(200, 'GET', `/config/usage/${name}`, `/config/usage/${name}?limit=1`);
    }
    await expectTold(200, 'GET', '/me/usage', '/me/usage');
    await expectTold(200, 'GET', '/config/requests/{id}', '/config/requests/req_1');
    const attempts = [
      { provider: 'groq', model: 'm', source: 'env:X', status: 429, error: 'upstream_http_error', milliseconds: 7 },
    ];
    scene.gateway.usage.record(usageRow('req_2', scene.now + 1, { ...facts, attempts }));
    await expectTold(200, 'GET', '/config/requests/{id}', '/config/requests/req_2');
    await expectTold(200, 'GET', '/config/requests', '/config/requests?limit=1');
    await expectTold(200, 'GET', '/config/requests', '/config/requests');
    await expectTold(422, 'GET', '/config/requests', '/config/requests?after=x');

    await expectExamplesTaken(200, 'POST', '/config/validate');
    await expectExamplesTaken(200, 'POST', '/config');
    await expectTold(200, 'POST', '/config', '/config', {
      providers: { groq: { apiKey: 'gsk_another_key_of_yours' } },
      oddKey: 1,
    });
    await expectTold(200, 'GET', '/config', '/config');
    await expectTold(200, 'GET', '/config/config-file-path', '/config/config-file-path');
    await expectTold(200, 'POST', '/config', '/config', examplesOf('POST', '/config')[0]);
    await expectTold(200, 'GET', '/config', '/config');

    await expectTold(200, 'GET', '/config/revisions', '/config/revisions?limit=2');
    const history = await expectTold(200, 'GET', '/config/revisions', '/config/revisions');
    const [newest] = history['data'] as unknown as { number: number }[];
    await expectTold(200, 'GET', '/config/revisions/{number}', `/config/revisions/${newest?.number}`);
    await expectTold(200, 'GET', '/config/revisions/{number}', '/config/revisions/1');
    await expectTold(200, 'GET', '/config/revisions/{number}/diff', '/config/revisions/1/diff');
    await expectTold(200, 'POST', '/config/revisions/{number}/rollback', '/config/revisions/1/rollback');

    await expectExamplesTaken(200, 'POST', '/config/profiles');
    await expectExamplesTaken(200, 'POST', '/config/profiles/import');
    await expectTold(200, 'GET', '/config/profiles', '/config/profiles');
    const [name] = ['/config/profiles/{name}/activate'].map((at) => document.paths[at]?.['post']?.parameters?.[0]?.example);
    await expectTold(200, 'GET', '/config/profiles/export/{name}', `/config/profiles/export/${name}`);
    await expectTold(200, 'POST', '/config/profiles/{name}/activate', `/config/profiles/${name}/activate`);
    await expectTold(200, 'DELETE', '/config/profiles/{name}', `/config/profiles/${name}`);
    await expectExamplesTaken(200, 'POST', '/config/export');
    await expectTold(200, 'POST', '/config', '/config', examplesOf('POST', '/config')[0]);
    await expectExamplesTaken(200, 'POST', '/config/export');
    await expectExamplesTaken(200, 'POST', '/config/import');
    await expectTold(200, 'POST', '/config/keys/rotate', '/config/keys/rotate');

    const answering = described().filter(({ operation }) => Object.keys(operation.responses).some((code) => code < '3'));
    const others = answering.filter((each) => ![200, 201].some((status) => met.has(`${each.method} ${each.path} ${status}`)));
    expect(others.filter(({ operation }) => operation.tags[0] !== 'Inference')).toEqual([]);
    expectExamplesAlike();
  });

  test('to strangers, to the wrong ones and to pages of others are told of, on every route', async () => {
    for (const { method, path: at, operation } of described()) {
      const target = at.replace(/\{\w+\}/g, 'example');
      if (operation['x-scope'] !== 'none') {
        await expectTold(401, method, at, target, undefined, { authorization: '' });
        await expectTold(400, method, at, target, undefined, { 'x-api-key': 'ola_another' });
        const weak = operation['x-scope'] === 'read' ? scene.tokens.write : scene.tokens.read;
        if (operation['x-scope'] !== 'any') {
          await expectTold(403, method, at, target, undefined, { authorization: `Bearer ${weak}` });
        }
      }
      await expectTold(403, method, at, target, undefined, { origin: 'http://evil.example' });
      if (at !== '/health') await expectTold(421, method, at, target, undefined, { host: 'evil.example' });
    }
  });

  test('to bodies that are none are told of, on every route that takes one', async () => {
    const withJson = described().filter(({ operation }) => operation.requestBody?.content['application/json'] !== undefined);
    expect(withJson.length).toBeGreaterThan(8);
    for (const { method, path: at } of withJson) {
      const target = at.replace(/\{\w+\}/g, 'example');
      await expectTold(400, method, at, target, '{"cut":');
      await expectTold(415, method, at, target, '{}', { 'content-type': 'text/plain' });
      await expectTold(413, method, at, target, '{}', { 'content-length': '99999999' });
      await expectTold(422, method, at, target, [1]);
    }
  });

  test('to what cannot be done are told of', async () => {
    for (const call of ['pull', 'push', 'create', 'copy']) await expectTold(501, 'POST', `/api/${call}`, `/api/${call}`);
    await expectTold(501, 'DELETE', '/api/delete', '/api/delete');
    await expectTold(404, 'POST', '/api/show', '/api/show', { model: 'nobody/x' });
    await expectTold(200, 'POST', '/config', '/config', { providers: { groq: { apiKey: 'gsk_0123456789abcdef' } } });
    const provider = '/config/providers/{id}';
    await expectTold(400, 'PUT', provider, '/config/providers/a%20b', {});
    await expectTold(400, 'PUT', provider, '/config/providers/inside', { baseUrl: 'http://10.0.0.1/v1', apiKey: 'k-0123456789' });
    await expectTold(422, 'PUT', provider, '/config/providers/groq', { baseUrl: 'https://other.example/v1' });
    await expectTold(412, 'PUT', provider, '/config/providers/groq', {}, { 'if-match': '"r0"' });
    await expectTold(404, 'DELETE', provider, '/config/providers/nobody');
    await expectTold(404, 'GET', '/config/providers/{id}/models', '/config/providers/nobody/models');
    const profile = '/config/auth-profiles/{id}';
    const key = { provider: 'groq', type: 'api_key', key: 'gsk_0123456789abcdef' };
    await expectTold(400, 'PUT', profile, '/config/auth-profiles/a%2Fb:c', key);
    await expectTold(400, 'PUT', profile, '/config/auth-profiles/groq:a', { ...key, baseUrl: 'http://10.0.0.1/v1' });
    await expectTold(422, 'PUT', profile, '/config/auth-profiles/groq:a', { ...key, type: 'password' });
    await expectTold(412, 'PUT', profile, '/config/auth-profiles/groq:a', key, { 'if-match': '"r0"' });
    await expectTold(200, 'PUT', profile, '/config/auth-profiles/groq:a', { ...key, type: 'cli' });
    await expectTold(409, 'POST', `${profile}/test`, '/config/auth-profiles/groq:a/test');
    await expectTold(404, 'POST', `${profile}/test`, '/config/auth-profiles/groq:b/test');
    await expectTold(404, 'POST', `${profile}/enable`, '/config/auth-profiles/groq:b/enable');
    await expectTold(404, 'GET', profile, '/config/auth-profiles/groq:b');
    await expectTold(404, 'DELETE', profile, '/config/auth-profiles/groq:b');
    await expectTold(409, 'POST', '/v1/chat/completions', '/v1/chat/completions', {
      model: 'groq:a/x',
      messages: [{ role: 'user', content: 'x' }],
    });
    await expectTold(412, 'POST', '/config', '/config', {}, { 'if-match': '"r0"' });
    await expectTold(409, 'POST', '/config', '/config', { durableState: { dbPath: '/elsewhere' } });
    await expectTold(400, 'POST', '/config/validate', '/config/validate', {
      providers: { inside: { baseUrl: 'http://10.0.0.1/' } },
    });
    await expectTold(422, 'POST', '/config/validate', '/config/validate', {
      providers: { groq: { baseUrl: 'https://other.example/', apiKey: '[REDACTED]' } },
    });
    await expectTold(400, 'GET', '/config/revisions/{number}', '/config/revisions/x');
    await expectTold(404, 'GET', '/config/revisions/{number}', '/config/revisions/999');
    await expectTold(404, 'GET', '/config/revisions/{number}/diff', '/config/revisions/999/diff');
    await expectTold(404, 'POST', '/config/revisions/{number}/rollback', '/config/revisions/999/rollback');
    await expectTold(422, 'GET', '/config/revisions', '/config/revisions?limit=0');
    await expectTold(422, 'GET', '/config/tokens', '/config/tokens?after=nothing');
    await expectTold(404, 'GET', '/config/tokens/{id}', '/config/tokens/nobody');
    await expectTold(404, 'DELETE', '/config/tokens/{id}', '/config/tokens/nobody');
    await expectTold(422, 'GET', '/config/usage/summary', '/config/usage/summary?days=many');
    await expectTold(422, 'GET', '/me/usage', '/me/usage?since=tomorrow');
    await expectTold(400, 'POST', '/config/profiles', '/config/profiles', { name: 'a/b' });
    await expectTold(404, 'GET', '/config/profiles/export/{name}', '/config/profiles/export/nobody');
    await expectTold(404, 'POST', '/config/profiles/{name}/activate', '/config/profiles/nobody/activate');
    await expectTold(404, 'DELETE', '/config/profiles/{name}', '/config/profiles/nobody');
    await expectTold(403, 'POST', '/config/export', '/config/export', { passphrase: 'only where it runs' });
    await expectTold(404, 'GET', '/v1/models/{id}', '/v1/models/nobody/nothing');
    await expectTold(400, 'GET', '/v1/models', '/v1/models?limit=0', undefined, { 'anthropic-version': '2023-06-01' });
    for (const path of ['/v1/messages', '/v1/messages/count_tokens'])
      await expectTold(404, 'POST', path, path, { model: 'nobody/x', messages: [{ role: 'user', content: 'x' }] });
    await expectTold(404, 'POST', '/v1/chat/completions', '/v1/chat/completions', {
      model: 'nobody/x',
      messages: [{ role: 'user', content: 'x' }],
    });
  });

  test('while it shuts down are told of', async () => {
    scene.gateway.drain();
    await expectTold(503, 'GET', '/health', '/health');
    await expectTold(503, 'GET', '/config', '/config');
    await expectTold(503, 'GET', '/docs', '/docs');
  });
});
