/**
 * Lets two tools from outside judge the reference: Redocly's linter with its recommended rules, and a client whose types
 * openapi-typescript makes, compiled and run against a gateway. Neither is a dependency: both are installed into a
 * directory that is thrown away, at pinned versions, so this needs a package registry and is no part of the tests.
 *
 *   bun scripts/judge-reference.ts [DIRECTORY]
 *
 * A directory that is named is kept, so that a second run has nothing to install.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.env['OLA_BINARY'] ?? join(import.meta.dir, '../dist/ola');
const adminToken = 'judge-admin-token-0123456789-0123456789';
const dependencies = { '@redocly/cli': '2.77.0', 'openapi-typescript': '7.13.0', 'openapi-fetch': '0.17.0', typescript: '5.9.3' };

/** What somebody would write: each body and each answer typed by the document, wrong ones refused by the compiler. */
const client = `
import createClient from 'openapi-fetch';
import type { components, paths } from './reference.d.ts';

const [address = '', token = ''] = process.argv.slice(2);
const ola = createClient<paths>({ baseUrl: address, headers: { authorization: \`Bearer \${token}\` } });
const must = <T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T => {
  if (data === undefined) throw new Error(\`\${response.status} \${JSON.stringify(error)}\`);
  return data;
};

const health = must(await ola.GET('/health'));
const status: 'ok' | 'degraded' | 'unavailable' = health.status;
const made = must(await ola.POST('/config/tokens', { body: { name: 'typed', scopes: ['read', 'write'], expiresInDays: 1 } }));
const secret: string = made.token;
const listed = must(await ola.GET('/config/tokens', { params: { query: { limit: 10 } } }));
const tokens: components['schemas']['Token'][] = listed.data;
const provider: components['schemas']['ProviderChange'] = { baseUrl: 'http://127.0.0.1:9/v1', allowLocal: true, apiKey: null, models: [{ id: 'm' }] };
const put = must(await ola.PUT('/config/providers/{id}', { params: { path: { id: 'typed' } }, body: provider }));
const config = must(await ola.GET('/config'));
const baseUrl: string | undefined = config.providers?.['typed']?.baseUrl;
const model = must(await ola.GET('/v1/models/{id}', { params: { path: { id: 'demo/echo' } } }));
const chat = must(await ola.POST('/v1/chat/completions', { body: { model: model.id, messages: [{ role: 'user', content: 'typed' }] } }));
// The vendor's own types: the document names the wire format and does not describe it. A stream would be text.
const { choices } = chat as { choices: { message: { content: string } }[] };
const said: string | undefined = choices[0]?.message.content;
const refused = await ola.POST('/config/tokens', { body: { name: '' } });
const code: string | undefined = refused.error?.error.code;

// @ts-expect-error a scope that is none
await ola.POST('/config/tokens', { body: { name: 'x', scopes: ['everything'] } }).catch(() => undefined);
// @ts-expect-error a name is needed
await ola.POST('/config/tokens', { body: {} }).catch(() => undefined);
// @ts-expect-error there is no such path
await ola.GET('/config/nothing').catch(() => undefined);

console.log(JSON.stringify({ status, secret: secret.slice(0, 4), tokens: tokens.length, put: put.provider, baseUrl, said, code }));
`;

const settings = {
  compilerOptions: {
    target: 'ESNext',
    module: 'ESNext',
    moduleResolution: 'bundler',
    lib: ['ESNext', 'DOM', 'DOM.Iterable'],
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  },
  include: ['client.ts'],
};

async function main(directory: string): Promise<boolean> {
  const files = {
    'package.json': { private: true, type: 'module', dependencies: { ...dependencies, '@types/node': '24.10.1' } },
    'tsconfig.json': settings,
    'redocly.yaml': 'extends:\n  - recommended\n',
    'client.ts': client,
  };
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  const isInstalled = existsSync(join(directory, 'node_modules/.package-lock.json'));
  if (
    !isInstalled &&
    !run(directory, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'])
  )
    return false;

  const home = join(directory, 'home');
  const ola = Bun.spawn([binary, 'serve', '--demo', '--port', '0'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, OPEN_LLM_AUTH_HOME: home, OPEN_LLM_AUTH_TOKEN: adminToken },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const address = await addressOf(ola.stdout);
    await Bun.write(join(directory, 'reference.json'), await fetch(`${address}/docs/json`));
    const tool = (name: string) => join('node_modules/.bin', name);
    const verdicts = [
      run(directory, tool('redocly'), ['lint', 'reference.json']),
      run(directory, tool('openapi-typescript'), ['reference.json', '--output', 'reference.d.ts']),
      run(directory, tool('tsc'), ['--project', '.']),
      run(directory, process.execPath, ['client.ts', address, adminToken]),
    ];
    return verdicts.every(Boolean);
  } finally {
    ola.kill();
    await ola.exited;
  }
}

/** @returns whether it ended well; what it says goes to the terminal */
function run(cwd: string, command: string, args: readonly string[]): boolean {
  console.log(`$ ${[command, ...args].join(' ').replaceAll(adminToken, '…')}`);
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' };
  const { exitCode } = Bun.spawnSync([command, ...args], { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (exitCode !== 0) console.log(`it ended with ${exitCode}`);
  return exitCode === 0;
}

async function addressOf(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let written = '';
  for await (const chunk of stdout) {
    written += decoder.decode(chunk, { stream: true });
    const found = /listens on (http:\/\/\S+)\n.*Ctrl-C/s.exec(written)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`ola did not start: ${written}`);
}

const [named] = process.argv.slice(2);
const directory = named ?? mkdtempSync(join(tmpdir(), 'ola-judges-'));
mkdirSync(directory, { recursive: true });
try {
  process.exitCode = (await main(directory)) ? 0 : 1;
} finally {
  if (named === undefined) rmSync(directory, { recursive: true, force: true });
}
