import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { may, type RouteScope } from '../../src/core/access.ts';
import { type ErrorEnvelope, errorType } from '../../src/core/errors.ts';
import { mostBodyBytes } from '../../src/http/body.ts';
import { readGoogleError } from './google-error.ts';
import { type AppScene, open } from './scene.ts';

const path = mkdtempSync(join(tmpdir(), 'ola-test-'));
let scene: AppScene;
beforeAll(async () => {
  scene = await open(path);
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(path, { recursive: true, force: true });
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const admin = () => bearer(scene.tokens.admin);
const asJson = (token: string, body: unknown): RequestInit => ({
  headers: { ...bearer(token), 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

async function errorOf(response: Response): Promise<ErrorEnvelope['error']> {
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  const { error } = (await response.json()) as { readonly error: ErrorEnvelope['error'] | string };
  if (typeof error !== 'string') return readGoogleError(error);
  // Ollama's envelope is a text: the header has the code.
  const code = response.headers.get('x-ola-code') ?? '';
  return { message: error, code, type: errorType(response.status), param: null };
}

/** A path that fits the pattern of a route. */
const example = (pattern: string) => pattern.replace(/(?<!\*):[a-z]+/gi, 'example').replace('*', 'acme/model');

/** Whether a route of another pattern serves this path by this method. */
function alsoServed(target: string, method: string): boolean {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return scene.app.routes.some((route) => {
    const pattern = new RegExp(`^${route.path.replace(/(?<!\*):[a-z]+/gi, '[^/]+').replace('*', '.+')}$`);
    return route.method === wanted && pattern.test(target);
  });
}

test('the work after the start changes no answer: of a route with a body, right or wrong, before and after it', async () => {
  const fresh = await open(mkdtempSync(join(path, 'fresh-')));
  const ask = async (body: unknown) => {
    const response = await fresh.ask('POST', '/config/tokens', asJson(fresh.tokens.admin, body));
    return [response.status, ((await response.json()) as { error?: { message: string } }).error?.message];
  };
  const asked = [{ name: 'laptop' }, { name: 7 }, {}];
  const before = [await ask(asked[0]), await ask(asked[1]), await ask(asked[2])];
  expect(before.map(([status]) => status)).toEqual([201, 422, 422]);
  expect(fresh.app.afterStart.length).toBeGreaterThan(10);
  for (const work of fresh.app.afterStart) work();
  expect([await ask(asked[0]), await ask(asked[1]), await ask(asked[2])]).toEqual(before);
  await fresh[Symbol.asyncDispose]();
});

describe('every route', () => {
  const scopes: readonly RouteScope[] = ['none', 'any', 'read', 'write', 'admin'];

  test('declares its scope and says what it does, and stands there once', () => {
    const { routes } = scene.app;
    expect(routes.length).toBeGreaterThan(8);
    for (const { method, path: pattern, scope, summary } of routes) {
      expect(scopes, `${method} ${pattern}`).toContain(scope);
      expect(summary).toMatch(/^[A-Z].{5,}/);
    }
    expect(new Set(routes.map((route) => `${route.method} ${route.path}`)).size).toBe(routes.length);
  });

  test('has the scope that its place calls for', () => {
    for (const { method, path: pattern, scope } of scene.app.routes) {
      const due = pattern.startsWith('/config')
        ? 'admin'
        : /^\/(?:(?:health|docs|static)(?:\/|$)|$)/.test(pattern)
          ? 'none'
          : pattern.startsWith('/me/')
            ? 'any'
            : method === 'GET' || pattern === '/api/show'
              ? 'read'
              : 'write';
      expect(scope, `${method} ${pattern}`).toBe(due);
    }
  });

  test('that is not public asks a stranger for a token, before it looks at the body', async () => {
    for (const { method, path: pattern, scope } of scene.app.routes) {
      const bodiless = method === 'GET' || method === 'DELETE';
      const init = bodiless
        ? { headers: { accept: 'text/html' } }
        : { body: 'no json', headers: { 'content-type': 'text/plain' } };
      const response = await scene.ask(method, example(pattern), init);
      if (scope === 'none') {
        expect(response.status, pattern).toBeLessThan(400);
        continue;
      }
      expect(response.status, pattern).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await errorOf(response)).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' });
    }
  });

  test('lets in exactly those whose scope it asks for; others learn which one it is', async () => {
    for (const { method, path: pattern, scope } of scene.app.routes) {
      for (const has of ['read', 'write', 'admin'] as const) {
        const response = await scene.ask(method, example(pattern), { headers: bearer(scene.tokens[has]) });
        const passes =
          scope === 'none' || scope === 'any' || may({ subject: '', project: null, tokenId: null, scopes: [has] }, scope);
        expect([401, 403].includes(response.status), `${has}: ${method} ${pattern}`).toBe(!passes);
        if (!passes) {
          const error = await errorOf(response);
          expect(error).toMatchObject({ code: 'insufficient_scope', type: 'permission_error' });
          if (!pattern.startsWith('/api/')) expect(error.details).toEqual({ required: scope });
        }
      }
    }
  });

  test('with a body takes JSON alone, plain, whole and within the limit', async () => {
    const ways: readonly [headers: Record<string, string>, status: number][] = [
      [{ 'content-type': 'text/plain' }, 415],
      [{ 'content-type': 'application/x-www-form-urlencoded' }, 415],
      [{ 'content-type': 'multipart/form-data; boundary=x' }, 415],
      [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, 415],
      [{ 'content-type': 'application/json', 'content-encoding': 'gzip, identity' }, 415],
      [{ 'content-type': 'application/json', 'content-encoding': ' , Identity,IDENTITY' }, 400],
      [{ 'content-type': 'application/json', 'content-length': String(mostBodyBytes + 1) }, 413],
      [{ 'content-type': 'application/json' }, 400],
    ];
    const withBody = scene.app.routes.filter((route) => route.body !== undefined);
    expect(withBody.length).toBeGreaterThan(5);
    for (const { method, path: pattern } of withBody) {
      for (const [headers, status] of ways) {
        const response = await scene.ask(method, example(pattern), { headers: { ...admin(), ...headers }, body: '{"cut":' });
        expect([method, pattern, headers, response.status]).toEqual([method, pattern, headers, status]);
        await errorOf(response);
      }
    }
  });

  test('that is not public takes one credential, and none from the query or a cookie', async () => {
    for (const { method, path: pattern, scope } of scene.app.routes.filter((route) => route.scope !== 'none')) {
      const two = { ...admin(), 'x-api-key': scene.tokens.read };
      expect([pattern, scope, (await scene.ask(method, example(pattern), { headers: two })).status]).toEqual([
        pattern,
        scope,
        400,
      ]);
      const query = ['key', 'api_key', 'access_token', 'token', 'authorization'].map((name) => `${name}=${scene.tokens.admin}`);
      const cookie = { cookie: `token=${scene.tokens.admin}; authorization=${scene.tokens.admin}` };
      const asked = await scene.ask(method, `${example(pattern)}?${query.join('&')}`, { headers: cookie });
      expect([pattern, asked.status]).toEqual([pattern, 401]);
    }
  });

  test('gives the request’s id back, the client’s own when it is a plain one', async () => {
    for (const { method, path: pattern } of scene.app.routes) {
      const with_ = async (id: string) =>
        (await scene.ask(method, example(pattern), { headers: { ...admin(), 'x-request-id': id } })).headers.get('x-request-id');
      expect(await with_('my-id_1.2')).toBe('my-id_1.2');
      for (const odd of ['a b', 'x'.repeat(129), '<script>', 'a/b']) expect(await with_(odd)).toMatch(/^req_[0-9a-f-]{36}$/);
    }
  });
});

describe('a path', () => {
  test('that nobody serves is 404, for strangers and friends alike', async () => {
    for (const target of [
      '/nothing',
      '/v1',
      '/v1/chat',
      '/config/tokens/a/b',
      '/configs',
      '/%00',
      '//health',
      '/constructor',
      '/V1/models',
    ]) {
      for (const headers of [{}, admin()]) {
        const response = await scene.ask('GET', target, { headers });
        expect(response.status, target).toBe(404);
        expect((await errorOf(response)).code).toBe('route_not_found');
      }
    }
  });

  test('that is nearly one of a route is 404 and names the route; nothing is folded', async () => {
    const table: readonly [target: string, meant: string][] = [
      ['/v1//chat/completions', '/v1/chat/completions'],
      ['/chat/completions', '/v1/chat/completions'],
      ['/v1/v1/chat/completions', '/v1/chat/completions'],
      ['/V1/Chat/Completions', '/v1/chat/completions'],
      ['/v1/chat/completion', '/v1/chat/completions'],
      ['/completions', '/v1/completions or /v1/chat/completions'],
      ['/models', '/v1/models'],
      ['//config', '/config'],
    ];
    for (const [target, meant] of table) {
      const { code, message } = await errorOf(await scene.ask('POST', target, { headers: admin() }));
      expect([target, code, message]).toEqual([target, 'route_not_found', expect.stringContaining(`Did you mean ${meant}?`)]);
      expect(message.includes('base URL')).toBe(meant.startsWith('/v1/'));
    }
    for (const target of ['/v1', '/v1/', '/', '/nothing', `/${'models'.repeat(2000)}`]) {
      expect((await errorOf(await scene.ask('GET', target))).message).toContain('/docs lists the routes');
    }
  });

  test('of an API that comes later is 404 and says so, also with the base URL a little wrong', async () => {
    for (const target of ['/v1/responses/resp_1', '/v1/universal/tasks']) {
      const response = await scene.ask('POST', target, { headers: admin() });
      expect([target, response.status, response.headers.get('x-ola-code')]).toEqual([target, 404, 'route_not_found']);
      expect(await response.text()).toContain(`${target} is not served by this version yet.`);
    }
    expect((await errorOf(await scene.ask('GET', '/v1/response'))).message).toContain('There is nothing at');
  });

  test('of a client of Anthropic’s API whose base URL has a version is told so', async () => {
    const { message } = await errorOf(await scene.ask('POST', '/v1/v1/messages', { headers: admin() }));
    expect(message).toContain("Did you mean /v1/messages? The base URL of a client of Anthropic's API has no /v1.");
  });

  test('`/` is a page for browsers, without a script, and for programs 404 as every unknown path', async () => {
    const page = await scene.ask('GET', '/', { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('vary')).toContain('Accept,');
    const text = await page.text();
    expect(text).not.toMatch(/<script|\son\w+=|\sstyle=/);
    for (const link of text.matchAll(/href="(\/[^"]*)"/g)) {
      const target = await scene.ask('GET', link[1] ?? '', { headers: { accept: 'text/html' } });
      expect([link[1], target.status]).toEqual([link[1], 200]);
    }
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }] as Record<string, string>[]) {
      expect((await errorOf(await scene.ask('GET', '/', { headers }))).code).toBe('route_not_found');
    }
  });

  test('that is served by other methods is 405 and says by which', async () => {
    const table: readonly [method: string, target: string, allow: string][] = [
      ['GET', '/v1/chat/completions', 'POST'],
      ['POST', '/v1/models', 'GET, HEAD'],
      ['DELETE', '/health', 'GET, HEAD'],
      ['PATCH', '/config/tokens', 'POST, GET, HEAD'],
      ['POST', '/config/providers/acme', 'PUT, DELETE'],
      ['OPTIONS', '/v1/chat/completions', 'POST'],
      ['PUT', '/v1/models/a/b', 'GET, HEAD'],
    ];
    for (const [method, target, allow] of table) {
      const response = await scene.ask(method, target, { headers: {} });
      expect(response.status, target).toBe(405);
      expect(response.headers.get('allow')).toBe(allow);
      expect((await errorOf(response)).code).toBe('method_not_allowed');
    }
  });

  test('is served by no method but those of the table; the others are 405 and say which ones, to strangers and friends alike', async () => {
    const { routes } = scene.app;
    for (const pattern of new Set(routes.map((route) => route.path))) {
      const own = routes.filter((route) => route.path === pattern).map((route) => route.method as string);
      const served = own.includes('GET') ? [...own, 'HEAD'] : own;
      for (const verb of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND']) {
        // Another pattern may fit the same path: `/config/profiles/import` is also `/config/profiles/:name`.
        if (served.includes(verb) || alsoServed(example(pattern), verb)) continue;
        for (const headers of [{}, admin()]) {
          const response = await scene.ask(verb, example(pattern), { headers });
          expect([verb, pattern, response.status]).toEqual([verb, pattern, 405]);
          const allow = (response.headers.get('allow') ?? '').split(', ');
          for (const each of served) expect(allow).toContain(each);
          expect(allow).not.toContain(verb);
          if (verb !== 'HEAD') expect((await errorOf(response)).code).toBe('method_not_allowed');
        }
      }
    }
  });

  test('that is very long is not repeated whole', async () => {
    expect((await errorOf(await scene.ask('GET', `/${'x'.repeat(5000)}`))).message.length).toBeLessThan(400);
  });

  test('with broken percent-encoding does not break anything', async () => {
    for (const target of ['/config/tokens/%', '/config/tokens/%ff', '/v1/models/%zz', '/%']) {
      const response = await scene.ask('GET', target, { headers: admin() });
      expect(response.status, target).toBe(404);
      await errorOf(response);
    }
  });
});

describe('HEAD', () => {
  test('answers wherever GET does, with the same status and headers and no body', async () => {
    for (const { method, path: pattern } of scene.app.routes.filter((route) => route.method === 'GET')) {
      for (const headers of [{}, admin()]) {
        const init = { headers: { ...headers, 'x-request-id': 'same' } };
        const [get, head] = [await scene.ask(method, example(pattern), init), await scene.ask('HEAD', example(pattern), init)];
        expect(head.status, pattern).toBe(get.status);
        const length = String((await get.arrayBuffer()).byteLength);
        expect([...head.headers].sort()).toEqual([...get.headers, ['content-length', length] as [string, string]].sort());
        expect(await head.text()).toBe('');
      }
    }
  });

  test('is 405 where there is no GET', async () => {
    const response = await scene.ask('HEAD', '/v1/chat/completions', { headers: admin() });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });
});

describe('a credential', () => {
  test('in another carrier lets in too', async () => {
    for (const carrier of ['x-api-key', 'x-goog-api-key']) {
      expect((await scene.ask('GET', '/v1/models', { headers: { [carrier]: scene.tokens.read } })).status).toBe(200);
    }
  });

  test('in the query lets nobody in', async () => {
    for (const name of ['key', 'api_key', 'access_token', 'token']) {
      expect((await scene.ask('GET', `/v1/models?${name}=${scene.tokens.admin}`)).status).toBe(401);
    }
  });

  test('beside another is 400', async () => {
    const headers = { ...admin(), 'x-api-key': scene.tokens.read };
    const response = await scene.ask('GET', '/v1/models', { headers });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ code: 'conflicting_credentials', type: 'invalid_request_error' });
    const twice = `Bearer ${scene.tokens.admin}, Bearer ${scene.tokens.read}`;
    expect((await scene.ask('GET', '/v1/models', { headers: { authorization: twice } })).status).toBe(400);
  });

  test('is not asked of whoever comes over the control socket', async () => {
    const request = new Request('http://localhost/config');
    const response = await scene.app.handle(request, {
      kind: 'control',
      peer: () => null,
      awaitBody: () => undefined,
      hold: () => undefined,
      release: () => undefined,
    });
    expect(response.status).toBe(200);
  });
});

describe('a model', () => {
  test('is found under an id with slashes, raw or encoded, and is 404 in the envelope when it is not there', async () => {
    const model = { id: 'meta/llama 3' };
    const provider = { baseUrl: 'https://acme.example/v1', authHeader: false, models: [model] };
    expect((await scene.ask('PUT', '/config/providers/acme', asJson(scene.tokens.admin, provider))).status).toBe(200);
    for (const target of ['acme/meta/llama%203', 'acme%2Fmeta%2Fllama%203', 'meta%2Fllama%203']) {
      const response = await scene.ask('GET', `/v1/models/${target}`, { headers: bearer(scene.tokens.read) });
      expect(await response.json()).toMatchObject({ id: 'acme/meta/llama 3', object: 'model', owned_by: 'acme' });
    }
    const missing = await scene.ask('GET', '/v1/models/acme/no', { headers: bearer(scene.tokens.read) });
    expect(missing.status).toBe(404);
    expect(await errorOf(missing)).toMatchObject({ code: 'model_not_found', param: 'model' });
  });
});

describe('tokens over the wire', () => {
  test('are made, shown once, listed by pages and revoked', async () => {
    const created = await scene.ask('POST', '/config/tokens', asJson(scene.tokens.admin, { name: 'mine', scopes: ['read'] }));
    expect(created.status).toBe(201);
    const { id, token, expiresAt } = (await created.json()) as { id: string; token: string; expiresAt: string };
    expect(Date.parse(expiresAt)).toBe(scene.now + 30 * 86_400_000);
    expect((await scene.ask('GET', '/v1/models', { headers: bearer(token) })).status).toBe(200);
    const shown = await scene.ask('GET', `/config/tokens/${id}`, { headers: admin() });
    expect(await shown.text()).not.toContain(token);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const after: string = cursor === '' ? '' : `&after=${cursor}`;
      const listed = await scene.ask('GET', `/config/tokens?limit=2${after}`, { headers: admin() });
      const list = (await listed.json()) as { data: { id: string }[]; hasMore: boolean; nextCursor: string | null };
      expect(list.data.length).toBeLessThanOrEqual(2);
      expect(list.hasMore).toBe(list.nextCursor !== null);
      seen.push(...list.data.map((each) => each.id));
      cursor = list.nextCursor;
    }
    expect(seen).toEqual(scene.gateway.tokens.list().map((each) => each.id));
    expect((await scene.ask('DELETE', `/config/tokens/${id}`, { headers: admin() })).status).toBe(200);
    expect((await scene.ask('GET', '/v1/models', { headers: bearer(token) })).status).toBe(401);
    expect((await scene.ask('DELETE', `/config/tokens/${id}`, { headers: admin() })).status).toBe(404);
  });

  test('are refused with a date that has passed, that is none, or with a restriction that is not understood', async () => {
    const bodies = [
      [{ name: 'n', expiresAt: '2001-01-01' }, 'expiresAt'],
      [{ name: 'n', expiresAt: 'tomorrow' }, 'expiresAt'],
      [{ name: 'n', expiresAt: null, expiresInDays: 1 }, 'expiresAt'],
      [{ name: 'n', expiresInDays: 0 }, 'expiresInDays'],
      [{ name: 'n', expiresInDays: '3' }, 'expiresInDays'],
      [{ name: '' }, 'name'],
      [{ name: 'n', scopes: ['root'] }, 'scopes.0'],
      [{ name: 'n', allowedModels: ['x'] }, 'allowedModels'],
    ] as const;
    for (const [body, param] of bodies) {
      const response = await scene.ask('POST', '/config/tokens', asJson(scene.tokens.admin, body));
      expect(response.status).toBe(422);
      expect((await errorOf(response)).param).toBe(param);
    }
  });

  test('are paged by whole numbers and known cursors only', async () => {
    for (const query of ['limit=0', 'limit=-1', 'limit=x', 'limit=1.5', 'after=nobody']) {
      expect((await scene.ask('GET', `/config/tokens?${query}`, { headers: admin() })).status).toBe(422);
    }
    expect((await scene.ask('GET', '/config/tokens?limit=100000', { headers: admin() })).status).toBe(200);
  });
});

describe('the configuration over the wire', () => {
  test('has an ETag, and a write that started from an older one is 412', async () => {
    const provider = asJson(scene.tokens.admin, { baseUrl: 'https://other.example/v1', apiKey: 'sk-CANARY-0123456789' });
    expect((await scene.ask('PUT', '/config/providers/other', provider)).status).toBe(200);
    const config = await scene.ask('GET', '/config', { headers: admin() });
    const etag = config.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(await config.text()).not.toContain('CANARY');
    const ifMatch = (tag: string) => ({ ...provider, headers: { ...provider.headers, 'if-match': tag } });
    const passed = await scene.ask('PUT', '/config/providers/other', ifMatch(etag));
    expect(passed.status).toBe(200);
    expect(passed.headers.get('etag')).not.toBe(etag);
    const stale = await scene.ask('PUT', '/config/providers/other', ifMatch(etag));
    expect(stale.status).toBe(412);
    expect((await errorOf(stale)).code).toBe('precondition_failed');
  });
});

describe('a request that has been here before', () => {
  test('is refused before anything else is asked of it, on every route but to the owner of the home', async () => {
    const own = scene.gateway.via.own;
    expect(own).toMatch(/^1\.1 ola-[0-9a-f]{16}$/);
    for (const via of [own, `1.1 proxy, ${own}`, `${own} (with words), 1.1 proxy`, `HTTP/${own}`]) {
      for (const target of ['/v1/models', '/config', '/nothing', '/health']) {
        const response = await scene.ask('GET', target, { headers: { via } });
        expect(response.status).toBe(403);
        const error = await errorOf(response);
        expect(error).toMatchObject({ code: 'egress_destination_blocked', details: { reason: 'self_connection' } });
        expect(error.message).toContain('address of the real provider');
      }
    }
    for (const via of ['1.1 proxy', '1.1 ola-0123456789abcdef', `${own}0`, `x${own}`.replace('1.1 ', ''), '']) {
      expect((await scene.ask('GET', '/v1/models', { headers: { ...admin(), via } })).status).toBe(200);
    }
  });
});

describe('while the gateway drains', () => {
  test('health says so and nothing else is served', async () => {
    await using other = await open(mkdtempSync(join(path, 'drain-')));
    other.gateway.drain();
    expect((await other.ask('GET', '/health')).status).toBe(503);
    const refused = await other.ask('GET', '/v1/models', { headers: bearer(other.tokens.read) });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await errorOf(refused)).code).toBe('shutting_down');
  });
});

describe('a Host of one to three letters', () => {
  const short = {
    kind: 'network',
    peer: () => '127.0.0.1',
    awaitBody: () => undefined,
    hold: () => undefined,
    release: () => undefined,
  } as const;
  const from = (url: string) => scene.app.handle(new Request(url, { headers: { ...admin(), host: new URL(url).host } }), short);

  test('does not make another path public: what is admitted is what is routed', async () => {
    for (const host of ['a', 'go', 'dev']) {
      const response = await from(`http://${host}/health/config`);
      expect([404, 421]).toContain(response.status);
    }
  });

  test('reaches the health like any other', async () => {
    expect((await from('http://go/health')).status).toBe(200);
  });
});
