import { describe, expect, test } from 'bun:test';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directories } from '../directories.ts';

const directory = directories();
const terminal = join(import.meta.dir, '../../src/runtime/terminal.ts');

/** Runs a line of code over the exports of the room in a process of its own. */
async function run(line: string, env: Readonly<Record<string, string>>, input = '') {
  const program = `import { readInput, runEditor } from ${JSON.stringify(terminal)};
    try { console.log(JSON.stringify(${line})); } catch (error) { console.log(JSON.stringify([error.code, error.message])); }`;
  const child = Bun.spawn([process.execPath, '-e', program], {
    stdin: Buffer.from(input),
    stdout: 'pipe',
    stderr: 'inherit',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  return JSON.parse((await new Response(child.stdout).text()).trim().split('\n').at(-1) ?? '');
}

/** A program that writes what it was called with into a file, and ends with a code. */
function editor(code: number): { readonly path: string; called(): string } {
  const folder = directory();
  const path = join(folder, 'editor');
  writeFileSync(path, `#!/bin/sh\nprintf '%s|' "$@" > '${folder}/called'\nexit ${code}\n`);
  chmodSync(path, 0o700);
  return { path, called: () => readFileSync(join(folder, 'called'), 'utf8') };
}

describe('an editor', () => {
  test('is VISUAL before EDITOR, split at spaces, and no shell reads them or the path', async () => {
    const [visual, other] = [editor(0), editor(1)];
    const path = '/tmp/a $(touch x) file.json';
    const env = { VISUAL: `${visual.path} --wait  $HOME`, EDITOR: other.path };
    expect(await run(`await runEditor(${JSON.stringify(path)})`, env)).toBe(0);
    expect(visual.called()).toBe(`--wait|$HOME|${path}|`);
    expect(other.called).toThrow();
  });

  test('is EDITOR when VISUAL is blank; its exit code is told', async () => {
    const mine = editor(3);
    expect(await run(`await runEditor('/tmp/x')`, { VISUAL: ' ', EDITOR: mine.path })).toBe(3);
    expect(mine.called()).toBe('/tmp/x|');
  });

  test('that is not there is told, with what to set', async () => {
    const [code, message] = await run(`await runEditor('/tmp/x')`, { EDITOR: '/nowhere/editor' });
    expect([code, message]).toEqual(['not_found', expect.stringContaining('/nowhere/editor')]);
    expect(message).toContain('VISUAL or EDITOR');
  });
});

describe('standard input', () => {
  test('is read to its end, as text', async () => {
    expect(await run('await readInput()', {}, 'ä\nb')).toBe('ä\nb');
    expect(await run('await readInput()', {})).toBe('');
  });

  test('of more than 4 MiB is refused, one of 4 MiB is not', async () => {
    const limit = 4 * 1024 * 1024;
    expect(await run('(await readInput()).length', {}, 'x'.repeat(limit))).toBe(limit);
    expect(await run('await readInput()', {}, 'x'.repeat(limit + 1))).toEqual([
      'invalid_request',
      expect.stringContaining('4096 KiB'),
    ]);
  });
});
