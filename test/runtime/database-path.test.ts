import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OlaError } from '../../src/core/errors.ts';
import { databasePath } from '../../src/runtime/database-path.ts';
import { directories } from '../directories.ts';

const directory = directories();
const real = () => realpathSync(directory());
const root = process.getuid?.() === 0;
const namedBy = 'OPEN_LLM_AUTH_DB_PATH';

function refusal(path: string): string {
  try {
    databasePath(real(), { path, base: '/', namedBy });
  } catch (error) {
    if (!(error instanceof OlaError)) throw error;
    expect(error.code).toBe('invalid_field');
    expect(error.message).toContain(namedBy);
    return error.message;
  }
  throw new Error('it was accepted');
}

describe('the database', () => {
  test('is in the home, for the home alone, unless one is named', () => {
    const home = real();
    expect(databasePath(home, null)).toEqual({ path: join(home, 'runtime_state.sqlite3'), shared: false });
    expect(databasePath(home, { path: 'other.sqlite3', base: home, namedBy })).toEqual({
      path: join(home, 'other.sqlite3'),
      shared: false,
    });
  });

  test('stands where it is named, links of directories resolved, and may be named by another home too', () => {
    const [home, elsewhere] = [real(), real()];
    symlinkSync(elsewhere, join(home, 'link'));
    const place = { path: join(elsewhere, 'state.sqlite3'), shared: true };
    expect(databasePath(home, { path: 'link/state.sqlite3', base: home, namedBy })).toEqual(place);
    expect(databasePath(home, { path: place.path, base: '/nowhere', namedBy })).toEqual(place);
    mkdirSync(join(home, 'below'), { mode: 0o700 });
    expect(databasePath(home, { path: 'below/state.sqlite3', base: home, namedBy }).shared).toBe(true);
  });

  test('of the home is not its alone while the lock of another home may be on it', () => {
    const home = real();
    writeFileSync(join(home, 'runtime_state.sqlite3.lock'), '');
    expect(databasePath(home, null).shared).toBe(true);
  });

  test('in a directory that is missing, is a file, or can be written by others is refused', () => {
    const folder = real();
    writeFileSync(join(folder, 'file'), '');
    expect(refusal(join(folder, 'missing', 'state.sqlite3'))).toContain('does not exist');
    expect(refusal(join(folder, 'file', 'state.sqlite3'))).toContain('does not exist');
    chmodSync(folder, 0o770);
    expect(refusal(join(folder, 'state.sqlite3'))).toContain(`chmod go-w ${folder}`);
  });

  test('that is a directory or a link is refused: one file must have one name', () => {
    const folder = real();
    writeFileSync(join(folder, 'real'), '');
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    mkdirSync(join(folder, 'folder'));
    for (const path of [join(folder, 'folder'), join(folder, 'link')]) expect(refusal(path)).toContain('not a regular file');
  });

  test('in another home is refused', () => {
    const other = real();
    writeFileSync(join(other, 'ola.lock'), '');
    expect(refusal(join(other, 'runtime_state.sqlite3'))).toContain(`OPEN_LLM_AUTH_HOME to ${other}`);
  });

  test.if(root)('in a directory of another user is refused', () => {
    const folder = real();
    chownSync(folder, 4242, 4242);
    expect(refusal(join(folder, 'state.sqlite3'))).toContain('user 4242');
  });
});
