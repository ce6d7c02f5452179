/** `/docs` of the compiled binary: everything it needs is inside, nothing else is asked, and a start does not pay for it. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeBy, readDocument } from '../http/reference/openapi.ts';
import { adminToken, expectError, type Ola, request, stage } from './stage.ts';
import { exchange, requestBytes } from './wire.ts';

const { start, directory } = stage();
const packages = join(import.meta.dir, '../../node_modules');
const shared = start({ args: ['--demo'] });

const documentOf = async ({ address }: Ola) => readDocument((await request(`${address}/docs/json`)).text);

test('the page asks this gateway alone, and all that it asks for is there', async () => {
  const { address } = await shared;
  const { headers, text } = await request(`${address}/docs`);
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  });
  // No script or style in the page itself: the policy would refuse it.
  expect(text).not.toMatch(/<style|<script(?![^>]*src=)|\son\w+=|\sstyle=/i);
  const wanted = [...text.matchAll(/(?:href|src)="([^"]+)"/g)]
    .map(([, target = '']) => target)
    .filter((target) => !target.startsWith('data:'));
  expect(wanted.length).toBeGreaterThan(4);
  for (const target of wanted) {
    expect(target).toStartWith('/');
    expect([target, (await request(address + target)).status]).toEqual([target, 200]);
  }
});

test('the files are those of the package that is pinned, with the licences beside them', async () => {
  const { address } = await shared;
  const file = (name: string) => readFileSync(join(packages, 'swagger-ui-dist', name), 'utf8');
  const script = await request(`${address}/static/swagger-ui.js`);
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(script.text.trimEnd()).toBe(
    file('swagger-ui-bundle.js')
      .replace(/\n\/\/# sourceMappingURL=.*/, '')
      .trimEnd(),
  );
  const style = await request(`${address}/static/swagger-ui.css`);
  expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(style.text.trimEnd()).toBe(
    file('swagger-ui.css')
      .replace(/\n\/\*# sourceMappingURL=.*/, '')
      .trimEnd(),
  );
  const { text } = await request(`${address}/static/swagger-ui-licence.txt`);
  for (const name of ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt']) expect(text).toContain(file(name).trim());
});

const withoutTime = (text: string) => text.replace(/"created":\d+/g, '"created":0');

test('the examples that the demo can answer are answered, as the document says', async () => {
  const ola = await shared;
  const document = await documentOf(ola);
  const judge = judgeBy(document);
  let tried = 0;
  for (const [at, methods] of Object.entries(document.paths)) {
    const { requestBody, responses } = methods['post'] ?? {};
    const { examples = {} } = requestBody?.content['application/json'] ?? {};
    for (const { value } of Object.values(examples)) {
      if (!JSON.stringify(value).includes('"demo/')) continue;
      const response = await fetch(ola.address + at, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(value),
      });
      const type = response.headers.get('content-type') ?? '';
      const said = await response.clone().text();
      expect([at, value, response.status, await judge.answer('POST', at, response)]).toEqual([at, value, 200, []] as never);
      // To the letter, but for the time.
      const example = responses?.['200']?.content?.[type]?.example;
      const shown = typeof example === 'string' ? example : JSON.stringify(example);
      expect([at, withoutTime(said)]).toEqual([at, withoutTime(shown)]);
      tried++;
    }
  }
  expect(tried).toBeGreaterThan(2);
  for (const at of ['/v1/models', '/v1/models/{id}']) {
    const response = await fetch(ola.address + at.replace('{id}', 'demo/echo'), {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    expect([at, response.status, await judge.answer('GET', at, response)]).toEqual([at, 200, []]);
  }
});

test('a page of this address may write, on every address of this machine, and one of another may not', async () => {
  const ola = await start({ args: ['--host', '0.0.0.0'] });
  const body = '{"name":"from the page"}';
  const post = async (host: string, origin: string, site: string) => {
    const headers = [
      `Authorization: Bearer ${adminToken}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      `Origin: ${origin}`,
      `Sec-Fetch-Site: ${site}`,
    ];
    const bytes = requestBytes('POST /config/tokens HTTP/1.1', headers, body).replace('Host: 127.0.0.1', `Host: ${host}`);
    return (await exchange(ola.port, bytes))[0];
  };
  for (const name of ['127.0.0.1', 'localhost']) {
    const host = `${name}:${ola.port}`;
    expect([host, (await post(host, `http://${host}`, 'same-origin'))?.status]).toEqual([host, 201]);
    // Behind a proxy that speaks TLS.
    expect([host, (await post(host, `https://${host}`, 'same-origin'))?.status]).toEqual([host, 201]);
    expectError((await post(host, 'http://evil.example', 'cross-site'))!, 403, 'origin_not_allowed');
    expectError((await post(host, `http://${name}:${ola.port + 1}`, 'same-site'))!, 403, 'origin_not_allowed');
  }
});

test('a start names the page, and so does an answer to a path that is none', async () => {
  const ola = await shared;
  expect(ola.out()).toContain(`${ola.address}/docs\n`);
  expect(expectError(await request(`${ola.address}/doc`), 404, 'route_not_found')['message'] as unknown).toContain('/docs');
});

test('neither page nor document has anything of this machine in it', async () => {
  const home = directory();
  const ola = await start({ home, env: { GROQ_API_KEY: 'gsk_CANARY0123456789CANARY' } });
  const texts = await Promise.all(
    ['/docs', '/docs/json', '/static/docs.js'].map(async (at) => (await request(ola.address + at)).text),
  );
  for (const text of texts) {
    expect(text.length).toBeGreaterThan(500);
    for (const secret of [adminToken, 'CANARY', home, ola.address]) expect(text).not.toContain(secret);
  }
});

test('what the page is made of is loaded when it is asked for', () => {
  const app = join(import.meta.dir, '../../src/http/app.ts');
  const program = `await import(${JSON.stringify(app)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const { stdout } = Bun.spawnSync([process.execPath, '-e', program]);
  const loaded = JSON.parse(stdout.toString()) as string[];
  expect(loaded.filter((path) => path.endsWith('src/http/app.ts'))).toHaveLength(1);
  expect(loaded.filter((path) => /swagger|scalar|http\/reference\/|web\/assets/.test(path))).toEqual([]);
});
