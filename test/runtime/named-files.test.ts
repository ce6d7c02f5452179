import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OlaError } from '../../src/core/errors.ts';
import { personsFiles, readConfigFile, readSecretFile, sameFile } from '../../src/runtime/named-files.ts';
import { directories } from '../directories.ts';

const directory = directories();
const root = process.getuid?.() === 0;
const mib = 1024 * 1024;

function file(content: string | Uint8Array, mode = 0o600): string {
  const path = join(directory(), 'file');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** What is said against a file: the message, after a check that it names the file. */
function refusal(path: string, read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (!(error instanceof OlaError)) throw error;
    expect(error.code).toBe('invalid_field');
    expect(error.message).toContain(path);
    return error.message;
  }
  throw new Error('it was accepted');
}

describe('the configuration file', () => {
  test('is read through links, and may be readable by others', () => {
    const real = file('{"a": "ä"}', 0o644);
    const link = join(directory(), 'link');
    symlinkSync(real, link);
    expect(readConfigFile(link)).toBe('{"a": "ä"}');
  });

  test('that is not there is none; a dangling link too', () => {
    const path = join(directory(), 'missing');
    expect(readConfigFile(path)).toBeNull();
    const link = join(directory(), 'link');
    symlinkSync(path, link);
    expect(readConfigFile(link)).toBeNull();
  });

  test('that others can write is refused with the command that helps', () => {
    for (const mode of [0o620, 0o602, 0o666]) {
      const path = file('{}', mode);
      expect(refusal(path, () => readConfigFile(path))).toContain(`chmod go-w ${path}`);
    }
  });

  test('that is a directory, a device or a pipe is refused, at once', () => {
    const pipe = join(directory(), 'pipe');
    expect(Bun.spawnSync(['mkfifo', pipe]).exitCode).toBe(0);
    for (const path of [directory(), '/dev/zero', pipe]) {
      expect(refusal(path, () => readConfigFile(path))).toContain('not a regular file');
    }
  });

  test('may have 4 MiB and not a byte more, and is UTF-8', () => {
    expect(readConfigFile(file(' '.repeat(4 * mib)))).toHaveLength(4 * mib);
    const long = file(' '.repeat(4 * mib + 1));
    expect(refusal(long, () => readConfigFile(long))).toContain('4096 KiB');
    const latin = file(new Uint8Array([0x7b, 0xe4, 0x7d]));
    expect(refusal(latin, () => readConfigFile(latin))).toContain('UTF-8');
  });

  test.if(root)('of another user is refused', () => {
    const path = file('{}', 0o644);
    chownSync(path, 4242, 4242);
    expect(refusal(path, () => readConfigFile(path))).toContain('user 4242');
  });
});

describe('a secret in a file of its own', () => {
  test('is found from the folder that is named, and by an absolute path', () => {
    const path = file('sk-in-a-file');
    expect(readSecretFile(dirname(path), 'file')).toBe('sk-in-a-file');
    expect(readSecretFile('/nowhere', path)).toBe('sk-in-a-file');
    expect(readSecretFile(dirname(path), 'missing')).toBeNull();
  });

  test('loses one line break at its end and nothing else', () => {
    for (const [text, secret] of [
      ['key\n', 'key'],
      ['key\r\n', 'key'],
      ['key\n\n', 'key\n'],
      [' key ', ' key '],
      ['', ''],
    ] as const) {
      expect(readSecretFile('/', file(text))).toBe(secret);
    }
  });

  test('that others can read is refused, without a word of it', () => {
    for (const mode of [0o604, 0o640, 0o644, 0o620]) {
      const path = file('sk-canary-0123456789', mode);
      const message = refusal(path, () => readSecretFile('/', path));
      expect(message).toContain('chmod 600');
      expect(message).not.toContain('canary');
    }
  });

  test('that is too long, or no file, is refused', () => {
    const long = file('x'.repeat(64 * 1024 + 1));
    expect(refusal(long, () => readSecretFile('/', long))).toContain('64 KiB');
    const folder = directory();
    expect(refusal(folder, () => readSecretFile('/', folder))).toContain('not a regular file');
  });

  test.if(root)('of another user is refused', () => {
    const path = file('sk-theirs');
    chownSync(path, 4242, 4242);
    expect(refusal(path, () => readSecretFile('/', path))).toContain('user 4242');
  });
});

describe('the files of a person', () => {
  const files = () => {
    const home = join(directory(), 'home');
    return { home, ...personsFiles(home) };
  };

  test('are read whole, from a pipe too', async () => {
    const { read } = files();
    expect(await read(file('text', 0o644))).toBe('text');
    expect(await read(join(directory(), 'missing'))).toBeNull();
    const pipe = join(directory(), 'pipe');
    Bun.spawnSync(['mkfifo', pipe]);
    const writer = Bun.spawn(['sh', '-c', `printf 'from a pipe' > '${pipe}'`]);
    expect(await read(pipe)).toBe('from a pipe');
    await writer.exited;
    const folder = directory();
    await expect(read(folder)).rejects.toMatchObject({ code: 'invalid_field', message: expect.stringContaining(folder) });
    await expect(read('/dev/zero')).rejects.toMatchObject({ message: expect.stringContaining('4096 KiB') });
  });

  test('are made private, and never in the place of another', async () => {
    const { create } = files();
    const path = join(directory(), 'new');
    expect(await create(path, 'first')).toBe(true);
    expect(await create(path, 'second')).toBe(false);
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['first', 0o600]);
    await expect(create(join(path, 'below'), 'x')).rejects.toMatchObject({ code: 'invalid_field' });
  });

  test('are replaced behind their link, mode kept, when they hold what was read', async () => {
    const { replace } = files();
    const real = file('old', 0o644);
    const link = join(directory(), 'link');
    symlinkSync(real, link);
    expect(await replace(link, { from: 'old', to: 'new' })).toBe(true);
    expect([readFileSync(real, 'utf8'), statSync(real).mode & 0o777, readlinkSync(link)]).toEqual(['new', 0o644, real]);
    expect(await replace(link, { from: 'old', to: 'lost' })).toBe(false);
    expect([readFileSync(real, 'utf8'), readdirSync(dirname(real))]).toEqual(['new', ['file']]);
  });

  test.if(root)('keep their owner', async () => {
    const path = file('old');
    chownSync(path, 4242, 4343);
    expect(await files().replace(path, { from: 'old', to: 'new' })).toBe(true);
    expect(statSync(path)).toMatchObject({ uid: 4242, gid: 4343 });
  });

  test('are put aside for an editor where nobody else comes, and taken away with their directory', async () => {
    const { home, temporary, discard } = files();
    const path = await temporary('config.json', '{}');
    expect([path.startsWith(`${home}/`), path.endsWith('/config.json'), readFileSync(path, 'utf8')]).toEqual([true, true, '{}']);
    expect([home, dirname(path), path].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700, 0o600]);
    writeFileSync(`${path}~`, 'an editor leaves copies');
    await discard(path);
    expect(readdirSync(home)).toEqual([]);
    const own = file('a person’s own');
    await discard(own);
    expect(existsSync(own)).toBe(true);
  });
});

test('two paths to one file are the same file', () => {
  const real = file('x');
  const folder = mkdtempSync(join(directory(), 'a'));
  symlinkSync(real, join(folder, 'link'));
  mkdirSync(join(folder, 'b'));
  expect(sameFile(real, join(folder, 'link'))).toBe(true);
  expect(sameFile(real, file('x'))).toBe(false);
  expect(sameFile('/missing', '/missing')).toBe(true);
  expect(sameFile('/missing', '/missing too')).toBe(false);
});
