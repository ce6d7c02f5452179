/** Builds dist/ola, the one compiled binary: same sources, same commit, same bytes. */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

interface BinarySource {
  readonly entry: string;
  /** Its base name is part of the bytes. */
  readonly outfile: string;
  readonly version: string;
  readonly commit: string;
}

/**
 * Compiles one entry into one executable.
 * No .env, bunfig.toml, tsconfig.json or package.json of the directory it is run in is read: a bunfig's `preload` there
 * would run a stranger's code beside the keys. Identifiers keep their names: Elysia reads handler sources, and stack
 * traces stay readable. The source map makes traces name files and lines of src.
 * @throws AggregateError when something does not resolve or parse
 */
export async function compileBinary({ entry, outfile, version, commit }: BinarySource): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: 'bun',
    format: 'esm',
    bytecode: true,
    splitting: true,
    sourcemap: 'inline',
    minify: { whitespace: true, syntax: true, identifiers: false },
    define: { OLA_VERSION: JSON.stringify(version), OLA_COMMIT: JSON.stringify(commit) },
    compile: {
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  // The map is inside; Bun leaves copies beside the binary.
  const copies = outputs.filter((output) => output.path.endsWith('.map'));
  await Promise.all(copies.map((copy) => rm(join(dirname(outfile), basename(copy.path)), { force: true })));
}

/**
 * The commit checked out at `root`, 12 hex digits (git's own short form grows with the clone); `unknown` outside a work
 * tree of its own, as in an unpacked archive, and before the first commit.
 */
function commitOf(root: string): string {
  if (!Bun.which('git')) return 'unknown';
  // The prefix is empty only at the top of a work tree: an archive unpacked inside someone's repository is not that one.
  const git = (...args: string[]) => Bun.spawnSync(['git', '-C', root, ...args], { stderr: 'ignore' });
  const prefix = git('rev-parse', '--show-prefix');
  const head = git('rev-parse', '--verify', 'HEAD');
  if (!prefix.success || prefix.stdout.toString().trim() !== '' || !head.success) return 'unknown';
  return head.stdout.toString().slice(0, 12);
}

if (import.meta.main) {
  const root = join(import.meta.dir, '..');
  const { version } = (await Bun.file(join(root, 'package.json')).json()) as { version: string };
  const commit = commitOf(root);
  const outfile = join(root, 'dist/ola');
  // A failed build must not leave an older binary to be tested.
  await rm(outfile, { force: true });
  await compileBinary({ entry: join(root, 'src/main.ts'), outfile, version, commit });
  console.log(`dist/ola ${version} (${commit}), ${(Bun.file(outfile).size / 1e6).toFixed(0)} MB`);
}
