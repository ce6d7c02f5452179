import { describe, expect, test } from 'bun:test';
import { commands, groups } from '../../../src/cli/commands/all.ts';
import { exitCodes } from '../../../src/cli/ports.ts';
import { directories } from '../../directories.ts';
import { type GatewayOla, type Moment, open } from '../gateway.ts';
import { ola, tokenView } from '../ola.ts';

const directory = directories();

const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const nameOf = (path: readonly string[]) => path.join(' ');
const cooldown = { credential: 'env:GROQ_API_KEY', provider: 'groq', reason: 'billing', until: '2026-11-21T10:00:00.000Z' };
const answer = () => ({
  status: 200,
  body: {
    ...tokenView(),
    status: 'ok',
    token: 'ola_made',
    ended: 1,
    request: {},
    data: [
      { ...tokenView(), ...cooldown },
      { ...tokenView({ id: exampleId, name: 'x' }), ...cooldown },
    ],
    nextCursor: null,
  },
});
/** First words of commands whose examples are run over the real gateway. */
const overGateway = new Set(['config', 'keys', 'usage']);
const ports: Moment = {
  input: 'sk-example-0123456789',
  backUp: async ({ file, passphrase }) => ({
    file,
    bytes: 1,
    secrets: 1,
    keyId: 'k',
    keySource: 'f',
    withKey: passphrase !== null,
  }),
  restore: async () => ({ home: '/home', replaced: null, secrets: 1, keyId: 'k', keyWritten: null }),
};

/** Words as a shell gives them: quotes taken off. */
function wordsOf(typed: string): readonly string[] {
  return (typed.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));
}

/** What examples name. */
const files = () =>
  new Map([
    ['words.txt', 'correct horse battery\n'],
    ['ola.json', '{ // empty\n }'],
  ]);
const sealedExport = 'config export moved.json --with-secrets --passphrase-file words.txt';

/** Commands that ask a home nothing. */
const withoutHome = new Set(['serve', 'help', 'version', 'config schema', 'config validate']);

test('every command that asks a home says how it finds that of a running demo', () => {
  const silent = commands.filter(({ onDemo }) => onDemo === undefined).map(({ path }) => nameOf(path));
  expect(silent.filter((name) => !withoutHome.has(name))).toEqual([]);
});

/** A configuration with a past. */
async function sceneOfExamples(name: string): Promise<GatewayOla> {
  const scene = await open(directory());
  for (const [path, text] of files()) scene.files.set(path, text);
  for (const typed of [
    'config set providers.openai.enabled true',
    "config set egressPolicy.allowedPorts '[443]'",
    'config set defaultModel openai/gpt-4o',
    ...(name === 'config import' ? [sealedExport] : []),
  ]) {
    const { exit, err } = await scene.run(wordsOf(typed));
    expect([typed, exit, err.includes('error:') ? err : '']).toEqual([typed, exitCodes.ok, '']);
  }
  return scene;
}

const exampleId = 'tok_0123456789abcdef0123456789abcdef';

describe.each(commands.map((command) => [nameOf(command.path), command] as const))('ola %s', (name, command) => {
  test('has a summary of one line and an example', () => {
    expect(command.summary).toMatch(/^[A-Z][^\n]{5,70}[^.\n]$/);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { command: typed } of command.examples) expect(typed).toStartWith(`ola ${name}`);
  });

  test('has help on stdout with every option, argument and example, at most 80 columns wide', async () => {
    const { exit, out, err } = await ola([...command.path, '--help']);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toContain(command.summary);
    for (const [key, { placeholder }] of Object.entries(command.options)) {
      expect(out).toContain(`  --${kebab(key)}${placeholder === null ? '' : ` <${placeholder}>`}`);
    }
    for (const argument of Object.keys(command.arguments)) expect(out).toMatch(new RegExp(`^  ${argument} `, 'm'));
    for (const example of command.examples) expect(out).toContain(`# ${example.note}\n  ${example.command}\n`);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await ola(['help', ...command.path])).out).toBe(out);
  });

  test('does what its examples show', async () => {
    const real = overGateway.has(command.path[0] ?? '');
    await using scene = real ? await sceneOfExamples(name) : null;
    for (const { command: typed } of command.examples) {
      const words = wordsOf(typed).slice(1);
      const ended = await (scene?.run(words, ports) ?? ola(words, { ...ports, answer, files: files() }));
      expect([typed, ended.exit, ended.err.includes('error:') ? ended.err : '']).toEqual([typed, exitCodes.ok, '']);
    }
  });

  test('refuses an option and an argument that it does not have', async () => {
    expect(await ola([...command.path, '--nonsense'])).toMatchObject({ exit: 2, out: '', calls: [], started: [] });
    const arguments_ = Object.values(command.arguments);
    if (arguments_.some(({ takes }) => takes === 'rest')) return;
    const words = [...arguments_, null].map(() => 'word');
    expect(await ola([...command.path, ...words])).toMatchObject({ exit: 2, out: '', calls: [], started: [] });
  });
});

test('every first word of two is a group with a summary, and no path is there twice', () => {
  const first = commands.filter(({ path }) => path.length > 1).map(({ path }) => path[0] ?? '');
  expect(new Set(Object.keys(groups))).toEqual(new Set(first));
  expect(new Set(commands.map(({ path }) => nameOf(path))).size).toBe(commands.length);
});

test('keys of options name the flags that they conflict with', () => {
  for (const { options } of commands) {
    for (const { conflicts } of Object.values(options))
      for (const key of conflicts ?? []) expect(Object.keys(options)).toContain(key);
  }
});
