/**
 * The check of the dependency rule. Restricted globals (fetch, Bun, process, ...) are Biome's part, in biome.json. Imports
 * are checked here because Biome judges specifiers as text and does not see `import('x').T`, templates, computed imports or
 * reference comments.
 */
import { posix } from 'node:path';
import { readSource } from './imports.ts';
import { type Room, rooms } from './rooms.ts';

/** Turns a denied global back on, or every rule of the line; `biome-ignore lint/suspicious/...` and the like pass. */
const suppression = /biome-ignore(?:-all|-start)?\s+lint(?:\/style(?:\/noRestrictedGlobals)?)?(?![/\w])/;

/**
 * Judges one source file.
 * @param path from the repository's root, with `/`: `src/store/tokens.ts`
 * @returns one line a violation, `path:line: ...`; empty when there is none
 */
export function checkFile(path: string, source: string): string[] {
  const name = roomOf(path);
  const room = rowOf(name);
  if (room === undefined) return [`${path}:1: belongs to no room: give src/${name} a row in scripts/rooms.ts`];
  const { imports, comments, faults } = readSource(path, source);
  const found = [...faults];
  for (const comment of comments) {
    if (/^\/\s*<reference\b/.test(comment.value))
      found.push({ at: comment.start, text: 'a reference comment is an import in disguise' });
    if (suppression.test(comment.value)) found.push({ at: comment.start, text: 'restricted globals are not to be suppressed' });
  }
  for (const { at, specifier } of imports) {
    const text = judge(path, name, room, specifier);
    if (text !== null) found.push({ at, text: `${text} (${room.why})` });
  }
  return found.map(({ at, text }) => `${path}:${source.slice(0, at).split('\n').length}: ${text}`);
}

/** The rooms that a source file imports, its own among them, and the packages as its room's row names them. */
export function permissionsUsed(path: string, source: string): string[] {
  const packages = rowOf(roomOf(path))?.packages ?? [];
  return readSource(path, source).imports.flatMap(({ specifier }) => {
    if (specifier === null) return [];
    if (isRelative(specifier)) return [roomOf(resolve(path, specifier))];
    return packages.filter((pattern) => matchesPackage(specifier, pattern));
  });
}

const rowOf = (name: string): Room | undefined => (Object.hasOwn(rooms, name) ? rooms[name] : undefined);

/**
 * The room that holds the file: `main` for a file of src itself, `gateway` for one beside the doors of gateway,
 * `gateway/access` for all below that door. A protocol's folder is no door: `isForeignFolder` keeps those apart.
 */
export function roomOf(path: string): string {
  const [, room = '', ...inside] = path.split('/');
  if (inside.length === 0) return 'main';
  return inside.length === 1 || room === 'protocols' ? room : `${room}/${inside[0]}`;
}

/** @param specifier null when it is computed */
function judge(path: string, name: string, room: Room, specifier: string | null): string | null {
  if (specifier === null) return 'a computed import cannot be checked: write the specifier as a string';
  // Escapes would be decoded by the loader after this check has read them as letters.
  if (/[\\%]/.test(specifier)) return `imports ${specifier}: no escapes in a specifier`;
  if (!isRelative(specifier)) {
    const permitted = room.packages.some((pattern) => matchesPackage(specifier, pattern));
    return permitted ? null : `${name} may not import ${specifier}; its packages are: ${list(room.packages)}`;
  }
  const target = resolve(path, specifier);
  const [top, , folder, ...below] = target.split('/');
  const targetRoom = roomOf(target);
  if (top !== 'src') return `${name} may not import ${specifier}, which leaves src`;
  if (targetRoom === name)
    return name === 'protocols' && isForeignFolder(path, folder, below.length > 0)
      ? `one protocol may not import ${specifier}`
      : null;
  return room.rooms.includes(targetRoom) ? null : `${name} may not import ${specifier}; its rooms are: ${list(room.rooms)}`;
}

const isRelative = (specifier: string): boolean => /^\.{1,2}(\/|$)/.test(specifier);

/** Of a relative specifier. */
const resolve = (path: string, specifier: string): string => posix.join(posix.dirname(path), specifier);

/**
 * A file inside `src/protocols/<protocol>` sees that folder and the files beside the folders, but for the table, which would lead
 * to the other folders. A file beside the folders sees them all.
 * @param below the target stands in a folder
 */
function isForeignFolder(path: string, folder: string | undefined, below: boolean): boolean {
  const own = path.split('/').slice(2);
  const isShared = !below && folder !== 'all.ts';
  return own.length > 1 && own[0] !== folder && !isShared;
}

function matchesPackage(specifier: string, pattern: string): boolean {
  if (pattern.endsWith('*')) return specifier.startsWith(pattern.slice(0, -1));
  return specifier === pattern || specifier.startsWith(`${pattern}/`);
}

const list = (names: readonly string[]): string => names.join(', ') || 'none';

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
