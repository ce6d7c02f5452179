/** What is installed is what was checked: exact versions, checksums, and no address that only some machines can reach. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');
interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Record<string, string>;
}
interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}
const manifest = (await Bun.file(join(root, 'package.json')).json()) as Manifest;
const lock = (await Bun.file(join(root, 'package-lock.json')).json()) as { packages: Record<string, Locked> };
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');
const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });

test('every version is pinned, and the lock agrees', () => {
  expect(wanted.length).toBeGreaterThan(5);
  for (const [name, version] of wanted) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
  }
  expect(lock.packages['']).toMatchObject({ dependencies: manifest.dependencies, devDependencies: manifest.devDependencies });
});

test('the lock holds checksums and no download addresses', () => {
  expect(locked.length).toBeGreaterThan(50);
  for (const [path, { resolved, integrity }] of locked) {
    expect(resolved, path).toBeUndefined();
    expect(integrity, path).toMatch(/^sha512-/);
  }
});

test('the lock covers every platform: one package left out and npm ci refuses the whole lock', () => {
  const platforms = locked.flatMap(([, { optionalDependencies = {} }]) => Object.entries(optionalDependencies));
  expect(platforms.length).toBeGreaterThan(20);
  for (const [name, version] of platforms) expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
});

test('npm is told to keep it so', async () => {
  const settings = (await Bun.file(join(root, '.npmrc')).text()).split('\n');
  expect(settings).toEqual(
    expect.arrayContaining(['omit-lockfile-registry-resolved=true', 'save-exact=true', 'ignore-scripts=true']),
  );
  expect(settings.join('\n')).not.toMatch(/registry\s*=|_auth/i);
});

test('the types are those of the Bun that is installed', () => {
  expect(manifest.devDependencies['bun-types']).toBe(manifest.devDependencies['bun']);
});
