/**
 * Runs a document as a reader would, block by block, in a home and a directory of its own, and says what does not hold.
 *
 * A block's first word says what it is:
 * - `sh`: each command is run and must end with 0; `sh refused`: the last one must not; `sh stopped`: the server that the
 *   document has started is stopped before, as its text says.
 * - `js`: run by Bun, with the packages of this project (`openai`); with a second word it is put into the file of that name.
 * - `json output`, `text output`: what the last command printed. `…` stands for what differs from time to time.
 * - `json`, `jsonc`: a configuration; with a second word it is also put into the file of that name.
 *
 * What is put in place of what is written:
 * - `127.0.0.1:8080`, where ola listens, and `127.0.0.1:8000`, the reader's own model server: free ports;
 * - `ola serve`, under Deno too, runs in the background until the next one, `npm start` is the same with `--demo`; other npm scripts are only
 *   checked to exist, each has a test of its own;
 * - `ola_…` is the token that was printed last, `sk-…` and the like a made-up key;
 * - a vendor's model that is asked for is asked of the provider `local`, so that no vendor is ever called. For the same
 *   reason names are not resolved when they are written.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { modelsOf } from '../../src/catalog/models.ts';
import { catalogProviders } from '../../src/catalog/providers.ts';
import { editJsonc } from '../../src/core/jsonc.ts';
import { type Block, commandsOf, hasClaimed, isOutput } from './markdown.ts';
import { binary, until } from './stage.ts';

const root = join(import.meta.dir, '../..');

/** npm commands that a document may name, with the test that runs them. */
export const coveredBy: Readonly<Record<string, string>> = {
  ci: 'test/rules/bootstrap.test.ts',
  start: 'test/rules/bootstrap.test.ts',
  test: 'test/rules/gate.test.ts',
  build: 'test/build/binary.test.ts',
  bench: 'test/scripts/bench.test.ts',
  agents: 'test/scripts/agents.test.ts',
};

export interface Finding {
  /** Of the document. */
  readonly line: number;
  readonly what: string;
}

export interface Sandbox {
  /** Runs the next block. @returns what does not hold, null when all does */
  run(block: Block): Promise<Finding | null>;
  /** Ends what it has started. */
  close(): Promise<void>;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly all: string;
}

/** @param directory empty, the sandbox's own; @param upstreamPort of a model server on loopback */
export async function openSandbox(directory: string, upstreamPort: number): Promise<Sandbox> {
  const [home, work, programs] = ['home', 'work', 'programs'].map((name) => join(directory, name)) as [string, string, string];
  for (const path of [home, work, programs]) mkdirSync(path);
  const environment = join(directory, 'environment');
  writeFileSync(environment, '');
  furnish(work);
  const clean = {
    PATH: pathWithCurl(programs),
    HOME: home,
    TMPDIR: directory,
    TZ: 'UTC',
    EDITOR: 'true',
    // What scripts/ola-deno.sh sets: no question to the network, and what was compiled once is kept.
    DENO_NO_UPDATE_CHECK: '1',
    DENO_DIR: join(root, 'node_modules/.cache/deno'),
  };
  const port = await freePort();
  let server: Bun.Subprocess<'ignore', 'pipe', 'pipe'> | null = null;
  let token = '';
  let printed = '';

  /** Of one command, which finds the variables that those before it exported. */
  async function shell(command: string): Promise<Ended> {
    const script = `. ${environment}\n${command}\nended=$?\nexport -p > ${environment}\nexit $ended`;
    const child = Bun.spawn(['sh', '-c', script], { cwd: work, env: clean, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const code = await child.exited;
    // `export A=$(ola …)` ends well however ola ends.
    return { code: code === 0 && /^error: /m.test(err) ? 1 : code, out, all: out + err };
  }

  async function stop(): Promise<void> {
    if (server === null) return;
    server.kill('SIGTERM');
    const late = setTimeout(() => server?.kill('SIGKILL'), 60_000);
    await server.exited;
    clearTimeout(late);
    server = null;
  }

  /** @param program up to `serve`, with assignments in front of it */
  async function serve(program: string, words: string): Promise<Ended> {
    await stop();
    const options = words.trim().replace(/--port \d+/, '');
    const command = `. ${environment}\nexec env ${program} ${options} --port ${port}`;
    const child = Bun.spawn(['sh', '-c', command], { cwd: work, env: clean, stdio: ['ignore', 'pipe', 'pipe'] });
    server = child;
    let out = '';
    const gathered = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) out += decoder.decode(chunk, { stream: true });
    })();
    const err = new Response(child.stderr).text();
    const listens = until('the server listens', () => child.exitCode !== null || out.includes('Ctrl-C'), 120_000);
    await listens.catch(() => child.kill('SIGKILL'));
    if (!out.includes('Ctrl-C')) return { code: await child.exited, out, all: out + (await err) };
    void gathered;
    return { code: 0, out, all: out };
  }

  async function perform(command: string): Promise<Ended> {
    const npm = /^\s*npm (?:run )?([\w-]+)(?: -- (.*?))?\s*(?:#.*)?$/.exec(command);
    if (npm !== null) {
      const [, script = '', words = ''] = npm;
      const missing = missingScript(script);
      if (missing !== null) return { code: 127, out: '', all: missing };
      return script === 'start' ? serve('ola serve', `--demo ${words}`) : { code: 0, out: '', all: '' };
    }
    const served = /^\s*((?:\S.*?[\s/])?(?:ola|ola-deno\.sh) serve\b)([^#]*)/.exec(command);
    if (served !== null) return serve(served[1] ?? '', served[2] ?? '');
    return shell(command);
  }

  const fill = (text: string): string =>
    text
      .replaceAll(/(127\.0\.0\.1|localhost):8080\b/g, `$1:${port}`)
      .replaceAll(/(127\.0\.0\.1|localhost):8000\b/g, `$1:${upstreamPort}`)
      .replaceAll('ola_…', token)
      .replaceAll(/\b(sk-|gsk_)…/g, '$1made-up-0123456789abcdef');

  async function runBlock(block: Block): Promise<Finding | null> {
    const { line, language, word } = block;
    const wrong = (what: string, at = 0): Finding => ({ line: line + at, what });
    if (language === 'sh') {
      if (word === 'stopped') await stop();
      const commands = commandsOf(askedLocally(block.text));
      for (const [index, command] of commands.entries()) {
        const ended = await perform(fill(command.text));
        const refused = word === 'refused' && index === commands.length - 1;
        if ((ended.code === 0) === refused) return wrong(`exit code ${ended.code}: ${command.text}\n${ended.all}`, command.line);
        token = /\bola_[0-9A-Za-z]{49}\b/.exec(ended.out)?.[0] ?? token;
        printed = refused ? ended.all : ended.out;
      }
      return null;
    }
    if (language === 'js') {
      writeFileSync(join(work, word === '' ? 'snippet.mjs' : word), fill(askedLocally(block.text)));
      if (word !== '') return null;
      const ended = await shell(`'${process.execPath}' snippet.mjs`);
      printed = ended.out;
      return ended.code === 0 ? null : wrong(`exit code ${ended.code}: ${ended.all}`);
    }
    if (word === 'output' && language === 'text') {
      const claimed = fill(block.text.replaceAll('ola_…', '…'));
      return isOutput(claimed, printed) ? null : wrong(`this is not what is printed, but:\n${printed}`);
    }
    if (word === 'output' && language === 'json') {
      const given = parsed(printed);
      return hasClaimed(JSON.parse(fill(block.text)), given) ? null : wrong(`this is not what is printed, but:\n${printed}`);
    }
    if (language === 'json' || language === 'jsonc') return judgeConfiguration(fill(block.text), word, wrong);
    return wrong(`a block of '${language} ${word}' is neither run nor compared, nor listed as left out`);
  }

  /** As a file that governs: what it refers to need not be there. */
  async function judgeConfiguration(text: string, name: string, wrong: (what: string) => Finding): Promise<Finding | null> {
    const file = name === '' ? 'configuration.jsonc' : name;
    const offline = editJsonc(text, ['egressPolicy', 'resolveDns'], false);
    writeFileSync(join(work, file), offline, { mode: 0o600 });
    const ended = await shell(`OPEN_LLM_AUTH_HOME=${join(directory, 'unused')} ola config validate --config ${file}`);
    const judged = ended.all.replaceAll(/^warning: \S+: the variable \w+ is not set where ola runs\n/gm, '');
    return judged === 'valid\n' ? null : wrong(`not a valid configuration: ${ended.all}`);
  }

  await shell('ola config set egressPolicy.resolveDns false');
  return {
    run: (block) => runBlock(block).catch((error: unknown) => ({ line: block.line, what: String(error) })),
    close: stop,
  };
}

/** What a reader has in the directory: a clone that is built, a key in a file, a passphrase in another. */
function furnish(work: string): void {
  for (const name of ['src', 'scripts', 'node_modules', 'package.json', 'deno.json', 'tsconfig.json']) {
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(work, name));
  }
  mkdirSync(join(work, 'dist'));
  symlinkSync(binary, join(work, 'dist/ola'));
  writeFileSync(join(work, 'groq.key'), 'gsk_made-up-9876543210fedcba\n', { mode: 0o600 });
  writeFileSync(join(work, 'words.txt'), 'correct horse battery staple\n', { mode: 0o600 });
}

/** @param directory where a curl may be put @returns a PATH with a curl, the stand-in where the machine has none */
export function pathWithCurl(directory: string): string {
  putPrograms(directory);
  return `${directory}:${process.env['PATH'] ?? ''}`;
}

/** `ola`, and a curl that does not take an error for an answer: the real one where there is one. */
function putPrograms(programs: string): void {
  symlinkSync(binary, join(programs, 'ola'));
  const real = Bun.which('curl');
  const curl = real === null ? `'${process.execPath}' '${join(import.meta.dir, 'curl.ts')}'` : `'${real}'`;
  writeFileSync(join(programs, 'curl'), `#!/bin/sh\nexec ${curl} --fail-with-body "$@"\n`);
  chmodSync(join(programs, 'curl'), 0o755);
}

/** @returns what is wrong with an npm command; null when package.json has it and a test runs it */
export function missingScript(name: string): string | null {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  if (name !== 'ci' && !Object.hasOwn(scripts, name)) return `package.json has no script '${name}'`;
  const covering = coveredBy[name];
  if (covering === undefined) return `no test is named for 'npm ${name}'`;
  return existsSync(join(root, covering)) ? null : `${covering} does not exist`;
}

const vendors = catalogProviders.filter(({ local }) => local !== true).map(({ id }) => id);
const asks = /\/v1\/[a-z]|from 'openai'/;

/** @throws Error for a vendor's model that the catalog does not list */
function askedLocally(text: string): string {
  if (!asks.test(text)) return text;
  return text.replaceAll(/(["'])([a-z0-9-]+)\/([\w./-]+)\1/g, (whole, quote: string, vendor: string, model: string) => {
    if (!vendors.includes(vendor)) return whole;
    if (!modelsOf(vendor).some(({ id }) => id === model)) throw new Error(`the catalog lists no ${vendor}/${model}`);
    return `${quote}local/${model}${quote}`;
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One that no connection gets from the system meanwhile: those are above 32768, other tests open thousands of them. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const listens = new Promise<boolean>((resolve) =>
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)),
    );
    if (!(await listens)) continue;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }
}
