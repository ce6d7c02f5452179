import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Watch, watchFile } from '../../src/runtime/watch.ts';
import { directories } from '../directories.ts';

const directory = directories();
const watches: Watch[] = [];
beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  jest.useRealTimers();
  for (const each of watches.splice(0)) each.stop();
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Events come when the system sends them; the timers between them are put forward, one rest of a file at a time. */
async function eventually(probe: () => boolean, what: () => string): Promise<void> {
  for (let rests = 0; !probe(); rests++) {
    if (rests === 10_000) throw new Error(what());
    jest.advanceTimersByTime(50);
    await turn();
  }
}

/** Watches, and keeps what stood in the file at each call; null: no file. */
function watched(path: string) {
  const seen: (string | null)[] = [];
  const read = () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  };
  watches.push(watchFile(path, () => seen.push(read())));
  return {
    seen,
    until: (text: string | null) =>
      eventually(
        () => seen.at(-1) === text,
        () => `never saw ${text}; saw ${JSON.stringify(seen)}`,
      ),
  };
}

describe('a watched file', () => {
  test('is told once at the start, then when it is edited in place', async () => {
    const path = join(directory(), 'config.json');
    writeFileSync(path, 'one');
    const { until, seen } = watched(path);
    await until('one');
    writeFileSync(path, 'two');
    await until('two');
    expect(seen).toEqual(['one', 'two']);
  });

  test('is told when another file is renamed over it, again and again', async () => {
    const home = directory();
    const path = join(home, 'config.json');
    writeFileSync(path, '0');
    const { until } = watched(path);
    for (const text of ['1', '2', '3']) {
      writeFileSync(join(home, 'next'), text);
      renameSync(join(home, 'next'), path);
      await until(text);
    }
  });

  test('is told when the link that leads to it is switched, and when the file behind the new link is edited', async () => {
    const home = directory();
    for (const version of ['first', 'second']) {
      mkdirSync(join(home, `..${version}`));
      writeFileSync(join(home, `..${version}`, 'config.json'), version);
    }
    symlinkSync('..first', join(home, '..data'));
    const path = join(home, 'config.json');
    symlinkSync(join('..data', 'config.json'), path);
    const { until } = watched(path);
    await until('first');
    symlinkSync('..second', join(home, '..data_tmp'));
    renameSync(join(home, '..data_tmp'), join(home, '..data'));
    await until('second');
    rmSync(join(home, '..first'), { recursive: true });
    writeFileSync(join(home, '..second', 'config.json'), 'edited');
    await until('edited');
  });

  test('is told when it is edited behind a link to another directory', async () => {
    const real = join(directory(), 'real.json');
    const path = join(directory(), 'link.json');
    writeFileSync(real, 'one');
    symlinkSync(real, path);
    const { until } = watched(path);
    await until('one');
    writeFileSync(real, 'two');
    await until('two');
  });

  test('is told when it vanishes and when it is back, its directory too', async () => {
    const home = join(directory(), 'etc');
    mkdirSync(home);
    const path = join(home, 'config.json');
    const { until } = watched(path);
    await until(null);
    writeFileSync(path, 'here');
    await until('here');
    rmSync(path);
    await until(null);
    writeFileSync(path, 'back');
    await until('back');
    rmSync(home, { recursive: true });
    await until(null);
    mkdirSync(home);
    writeFileSync(path, 'anew');
    await until('anew');
  });

  test('is left alone while it is being written', async () => {
    const path = join(directory(), 'config.json');
    writeFileSync(path, 'old');
    const { until, seen } = watched(path);
    await until('old');
    // The poll alone is left running.
    const idle = jest.getTimerCount();
    writeFileSync(path, 'x');
    while (jest.getTimerCount() === idle) await turn();
    for (let size = 2; size <= 12; size++) {
      writeFileSync(path, 'x'.repeat(size));
      jest.advanceTimersByTime(50);
      expect(seen).toEqual(['old']);
    }
    await until('x'.repeat(12));
    expect(seen).toEqual(['old', 'x'.repeat(12)]);
  });

  test('that never rests is taken as it stands after a second', async () => {
    const path = join(directory(), 'config.json');
    writeFileSync(path, '');
    const { until, seen } = watched(path);
    await until('');
    let size = 0;
    await eventually(
      () => {
        writeFileSync(path, 'x'.repeat(++size));
        return seen.length > 1;
      },
      () => 'it was never taken',
    );
    expect(seen[1]).toMatch(/^x+$/);
  });

  test('is told of changes alone: what happens beside it, and after the end, is not', async () => {
    const home = directory();
    const path = join(home, 'config.json');
    writeFileSync(path, 'one');
    const { until, seen } = watched(path);
    await until('one');
    for (let index = 0; index < 50; index++) writeFileSync(join(home, `other-${index}`), '');
    writeFileSync(path, 'two');
    await until('two');
    expect(seen).toEqual(['one', 'two']);
    watches.splice(0).forEach((each) => void each.stop());
    const later = watched(path);
    writeFileSync(path, 'three');
    await later.until('three');
    expect(seen).toEqual(['one', 'two']);
  });
});
