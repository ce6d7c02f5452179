import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { commands, groups } from '../../src/cli/commands/all.ts';
import { choosePlain, flagOf } from '../../src/cli/plain.ts';
import { buildProgram } from '../../src/cli/program.ts';

const program = buildProgram({ commands, groups, version: 'ola 1', epilogue: '' }, () => undefined);

const flags = [...new Set(commands.flatMap(({ options }) => Object.keys(options).map(flagOf)))];
/** Values that some option or argument takes, and some that none does. */
const values = [
  '8080',
  '0',
  '70000',
  '127.0.0.1',
  '::1',
  'read',
  'admin',
  'all',
  'info',
  'json',
  'never',
  '30d',
  '2026-12-24',
  '7',
];
const odd = [
  '',
  '-',
  '--',
  '-1',
  '-h',
  '-V',
  '--help',
  '--version',
  '--nothing',
  '--port=1',
  '--json=yes',
  'a b',
  '__proto__',
  'ä',
];
const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...flags) },
  { weight: 4, arbitrary: fc.constantFrom(...values) },
  { weight: 1, arbitrary: fc.constantFrom(...odd) },
);
/** A command with options of its own and others, each with a value or without. */
const typed = fc.constantFrom(...commands).chain(({ path, options }) => {
  const own = Object.entries(options).map(([key, { placeholder }]) =>
    placeholder === null ? fc.constant([flagOf(key)]) : fc.constantFrom(...values).map((value) => [flagOf(key), value]),
  );
  const part = fc.oneof(
    { weight: 1, arbitrary: word.map((one) => [one]) },
    ...own.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  return fc.array(part, { maxLength: 5 }).map((parts) => [...path, ...parts.flat()]);
});

describe('what is typed plainly', () => {
  test('is read as commander reads it', () => {
    let plain = 0;
    fc.assert(
      fc.property(typed, (argv) => {
        const chosen = choosePlain(commands, argv);
        if (chosen === null) return;
        plain++;
        expect<unknown>(chosen).toEqual(program.choose(argv));
      }),
      { numRuns: 3000 },
    );
    expect(plain).toBeGreaterThan(300);
  });

  test('is what people type most', () => {
    for (const line of [
      'serve',
      'serve --host 0.0.0.0 --port 8080 --log-level debug --log-format json --config ola.jsonc --require-token',
      'serve --demo --port 0',
      'token create laptop --scope read --scope write --expires 12h --json',
      'token list',
      'config get providers.acme.baseUrl',
      'config diff 3 4',
      'status --json',
    ])
      expect(choosePlain(commands, line.split(' '))).not.toBeNull();
  });

  test('is not a mistake, a request for help, or another way to write an option', () => {
    for (const line of ['', 'help', 'serv', 'serve x', 'serve --port', 'serve --port=1', 'serve --port --demo', 'serve --help'])
      expect(choosePlain(commands, line.split(' '))).toBeNull();
    expect(choosePlain(commands, 'serve --require-token --disable-auth'.split(' '))).toBeNull();
    expect(choosePlain(commands, ['token', 'create'])).toBeNull();
  });
});
