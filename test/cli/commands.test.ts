import { describe, expect, test } from 'bun:test';
import { commands, groups } from '../../src/cli/commands.ts';
import { exitCodes } from '../../src/cli/ports.ts';
import { ola, tokenView } from './ola.ts';

const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const nameOf = (path: readonly string[]) => path.join(' ');
const answer = () => ({
  status: 200,
  body: { ...tokenView(), token: 'ola_made', data: [tokenView(), tokenView({ id: exampleId, name: 'x' })], nextCursor: null },
});
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
    for (const { command: typed } of command.examples) {
      const ended = await ola(typed.split(' ').slice(1), { answer });
      expect([typed, ended.exit === exitCodes.usage, ended.err]).toEqual([typed, false, '']);
    }
  });

  test('refuses an option and an argument that it does not have', async () => {
    expect(await ola([...command.path, '--nonsense'])).toMatchObject({ exit: 2, out: '', calls: [], started: [] });
    const arguments_ = Object.values(command.arguments);
    if (arguments_.some(({ rest }) => rest)) return;
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
