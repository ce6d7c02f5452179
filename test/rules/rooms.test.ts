/** The dependency rule as architecture.md draws it, against the check that enforces it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkFile, rooms } from '../../scripts/rooms.ts';

const root = join(import.meta.dir, '../..');

/** Arrows go to any lower line. */
const lines = [['main'], ['http', 'cli'], ['gateway'], ['catalog', 'protocols', 'credentials'], ['core']];
const beside = ['runtime', 'egress', 'store', 'backends'];
/** Folders of runtime: the rest of it reaches them by a specifier of their own. */
const platforms = ['runtime/bun', 'runtime/deno'];
const all = [...lines.flat(), ...beside, ...platforms, 'web'];
const lineOf = (room: string): number => lines.findIndex((line) => line.includes(room));

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (platforms.includes(to)) return false;
  if (platforms.includes(from)) return to === 'core' || to === 'runtime';
  if (to === 'web') return from === 'http' || from === 'main';
  if (from === 'main') return true;
  if (beside.includes(from)) return to === 'core';
  return from !== 'web' && lineOf(from) < lineOf(to) && !beside.includes(to);
}

const ofNode = [
  ...['node:crypto', 'node:fs', 'node:fs/promises', 'node:net', 'node:tls', 'node:dns', 'node:http', 'node:https'],
  ...['node:child_process', 'node:process', 'node:os', 'node:buffer'],
];
/** What each room may import besides rooms; every other package is refused. */
const packages: Record<string, string[]> = {
  main: ['@sinclair/typebox', 'commander', 'elysia', 'node:crypto'],
  core: ['@sinclair/typebox', 'node:buffer'],
  catalog: ['node:crypto'],
  protocols: [],
  credentials: ['node:crypto'],
  gateway: ['@sinclair/typebox', 'node:crypto'],
  http: ['@sinclair/typebox', 'elysia', '@elysiajs/swagger'],
  cli: ['commander', '@clack/prompts'],
  runtime: ['#platform/x.ts', ...ofNode],
  'runtime/bun': ['bun', 'bun:sqlite', ...ofNode],
  'runtime/deno': ofNode,
  egress: ['node:crypto'],
  store: ['node:crypto'],
  backends: ['node:crypto'],
  web: ['swagger-ui-dist'],
};
const everyPackage = [...new Set([...Object.values(packages).flat(), 'fs', 'zod', '/src/core/x.ts', 'file:///x.ts', '#core'])];

/** Every way TypeScript has to name another module. */
const forms = [
  (name: string) => `import { x } from '${name}';`,
  (name: string) => `import '${name}';`,
  (name: string) => `import type { X } from '${name}';`,
  (name: string) => `import { type X } from '${name}';`,
  (name: string) => `import text from '${name}' with { type: 'text' };`,
  (name: string) => `export { x } from '${name}';`,
  (name: string) => `export type { X } from '${name}';`,
  (name: string) => `export * from '${name}';`,
  (name: string) => `export * as x from '${name}';`,
  (name: string) => `export const x = await import('${name}');`,
  (name: string) => `export const x = await import(\`${name}\`);`,
  (name: string) => `export type X = import('${name}').X;`,
  (name: string) => `export type X = typeof import('${name}');`,
  (name: string) => `import type x = require('${name}');`,
  (name: string) => `export const x = require('${name}');`,
  (name: string) => `export const x = import.meta.require('${name}');`,
  (name: string) => `export const x = import.meta['require']('${name}');`,
];

const fileIn = (room: string): string => {
  if (room === 'main') return 'src/main.ts';
  return room === 'protocols' ? 'src/protocols/acme/planted.ts' : `src/${room}/planted.ts`;
};
const up = (room: string): string => (room === 'main' ? './' : room === 'protocols' || room.includes('/') ? '../../' : '../');
const specifier = (from: string, to: string): string => up(from) + (to === 'main' ? 'main.ts' : `${to}/x.ts`);

describe('a room imports what the picture allows and nothing else', () => {
  for (const from of all) {
    test(from, () => {
      const targets = [
        ...all
          .filter((to) => from !== 'protocols' || to !== from)
          .map((to) => ({ name: specifier(from, to), allowed: mayImport(from, to) })),
        ...everyPackage.map((name) => ({ name, allowed: packages[from]!.includes(name) })),
      ];
      for (const { name, allowed } of targets) {
        for (const form of forms) {
          const found = checkFile(fileIn(from), `// one\n${form(name)}\n`);
          if (allowed) expect(found, form(name)).toEqual([]);
          else expect(found, form(name)).toEqual([expect.stringContaining(`${fileIn(from)}:2: ${from} may not import ${name}`)]);
        }
      }
    });
  }

  test('and the refusal says why', () => {
    for (const [room, { why }] of Object.entries(rooms)) {
      expect(checkFile(fileIn(room), "import 'zod';").join()).toEndWith(`(${why})`);
    }
  });
});

describe('nothing gets around it', () => {
  const gateway = (source: string): string[] => checkFile('src/gateway/planted.ts', source);

  test('a path that wanders', () => {
    for (const name of [
      './../store/x.ts',
      '../core/../store/x.ts',
      './a/../../store/x.ts',
      '../store',
      '..',
      '../../scripts/x.ts',
      '../main.ts',
    ]) {
      expect(gateway(`import '${name}';`), name).toHaveLength(1);
    }
  });

  test('an escaped specifier', () => {
    expect(gateway("import '../core/..%2fstore/x.ts';")).toEqual([expect.stringContaining('no escapes')]);
    expect(gateway("import '..\\\\store\\\\x.ts';")).toEqual([expect.stringContaining('no escapes')]);
    expect(gateway("import '../\\u0073tore/x.ts';")).toEqual([expect.stringContaining('../store/x.ts')]);
  });

  test('a computed import', () => {
    for (const source of ["await import('../sto' + 're/x.ts');", `await import(\`../\${name}/x.ts\`);`, 'require(name);']) {
      expect(gateway(source), source).toEqual([expect.stringContaining('a computed import cannot be checked')]);
    }
  });

  test('an import inside a function, a class, a template, a type argument', () => {
    const name = '../store/x.ts';
    const sources = [
      `export const f = async () => { if (f) { return { a: [(await import('${name}')).x] }; } };`,
      `export class A { b = import('${name}'); }`,
      `export const s = \`\${await import('${name}')}\`;`,
      `export function g(x: Map<string, import('${name}').X>): void {}`,
    ];
    for (const source of sources) expect(gateway(source), source).toHaveLength(1);
  });

  test('a reference comment', () => {
    expect(gateway('/// <reference path="../store/x.ts" />')).toEqual([expect.stringContaining('import in disguise')]);
  });

  test('a file that does not parse, a file in no room', () => {
    expect(gateway('import {')).toEqual([expect.stringContaining('does not parse')]);
    expect(checkFile('src/helpers/x.ts', '')).toEqual([expect.stringContaining('belongs to no room')]);
  });

  test('one protocol in another', () => {
    const acme = (name: string): string[] => checkFile('src/protocols/acme/stream.ts', `import type { X } from '${name}';`);
    for (const name of ['../other/x.ts', '../x.ts', '../acme-two/x.ts']) {
      expect(acme(name), name).toEqual([expect.stringContaining(`one protocol may not import ${name}`)]);
    }
    expect([...acme('./usage.ts'), ...acme('../acme/usage.ts'), ...acme('../../core/sse.ts')]).toEqual([]);
    expect(checkFile('src/protocols/all.ts', "import './acme/stream.ts';")).toEqual([]);
  });

  test('words in comments and strings are no imports', () => {
    expect(
      gateway("// import x from '../store/x.ts'\nexport const s = \"import '../store/x.ts'\"; export const r = { require: 1 };"),
    ).toEqual([]);
  });
});

describe('as commands on a tree', () => {
  let tree = '';
  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'ola-rooms-'));
    await cp(join(root, 'biome.json'), join(tree, 'biome.json'));
    await cp(join(root, '.gitignore'), join(tree, '.gitignore'));
    // The configuration names its schema inside node_modules.
    await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  });
  afterAll(() => rm(tree, { recursive: true, force: true }));

  async function plant(files: Record<string, string>): Promise<void> {
    await rm(join(tree, 'src'), { recursive: true, force: true });
    for (const [path, source] of Object.entries(files)) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await Bun.write(join(tree, path), source);
    }
  }

  const run = (...command: string[]): { code: number; output: string } => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...command], {
      cwd: tree,
      env: { ...process.env, NO_COLOR: '1' },
    });
    return { code: exitCode, output: `${stdout}${stderr}` };
  };
  const checkRooms = () => run(join(root, 'scripts/rooms.ts'), tree);
  const lint = () =>
    run(
      join(root, 'node_modules/@biomejs/biome/bin/biome'),
      'lint',
      '--only=style/noRestrictedGlobals',
      '--max-diagnostics=none',
      'src',
    );

  test('a planted import fails in every room, a permitted one passes', async () => {
    const planted = Object.fromEntries(all.map((room) => [fileIn(room), "import 'zod';\n"]));
    await plant(planted);
    const bad = checkRooms();
    expect(bad.code).toBe(1);
    for (const room of all) expect(bad.output).toContain(`${fileIn(room)}:1: ${room} may not import zod`);

    await plant({ 'src/gateway/a.ts': "import '../core/errors.ts';\n", 'src/main.ts': "import './gateway/a.ts';\n" });
    expect(checkRooms()).toEqual({ code: 0, output: '2 files, 0 violations of the dependency rule\n' });
  });

  test('every kind of source file is read', async () => {
    for (const ending of ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs', 'd.ts']) {
      await plant({ [`src/gateway/deep/.hidden/a.${ending}`]: "import '../../../store/x.ts';\n" });
      expect(checkRooms().code, ending).toBe(1);
    }
  });

  test('no files is a failure, not a success', async () => {
    await plant({});
    expect(checkRooms()).toEqual({ code: 1, output: '0 files, 0 violations of the dependency rule\n' });
  });

  const globals = ['fetch', 'Bun', 'Deno', 'process', 'require', 'globalThis', 'global', 'self', 'window'];
  const doors = ['WebSocket', 'EventSource', 'XMLHttpRequest'];

  /** Of the restricted globals, those that a room of runtime may not name either. */
  const deniedIn: Record<string, string[]> = { runtime: ['Bun', 'Deno'], 'runtime/bun': ['Deno'], 'runtime/deno': ['Bun'] };

  test('a restricted global fails in every room but runtime, a platform’s own in every one but its', async () => {
    const use = [...globals, ...doors].map((name) => `export const use${name} = ${name};\n`).join('');
    await plant(Object.fromEntries(all.map((room) => [fileIn(room), use])));
    const { code, output } = lint();
    expect(code).toBe(1);
    for (const room of all) {
      for (const [index, name] of [...globals, ...doors].entries()) {
        const line = `${fileIn(room)}:${index + 1}:`;
        if (deniedIn[room]?.includes(name) ?? true) expect(output).toContain(line);
        else expect(output).not.toContain(line);
      }
    }
    expect(output).toContain('Egress is the only door out');
  });

  test('Buffer fails in protocols, http and web alone', async () => {
    await plant(Object.fromEntries(all.map((room) => [fileIn(room), "export const b = Buffer.from('');\n"])));
    const { output } = lint();
    for (const room of all) {
      if (['protocols', 'http', 'web'].includes(room)) expect(output).toContain(`${fileIn(room)}:1:`);
      else expect(output).not.toContain(fileIn(room));
    }
  });

  test('a type, a property of globalThis, a destructured name count as uses; a local or a property does not', async () => {
    const uses = [
      'export type A = typeof fetch;',
      "export const b = globalThis['fetch'];",
      'export const { fetch: c } = self;',
      'export let d: Bun.Server;',
    ];
    for (const use of uses) {
      await plant({ 'src/gateway/a.ts': `${use}\n` });
      expect(lint().code, use).toBe(1);
    }
    await plant({
      'src/gateway/a.ts': 'export const f = (app: { fetch(): void }, process: () => void) => [app.fetch(), process()];\n',
    });
    expect(lint().code).toBe(0);
  });

  test('a suppression of that rule fails, of another passes', async () => {
    for (const scope of ['lint/style/noRestrictedGlobals', 'lint/style', 'lint']) {
      for (const kind of ['biome-ignore', 'biome-ignore-all', 'biome-ignore-start']) {
        const found = checkFile('src/gateway/a.ts', `// ${kind} ${scope}: reason\nfetch('x');\n`);
        expect(found, `${kind} ${scope}`).toEqual([
          expect.stringContaining('src/gateway/a.ts:1: restricted globals are not to be suppressed'),
        ]);
      }
    }
    expect(checkFile('src/gateway/a.ts', '// biome-ignore lint/suspicious/noControlCharactersInRegex: the point\n')).toEqual([]);
    expect(checkFile('src/gateway/a.ts', '// biome-ignore lint/style/noNonNullAssertion: the point\n')).toEqual([]);
  });
});

test('every folder of src is a room of the picture, and the table has no others', async () => {
  const entries = await readdir(join(root, 'src'), { withFileTypes: true });
  const present = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(present.length).toBeGreaterThan(5);
  expect(Object.keys(rooms).sort()).toEqual([...all].sort());
  expect(present.filter((name) => ![...all, 'home', 'serve', 'upkeep'].includes(name))).toEqual([]);
});
