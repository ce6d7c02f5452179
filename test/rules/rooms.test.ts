/** The dependency rule as architecture.md draws it, against the check that enforces it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { rooms } from '../../scripts/rooms.ts';
import { checkFile, permissionsUsed, roomOf } from '../../scripts/rooms-check.ts';

const root = join(import.meta.dir, '../..');
const all = Object.keys(rooms);
const topOf = (name: string): string => name.split('/')[0]!;
const rowsOf = (room: string): string[] => all.filter((name) => topOf(name) === room);
/** Rooms that import this one or a door of it, itself and its doors apart. */
const importersOf = (room: string): string[] =>
  all.filter((name) => topOf(name) !== room && rooms[name]!.rooms.some((to) => topOf(to) === room));

describe('the table is the architecture', () => {
  const techniques = ['runtime', 'egress', 'store', 'backends'];

  test('imports lead down: to a room of a later line, to a door of a later line in the own room', () => {
    for (const [from, { line, rooms: targets }] of Object.entries(rooms)) {
      for (const to of targets) {
        const inside = topOf(from) === topOf(to);
        if (inside && !(from.includes('/') && to.includes('/'))) continue;
        const [above, below] = inside ? [line, rooms[to]!.line] : [rooms[topOf(from)]!.line, rooms[topOf(to)]!.line];
        expect([from, to, above < below]).toEqual([from, to, true]);
      }
    }
  });

  test('techniques, and what stands right above core, import core alone', () => {
    for (const room of [...techniques, 'catalog', 'protocols', 'credentials']) {
      for (const name of rowsOf(room)) {
        expect([name, ...rooms[name]!.rooms.filter((to) => topOf(to) !== room)]).toEqual([name, 'core']);
      }
    }
  });

  test('the command line imports core alone', () => {
    for (const name of rowsOf('cli')) expect(rooms[name]!.rooms.filter((to) => topOf(to) !== 'cli')).toEqual(['core']);
  });

  test('techniques and protocols are known to those who hand them in, and to nobody further in', () => {
    const builders = ['main', 'serve', 'upkeep', 'home'];
    for (const room of [...techniques, 'protocols']) {
      expect([room, ...importersOf(room).filter((name) => !builders.includes(name))]).toEqual([room]);
    }
  });

  test('browser code is known to http alone', () => {
    expect(importersOf('web').map(topOf)).toEqual(['http', 'http']);
  });

  test('inside gateway', () => {
    const seen = (door: string) => rooms[`gateway/${door}`]!.rooms.filter((to) => topOf(to) === 'gateway').sort();
    const doors = (...names: string[]) => names.map((name) => `gateway/${name}`);
    expect(seen('inference')).toEqual(doors('access', 'records', 'routing'));
    expect(seen('config')).toEqual(doors('access', 'records', 'routing'));
    expect(seen('access')).toEqual(doors('records'));
    expect(seen('routing')).toEqual([]);
    expect(seen('records')).toEqual([]);
    for (const door of rowsOf('gateway').slice(1)) expect(rooms['gateway']!.rooms).toContain(door);
  });

  test('a package of the platform is runtime’s, a framework its room’s', () => {
    const frameworks: Record<string, string> = {
      elysia: 'http',
      '@elysiajs/swagger': 'http/reference',
      commander: 'cli',
      '@clack/prompts': 'cli',
      'swagger-ui-dist': 'web',
    };
    const pure = ['node:crypto', 'node:buffer', '@sinclair/typebox', 'jsonc-parser'];
    const homeOf = (name: string) => frameworks[name] ?? (name.startsWith('bun') ? 'runtime/bun' : 'runtime');
    for (const [room, { packages }] of Object.entries(rooms)) {
      const foreign = packages.filter((name) => !pure.includes(name) && !`${room}/`.startsWith(`${homeOf(name)}/`));
      expect([room, ...foreign]).toEqual([room]);
    }
  });
});

describe('the table is as narrow as the code', () => {
  const used = new Map<string, Set<string>>();
  const violations: string[] = [];
  beforeAll(async () => {
    for await (const path of new Bun.Glob('src/**/*.{ts,js}').scan({ cwd: root })) {
      const source = await Bun.file(join(root, path)).text();
      const before = used.get(roomOf(path)) ?? new Set();
      used.set(roomOf(path), before.union(new Set(permissionsUsed(path, source))));
      violations.push(...checkFile(path, source));
    }
  });

  test('and as wide: no file imports more', () => {
    expect(violations).toEqual([]);
  });

  test('a room without a file says so', () => {
    expect(used.size).toBeGreaterThan(20);
    expect(all.filter((room) => !used.has(room))).toEqual(all.filter((room) => rooms[room]!.empty));
  });

  for (const room of all.filter((name) => !rooms[name]!.empty)) {
    test(`${room} uses every room and every package that it is permitted`, () => {
      const { rooms: others, packages } = rooms[room]!;
      expect([...others, ...packages].filter((name) => !used.get(room)!.has(name))).toEqual([]);
    });
  }
});

const everyPackage = [
  ...new Set(Object.values(rooms).flatMap(({ packages }) => packages.map((name) => name.replace('*', 'x.ts')))),
  ...['node:fs/promises', 'node:http', 'node:https', 'node:net', 'bun', 'fs', 'zod', '/src/core/x.ts', 'file:///x.ts', '#core'],
];
const permitsPackage = (room: string, name: string): boolean =>
  rooms[room]!.packages.some((each) => name === each || name === each.replace('*', 'x.ts') || name.startsWith(`${each}/`));

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
const specifier = (from: string, to: string): string => {
  const target = to === 'main' ? 'src/main.ts' : `src/${to}/x.ts`;
  const path = relative(dirname(fileIn(from)), target);
  return path.startsWith('.') ? path : `./${path}`;
};

describe('a room imports what its row permits and nothing else', () => {
  for (const from of all) {
    test(from, () => {
      const targets = [
        ...all
          .filter((to) => from !== 'protocols' || to !== from)
          .map((to) => ({ name: specifier(from, to), allowed: to === from || rooms[from]!.rooms.includes(to) })),
        ...everyPackage.map((name) => ({ name, allowed: permitsPackage(from, name) })),
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
    for (const path of ['src/helpers/x.ts', 'src/gateway/helpers/x.ts', 'src/store/helpers/deep/x.ts']) {
      expect(checkFile(path, ''), path).toEqual([expect.stringContaining('belongs to no room')]);
    }
    expect(checkFile('src/gateway/config/deep/x.ts', "import '../../../core/x.ts';")).toEqual([]);
  });

  test('one protocol in another', () => {
    const acme = (name: string): string[] => checkFile('src/protocols/acme/stream.ts', `import type { X } from '${name}';`);
    for (const name of ['../other/x.ts', '../all.ts', '../acme-two/x.ts', '../acme-two/all.ts', '../x.ts/y.ts']) {
      expect(acme(name), name).toEqual([expect.stringContaining(`one protocol may not import ${name}`)]);
    }
    expect([...acme('./usage.ts'), ...acme('../acme/usage.ts'), ...acme('../../core/sse.ts'), ...acme('../x.ts')]).toEqual([]);
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
  const checkRooms = () => run(join(root, 'scripts/rooms-check.ts'), tree);
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

    await plant({ 'src/gateway/a.ts': "import '../core/errors.ts';\n", 'src/main.ts': "import './core/a.ts';\n" });
    expect(checkRooms()).toEqual({ code: 0, output: '2 files, 0 violations of the dependency rule\n' });
  });

  test('every kind of source file is read', async () => {
    for (const ending of ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs', 'd.ts']) {
      await plant({ [`src/gateway/config/.hidden/a.${ending}`]: "import '../../../store/x.ts';\n" });
      expect(checkRooms(), ending).toEqual({ code: 1, output: expect.stringContaining('gateway/config may not import') });
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
      if (['protocols', 'http', 'web'].includes(topOf(room))) expect(output).toContain(`${fileIn(room)}:1:`);
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
