/**
 * The dependency rule: which room of src may import what, and the check of it.
 * Restricted globals (fetch, Bun, process, ...) are Biome's part, in biome.json. Imports are checked here because Biome
 * judges specifiers as text and does not see `import('x').T`, templates, computed imports or reference comments.
 */
import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

interface Room {
  /** Rooms it may import besides itself. */
  readonly rooms: readonly string[];
  /** Packages it may import, subpaths included; `node:*` is every module with that prefix. */
  readonly packages: readonly string[];
  readonly why: string;
}

const typebox = '@sinclair/typebox';
const belowGateway = ['catalog', 'protocols', 'credentials', 'core'];
const belowEdge = ['gateway', ...belowGateway];
const besides = ['runtime', 'egress', 'store', 'backends'];

const platformWhy = 'a platform knows no other, and is reached as #platform alone';

/** A row a room; a folder without one is refused. `main` is main.ts and what stands beside it. */
export const rooms: Readonly<Record<string, Room>> = {
  core: { rooms: [], packages: [typebox, 'node:buffer', 'jsonc-parser'], why: 'the vocabulary knows no technique' },
  catalog: { rooms: ['core'], packages: ['node:crypto'], why: 'siblings meet in main through the interfaces of core' },
  protocols: { rooms: ['core'], packages: [], why: 'protocols are pure, on Web APIs, and do not know each other' },
  credentials: { rooms: ['core'], packages: ['node:crypto'], why: 'siblings meet in main through the interfaces of core' },
  gateway: { rooms: belowGateway, packages: ['node:crypto', typebox], why: 'use-cases take ports: no framework, no platform' },
  http: {
    rooms: [...belowEdge, 'web'],
    packages: ['elysia', '@elysiajs/swagger', typebox],
    why: 'routes hold no business rule and no technique',
  },
  cli: { rooms: belowEdge, packages: ['commander', '@clack/prompts'], why: 'main hands it startServer and every port' },
  runtime: { rooms: ['core'], packages: ['#platform/*', 'node:*'], why: 'techniques know core alone; main hands them over' },
  'runtime/bun': { rooms: ['runtime', 'core'], packages: ['bun', 'bun:*', 'node:*'], why: platformWhy },
  'runtime/deno': { rooms: ['runtime', 'core'], packages: ['node:*'], why: platformWhy },
  egress: { rooms: ['core'], packages: ['node:crypto'], why: 'its techniques (dial, resolve) are ports from runtime' },
  store: { rooms: ['core'], packages: ['node:crypto'], why: 'its technique (the database) is a port from runtime' },
  backends: { rooms: ['core'], packages: ['node:crypto'], why: 'they return snapshots and events; gateway encodes' },
  web: { rooms: [], packages: ['swagger-ui-dist'], why: 'browser code: the server is reached over HTTP' },
  main: {
    rooms: [...belowEdge, ...besides, 'http', 'cli', 'web'],
    packages: [typebox, 'commander', 'elysia', 'node:crypto'],
    why: 'the files beside the rooms wire them; the platform is runtime’s',
  },
};

/** Turns a denied global back on, or every rule of the line; `biome-ignore lint/suspicious/...` and the like pass. */
const suppression = /biome-ignore(?:-all|-start)?\s+lint(?:\/style(?:\/noRestrictedGlobals)?)?(?![/\w])/;

/**
 * Judges one source file.
 * @param path from the repository's root, with `/`: `src/store/tokens.ts`
 * @returns one line a violation, `path:line: ...`; empty when there is none
 */
export function checkFile(path: string, source: string): string[] {
  const name = roomOf(path);
  const room = Object.hasOwn(rooms, name) ? rooms[name] : undefined;
  if (!room) return [`${path}:1: belongs to no room: give src/${name} a row in scripts/rooms.ts`];
  const { program, comments, errors } = parseSync(path, source);
  const found: Finding[] = errors.map((error) => ({ at: error.labels[0]?.start ?? 0, text: `does not parse: ${error.message}` }));
  for (const comment of comments) {
    if (/^\/\s*<reference\b/.test(comment.value))
      found.push({ at: comment.start, text: 'a reference comment is an import in disguise' });
    if (suppression.test(comment.value)) found.push({ at: comment.start, text: 'restricted globals are not to be suppressed' });
  }
  for (const { at, specifier } of importsOf(program)) {
    const text = judge(path, name, room, specifier);
    if (text !== null) found.push({ at, text: `${text} (${room.why})` });
  }
  return found.map(({ at, text }) => `${path}:${source.slice(0, at).split('\n').length}: ${text}`);
}

/** Folders that share the row of main.ts. */
const outermost: readonly string[] = ['home', 'serve', 'upkeep'];

/** The folder below src that holds the file, or one in it that has a row of its own; `main` for a file of src itself. */
function roomOf(path: string): string {
  const [, folder = '', ...rest] = path.split('/');
  const inner = `${folder}/${rest[0]}`;
  if (Object.hasOwn(rooms, inner)) return inner;
  return rest.length === 0 || outermost.includes(folder) ? 'main' : folder;
}

interface Finding {
  readonly at: number;
  readonly text: string;
}

/** @param specifier null when it is computed */
function judge(path: string, name: string, room: Room, specifier: string | null): string | null {
  if (specifier === null) return 'a computed import cannot be checked: write the specifier as a string';
  // Escapes would be decoded by the loader after this check has read them as letters.
  if (/[\\%]/.test(specifier)) return `imports ${specifier}: no escapes in a specifier`;
  if (!/^\.{1,2}(\/|$)/.test(specifier)) {
    const permitted = room.packages.some((pattern) => matchesPackage(specifier, pattern));
    return permitted ? null : `${name} may not import ${specifier}; its packages are: ${list(room.packages)}`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  const [top, , folder] = target.split('/');
  const targetRoom = roomOf(target);
  if (top !== 'src') return `${name} may not import ${specifier}, which leaves src`;
  if (targetRoom === name)
    return name === 'protocols' && isForeignFolder(path, folder) ? `one protocol may not import ${specifier}` : null;
  return room.rooms.includes(targetRoom) ? null : `${name} may not import ${specifier}; its rooms are: ${list(room.rooms)}`;
}

/** A file inside `src/protocols/<protocol>` sees that folder alone; a file beside the folders sees them all. */
function isForeignFolder(path: string, folder: string | undefined): boolean {
  const own = path.split('/').slice(2);
  return own.length > 1 && own[0] !== folder;
}

function matchesPackage(specifier: string, pattern: string): boolean {
  if (pattern.endsWith('*')) return specifier.startsWith(pattern.slice(0, -1));
  return specifier === pattern || specifier.startsWith(`${pattern}/`);
}

const list = (names: readonly string[]): string => names.join(', ') || 'none';

interface Import {
  readonly at: number;
  readonly specifier: string | null;
}

/** Every way to name another module: static, type-only, re-export, dynamic, `import('x').T`, `import x = require`, require. */
function importsOf(node: unknown): Import[] {
  if (typeof node !== 'object' || node === null) return [];
  const fields = node as Record<string, unknown>;
  const below = Object.values(fields).flatMap(importsOf);
  const named = moduleNameOf(fields);
  return named === undefined ? below : [{ at: Number(fields['start']), specifier: literal(named) }, ...below];
}

/** @returns the syntax node that names the module, undefined when this node imports nothing */
function moduleNameOf(node: Readonly<Record<string, unknown>>): unknown {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node['source'];
    case 'ExportNamedDeclaration':
      return node['source'] ?? undefined;
    case 'TSExternalModuleReference':
      return node['expression'];
    case 'CallExpression':
      return isRequire(node['callee']) ? ((node['arguments'] as unknown[])[0] ?? null) : undefined;
    default:
      return undefined;
  }
}

/** `require(...)`, `import.meta.require(...)`. */
function isRequire(callee: unknown): boolean {
  const { type, name, property } = callee as { type: string; name?: string; property?: { name?: string; value?: unknown } };
  if (type === 'Identifier') return name === 'require';
  return type === 'MemberExpression' && (property?.name === 'require' || property?.value === 'require');
}

function literal(node: unknown): string | null {
  if (typeof node !== 'object' || node === null) return null;
  const { value, quasis } = node as { value?: unknown; quasis?: { value: { cooked: string | null } }[] };
  if (typeof value === 'string') return value;
  return quasis?.length === 1 ? (quasis[0]?.value.cooked ?? null) : null;
}

/** Checks every source file below `<root>/src`; prints the violations. @returns whether all is well */
async function checkTree(root: string): Promise<boolean> {
  const paths = [...new Bun.Glob('src/**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}').scanSync({ cwd: root, dot: true })].sort();
  const perFile = await Promise.all(
    paths.map(async (path) => checkFile(path.replaceAll('\\', '/'), await Bun.file(`${root}/${path}`).text())),
  );
  const violations = perFile.flat();
  for (const line of violations) console.error(line);
  console.log(`${paths.length} files, ${violations.length} violations of the dependency rule`);
  // A check that looked at nothing has found nothing out.
  return paths.length > 0 && violations.length === 0;
}

if (import.meta.main) process.exit((await checkTree(process.argv[2] ?? `${import.meta.dir}/..`)) ? 0 : 1);
