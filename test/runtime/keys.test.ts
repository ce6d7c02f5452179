import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseKeys } from '../../src/credentials/vault.ts';
import { type KeySources, keySource, loadKeyRing } from '../../src/runtime/keys.ts';
import { directories } from '../directories.ts';

const directory = directories();
const keyText = (seed: string) => Buffer.from(seed.padEnd(32, '.')).toString('base64');
const idOf = (seed: string) => parseKeys(keyText(seed))[0].id;
const root = process.getuid?.() === 0;

const load = (home: string, env: KeySources['env'] = {}, secretsExist = false) =>
  loadKeyRing({ home, env, secretsExist, parse: parseKeys });
const ids = (...from: Parameters<typeof load>) => load(...from).map(({ id }) => id);
const refusal = (message: string) =>
  expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining(message) });

function keyFile(text: string, mode = 0o600): string {
  const path = join(directory(), 'key');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('the key ring', () => {
  test('comes from the named file, else the variable, else the home', () => {
    const home = directory();
    writeFileSync(join(home, 'master.key'), keyText('home'), { mode: 0o600 });
    const file = keyFile(keyText('file'));
    expect(ids(home, { file, value: keyText('value') })).toEqual([idOf('file')]);
    expect(ids(home, { value: keyText('value') })).toEqual([idOf('value')]);
    expect(ids(home)).toEqual([idOf('home')]);
    expect(ids(home, {}, true)).toEqual([idOf('home')]);
  });

  test('may hold several keys, the first one writing', () => {
    const file = keyFile(`${keyText('new')}\n${keyText('old')}\n`);
    expect(ids(directory(), { file })).toEqual([idOf('new'), idOf('old')]);
    expect(ids(directory(), { value: `${keyText('new')},${keyText('old')}` })).toEqual([idOf('new'), idOf('old')]);
  });

  test('is made once, private, and the same at the next start', () => {
    const home = directory();
    const umask = process.umask(0);
    const made = ids(home);
    process.umask(umask);
    expect(statSync(join(home, 'master.key')).mode & 0o777).toBe(0o600);
    expect(ids(home, {}, true)).toEqual(made);
    expect(ids(directory())).not.toEqual(made);
  });

  test('is never made when secrets are stored: that names the file and writes nothing', () => {
    const home = directory();
    expect(() => load(home, {}, true)).toThrow(refusal(join(home, 'master.key')));
    expect(existsSync(join(home, 'master.key'))).toBe(false);
  });

  test('is not made, nor another source tried, when the one that is set is unusable', () => {
    const home = directory();
    const missing = join(home, 'missing');
    expect(() => load(home, { file: missing, value: keyText('value') })).toThrow(refusal(missing));
    expect(() => load(home, { file: '' })).toThrow(refusal('OPEN_LLM_AUTH_MASTER_KEY_FILE'));
    expect(() => load(home, { value: '' })).toThrow(refusal('OPEN_LLM_AUTH_MASTER_KEY'));
    expect(() => load(home, { value: 'hunter2' })).toThrow(refusal('OPEN_LLM_AUTH_MASTER_KEY'));
    expect(() => load(home, { value: 'hunter2' })).not.toThrow('hunter2');
    expect(existsSync(join(home, 'master.key'))).toBe(false);
  });

  test('in a home file that is empty is refused, and the file is kept', () => {
    const home = directory();
    writeFileSync(join(home, 'master.key'), '', { mode: 0o600 });
    expect(() => load(home)).toThrow(refusal('master.key'));
    expect(readFileSync(join(home, 'master.key'), 'utf8')).toBe('');
  });

  for (const mode of [0o640, 0o604, 0o620, 0o666]) {
    test(`in a file of mode ${mode.toString(8)} is refused, named or in the home, and says chmod 600`, () => {
      const file = keyFile(keyText('file'), mode);
      expect(() => load(directory(), { file })).toThrow(refusal('chmod 600'));
      const home = directory();
      writeFileSync(join(home, 'master.key'), keyText('home'));
      chmodSync(join(home, 'master.key'), mode);
      expect(() => load(home)).toThrow(refusal('chmod 600'));
    });
  }

  test('may be read-only, and behind a link, as secret mounts are', () => {
    const link = join(directory(), 'link');
    symlinkSync(keyFile(keyText('file'), 0o400), link);
    expect(ids(directory(), { file: link })).toEqual([idOf('file')]);
  });

  test('is not a directory, a device or a log', () => {
    for (const file of [directory(), '/dev/null', keyFile('x'.repeat(100_000))]) {
      expect(() => load(directory(), { file })).toThrow(refusal('not a key file'));
    }
  });

  test('from a pipe is refused at once', () => {
    const path = join(directory(), 'pipe');
    Bun.spawnSync(['mkfifo', '-m', '600', path]);
    expect(() => load(directory(), { file: path })).toThrow(refusal('not a key file'));
  });

  test.if(root)('in a file of another user is refused', () => {
    const file = keyFile(keyText('file'));
    chownSync(file, 4242, 4242);
    expect(() => load(directory(), { file })).toThrow(refusal('user 4242'));
  });
});

describe('the source of the keys', () => {
  const source = (home: string, env: KeySources['env'] = {}) => keySource({ home, env, parse: parseKeys });

  test('is read as it is now', () => {
    const file = keyFile(keyText('old'));
    const { read } = source(directory(), { file });
    expect(read().map(({ id }) => id)).toEqual([idOf('old')]);
    writeFileSync(file, `${keyText('new')}\n${keyText('old')}\n`);
    expect(read().map(({ id }) => id)).toEqual([idOf('new'), idOf('old')]);
  });

  test('in the home is written whole and private, and is what the next start reads', () => {
    const home = directory();
    load(home);
    const { name, write } = source(home);
    expect(name).toBe(join(home, 'master.key'));
    const [fresh, old] = [parseKeys(keyText('new'))[0], load(home)[0]];
    write?.([fresh, old]);
    expect(ids(home, {}, true)).toEqual([fresh.id, old.id]);
    expect(statSync(join(home, 'master.key')).mode & 0o777).toBe(0o600);
    write?.([fresh]);
    expect(readFileSync(join(home, 'master.key'), 'utf8')).toBe(`${keyText('new')}\n`);
  });

  test('loses no key that it ever had: what leaves the file is retired, opens, and never writes', () => {
    const home = directory();
    const retiredPath = join(home, 'master.key.retired');
    const { read, write, retired } = source(home);
    const seeds = ['a', 'b', 'c', 'd'];
    writeFileSync(join(home, 'master.key'), keyText('a'), { mode: 0o600 });
    expect(existsSync(retiredPath)).toBe(false);
    for (const seed of ['b', 'c', 'd']) {
      write?.([parseKeys(keyText(seed))[0], ...read()]);
      write?.([parseKeys(keyText(seed))[0]]);
    }
    expect(retired?.read().map(({ id }) => id)).toEqual(['a', 'b', 'c'].map(idOf));
    expect(readFileSync(retiredPath, 'utf8')).toBe(['a', 'b', 'c'].map((seed) => `${keyText(seed)}\n`).join(''));
    expect(statSync(retiredPath).mode & 0o777).toBe(0o600);
    expect(ids(home, {}, true)[0]).toBe(idOf('d'));
    expect(ids(home, {}, true).sort()).toEqual(seeds.map(idOf).sort());
    rmSync(join(home, 'master.key'));
    write?.([parseKeys(keyText('d'))[0]]);
    expect(ids(home, {}, true)[0]).toBe(idOf('d'));
    // One that comes back is not retired twice.
    write?.([parseKeys(keyText('a'))[0]]);
    write?.([parseKeys(keyText('b'))[0]]);
    expect(retired?.read()).toHaveLength(4);
  });

  test('keeps its key when that cannot be retired, and says which file is in the way', () => {
    const home = directory();
    writeFileSync(join(home, 'master.key'), keyText('old'), { mode: 0o600 });
    const other = parseKeys(keyText('new'))[0];
    const { write } = source(home);
    for (const spoil of [() => writeFileSync(join(home, 'master.key.retired'), 'hunter2', { mode: 0o600 }), replaceByDirectory]) {
      spoil();
      expect(() => write?.([other])).toThrow(refusal('master.key.retired'));
      expect(() => load(home)).toThrow(refusal('master.key.retired'));
      expect(readFileSync(join(home, 'master.key'), 'utf8')).toBe(keyText('old'));
    }
    function replaceByDirectory() {
      rmSync(join(home, 'master.key.retired'));
      mkdirSync(join(home, 'master.key.retired'), { mode: 0o700 });
    }
  });

  test('is not ola’s to write when somebody else keeps it: a variable, a named file, a link', () => {
    const home = directory();
    const file = keyFile(keyText('file'));
    symlinkSync(file, join(home, 'master.key'));
    expect(ids(home)).toEqual([idOf('file')]);
    for (const env of [{}, { file }, { value: keyText('value') }]) expect(source(home, env).write).toBeNull();
    expect(source(home, { value: keyText('value') }).name).toBe('OPEN_LLM_AUTH_MASTER_KEY');
    expect(source(home, { file }).name).toContain(file);
  });

  test('that is gone by now is not made anew', () => {
    const home = directory();
    expect(() => source(home).read()).toThrow(refusal(join(home, 'master.key')));
    expect(existsSync(join(home, 'master.key'))).toBe(false);
  });
});
