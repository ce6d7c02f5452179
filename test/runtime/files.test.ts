import { afterAll, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivate, prepareHome, refuseClosedHome, removeTemporaries, writePrivate } from '../../src/runtime/files.ts';
import { directories } from '../directories.ts';

const directory = directories();
const modeOf = (path: string) => statSync(path).mode & 0o777;
const root = process.getuid?.() === 0;

function withUmask(mask: number, work: () => void): void {
  const before = process.umask(mask);
  try {
    work();
  } finally {
    process.umask(before);
  }
}

/** The files of the system are opened as another user. */
function asUser(id: number, work: () => void): void {
  process.seteuid?.(id);
  try {
    work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('the home', () => {
  test('is made with its parents, 0700 whatever the umask', () => {
    for (const mask of [0, 0o077, 0o277]) {
      const path = join(directory(), 'home');
      withUmask(mask, () => expect(prepareHome(path)).toEqual({ path: realpathSync(path), fixed: [] }));
      expect(modeOf(path)).toBe(0o700);
    }
    expect(prepareHome(join(directory(), 'a', 'b')).fixed).toEqual([]);
  });

  test('is narrowed with all that is in it, and every wide mode is told', () => {
    const path = directory();
    mkdirSync(join(path, 'profiles'));
    const wide = [
      { path, mode: 0o755 },
      { path: join(path, 'config.json'), mode: 0o664 },
      { path: join(path, 'profiles'), mode: 0o711 },
      { path: join(path, 'profiles', 'key.json'), mode: 0o604 },
    ];
    writeFileSync(join(path, 'config.json'), '{}');
    writeFileSync(join(path, 'profiles', 'key.json'), '{}');
    writeFileSync(join(path, 'fine'), '', { mode: 0o600 });
    for (const file of wide.toReversed()) chmodSync(file.path, file.mode);
    expect(prepareHome(path).fixed.toSorted(byPath)).toEqual(wide.toSorted(byPath));
    expect(wide.map((file) => modeOf(file.path))).toEqual([0o700, 0o600, 0o700, 0o600]);
    expect(prepareHome(path).fixed).toEqual([]);
  });

  test('is resolved once through a link, and what its links point at is left alone', () => {
    const real = directory();
    const outside = join(directory(), 'outside');
    writeFileSync(outside, '');
    chmodSync(outside, 0o644);
    symlinkSync(outside, join(real, 'link'));
    symlinkSync(join(real, 'nowhere'), join(real, 'dangling'));
    const link = join(directory(), 'home');
    symlinkSync(real, link);
    expect(prepareHome(link)).toEqual({ path: realpathSync(real), fixed: [] });
    expect(modeOf(outside)).toBe(0o644);
  });

  test('is refused when it is a file', () => {
    const path = join(directory(), 'home');
    writeFileSync(path, 'mine');
    for (const wrong of [path, join(path, 'below')]) {
      expect(() => prepareHome(wrong)).toThrow(
        expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining('not a directory') }),
      );
    }
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  test('is refused, unchanged, when it is open to others and holds nothing of ours', () => {
    const path = directory();
    writeFileSync(join(path, 'passwd'), '');
    chmodSync(join(path, 'passwd'), 0o644);
    chmodSync(path, 0o755);
    expect(() => prepareHome(path)).toThrow(
      expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining('chmod 700') }),
    );
    expect([modeOf(path), modeOf(join(path, 'passwd'))]).toEqual([0o755, 0o644]);
    chmodSync(path, 0o700);
    expect(prepareHome(path).fixed).toEqual([{ path: join(path, 'passwd'), mode: 0o644 }]);
  });

  test.if(root)('leaves what belongs to another user', () => {
    const path = directory();
    writeFileSync(join(path, 'theirs'), '');
    chmodSync(join(path, 'theirs'), 0o644);
    chownSync(join(path, 'theirs'), 4242, 4242);
    expect(prepareHome(path).fixed).toEqual([]);
    expect(modeOf(join(path, 'theirs'))).toBe(0o644);
  });

  test.if(root)(
    'of another user that is closed is told with the way to its owner, and not taken for one that is not there',
    () => {
      const path = directory();
      mkdirSync(join(path, 'home'));
      for (const each of [join(path, 'home'), path]) {
        chmodSync(each, 0o700);
        chownSync(each, 4242, 4242);
      }
      const told = `belongs to user 4242; run ola as that user (\`sudo -u '#4242' env OPEN_LLM_AUTH_HOME=`;
      const message = expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining(told) });
      asUser(65_534, () => {
        for (const each of [path, join(path, 'home')]) {
          expect(() => refuseClosedHome(each)).toThrow(message);
          expect(() => prepareHome(each)).toThrow(message);
        }
      });
      expect(() => prepareHome(path)).toThrow(message);
      refuseClosedHome(join(directory(), 'not there'));
    },
  );

  test.if(root)('is refused, unchanged, when it is of another user', () => {
    const path = directory();
    chmodSync(path, 0o755);
    chownSync(path, 4242, 4242);
    expect(() => prepareHome(path)).toThrow(
      expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining('user 4242') }),
    );
    expect(modeOf(path)).toBe(0o755);
  });
});

/** A small disk, when this process may mount one. */
const disk = join(tmpdir(), `ola-test-disk-${process.pid}`);
const mounted = root && mountDisk();
function mountDisk(): boolean {
  mkdirSync(disk, { recursive: true });
  return Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]).exitCode === 0;
}
afterAll(() => {
  if (mounted) Bun.spawnSync(['umount', disk]);
  rmSync(disk, { recursive: true, force: true });
});

describe('a home on a disk that takes no writes is refused in words', () => {
  const refused = (what: string) =>
    expect(() => prepareHome(join(disk, 'home'))).toThrow(
      expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining(what) }),
    );

  test.if(mounted)('when it is full, leaving nothing behind; with room again it serves', () => {
    prepareHome(join(disk, 'home'));
    writeFileSync(join(disk, 'filler'), Buffer.alloc(220 * 1024));
    refused('full disk');
    expect(readdirSync(join(disk, 'home'))).toEqual([]);
    rmSync(join(disk, 'filler'));
    expect(prepareHome(join(disk, 'home')).fixed).toEqual([]);
  });

  test.if(mounted)('when it is read-only', () => {
    prepareHome(join(disk, 'home'));
    Bun.spawnSync(['mount', '-o', 'remount,ro', disk]);
    refused('read-only');
    Bun.spawnSync(['mount', '-o', 'remount,rw', disk]);
  });
});

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);

describe('a private write', () => {
  test('replaces the file whole, 0600 whatever the umask and the mode before, and leaves nothing beside it', () => {
    const home = directory();
    const path = join(home, 'file');
    writeFileSync(path, 'old and longer than the new content');
    chmodSync(path, 0o666);
    withUmask(0, () => writePrivate(path, 'new'));
    expect([readFileSync(path, 'utf8'), modeOf(path), readdirSync(home)]).toEqual(['new', 0o600, ['file']]);
    withUmask(0o777, () => writePrivate(path, new Uint8Array([1, 0, 255])));
    expect([[...readFileSync(path)], modeOf(path)]).toEqual([[1, 0, 255], 0o600]);
  });

  test('is seen old or new by a reader, never half: the file is another one', () => {
    const path = join(directory(), 'file');
    writePrivate(path, 'old');
    const before = statSync(path).ino;
    writePrivate(path, 'new');
    expect(statSync(path).ino).not.toBe(before);
  });

  test('that fails leaves the old content and nothing beside it', () => {
    const home = directory();
    mkdirSync(join(home, 'taken'));
    writeFileSync(join(home, 'taken', 'inside'), 'x');
    expect(() => writePrivate(join(home, 'taken'), 'new')).toThrow();
    expect(readdirSync(home)).toEqual(['taken']);
  });

  test('that must not replace says so, and keeps what is there', () => {
    const home = directory();
    const path = join(home, 'file');
    expect(createPrivate(path, 'first')).toBe(true);
    expect(createPrivate(path, 'second')).toBe(false);
    expect([readFileSync(path, 'utf8'), modeOf(path), readdirSync(home), statSync(path).nlink]).toEqual([
      'first',
      0o600,
      ['file'],
      1,
    ]);
  });

  test('cut short by a crash is cleared away, other hidden files are not', () => {
    const home = directory();
    for (const name of ['.key.0123456789abcdef.tmp', '.profile.tmp', 'mine.0123456789abcdef.tmp'])
      writeFileSync(join(home, name), '');
    removeTemporaries(home);
    expect(existsSync(join(home, '.key.0123456789abcdef.tmp'))).toBe(false);
    expect(readdirSync(home)).toHaveLength(2);
  });
});
