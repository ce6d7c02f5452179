/** Deno as the checks run it: from node_modules, without the network, with a cache of its own. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const config = join(root, 'deno.json');

export const denoEnvironment = {
  // It would ask for a newer version over the network, through whatever proxy the environment names.
  DENO_NO_UPDATE_CHECK: '1',
  DENO_DIR: process.env['DENO_DIR'] ?? join(root, 'node_modules/.cache/deno'),
};

/** Runs ola from source under Deno; stands in for the binary. */
export const olaUnderDeno = join(root, 'scripts/ola-deno.sh');

const folder = join(root, 'node_modules/@deno');

/** Deno is installed where its package is for this platform: Linux on x64 with glibc. */
export const hasDeno = existsSync(folder);

/** Deno inside the npm package of this platform: install scripts, which would link it, are off. */
function denoPath(): string {
  const [name] = readdirSync(folder);
  if (name === undefined) throw new Error('Deno is not installed: run npm ci');
  return join(folder, name, process.platform === 'win32' ? 'deno.exe' : 'deno');
}

/** @param path of the file to run, from the root */
export function denoCommand(path: string): string[] {
  return [denoPath(), 'run', '--quiet', '--allow-all', '--cached-only', '--config', config, join(root, path)];
}

/** @param path of the file whose whole graph is type-checked, from the root */
export function denoCheck(path: string): string[] {
  return [denoPath(), 'check', '--quiet', '--config', config, join(root, path)];
}
