import { describe, expect, test } from 'bun:test';
import { createIdleConnections, type Kept } from '../../src/runtime/idle-connections.ts';
import { createPlaceRecords } from '../../src/runtime/place-records.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('a place', () => {
  test('is distrusted for five minutes after the last misbehaviour, and told of once', () => {
    const records = createPlaceRecords();
    expect(records.isDistrusted('a', 0)).toBe(false);
    expect(records.distrust('a', 0)).toBe(true);
    expect(records.distrust('a', 4 * minute)).toBe(false);
    expect(records.isDistrusted('a', 9 * minute - 1)).toBe(true);
    expect(records.isDistrusted('b', 0)).toBe(false);
    expect(records.isDistrusted('a', 9 * minute)).toBe(false);
    expect(records.distrust('a', 9 * minute)).toBe(true);
  });

  test('keeps its connections half as long after each two stale ones, a sixteenth at least, as usual an hour after the last', () => {
    const records = createPlaceRecords();
    const shares = Array.from({ length: 12 }, (_, at) => {
      records.noteStale('a', records.keptShare('a', at), at);
      return records.keptShare('a', at);
    });
    expect(shares).toEqual([1, 1 / 2, 1 / 2, 1 / 4, 1 / 4, 1 / 8, 1 / 8, ...new Array<number>(5).fill(1 / 16)]);
    expect(records.keptShare('b', 12)).toBe(1);
    expect(records.keptShare('a', 11 + hour - 1)).toBe(1 / 16);
    expect(records.keptShare('a', 11 + hour)).toBe(1);
    records.noteStale('a', 1, 11 + hour);
    expect(records.keptShare('a', 11 + hour)).toBe(1);
  });

  test('whose server was restarted halves once, however many of its connections are stale', () => {
    const records = createPlaceRecords();
    for (let i = 0; i < 16; i++) records.noteStale('a', 1, 0);
    expect(records.keptShare('a', 0)).toBe(1 / 2);
  });

  test('is forgotten when a thousand others misbehaved after it', () => {
    const records = createPlaceRecords();
    for (let i = 0; i <= 1024; i++) records.distrust(String(i), 0);
    expect([records.isDistrusted('0', 0), records.isDistrusted('1', 0)]).toEqual([false, true]);
  });
});

describe('kept connections', () => {
  function pool() {
    const state = { time: 0 };
    const records = createPlaceRecords();
    const idle = createIdleConnections<Kept>(records, () => state.time);
    return { state, records, idle };
  }
  const connection = (key = 'a', secure = false): Kept => {
    return { key, secure, idleSince: 0, idleFor: 0, idleSweep: 0, keptShare: 1 };
  };

  test('rest until the system was asked for events two milliseconds later, and twice after that', () => {
    const { idle, state } = pool();
    const first = connection();
    idle.put(first, null);
    expect(idle.isPollDue(0.5)).toBe(true);
    state.time = 1.9;
    for (let i = 0; i < 3; i++) idle.polling();
    expect(idle.take('a')).toBeNull();
    state.time = 2;
    for (let i = 0; i < 3; i++) {
      expect(idle.take('a')).toBeNull();
      idle.polling();
    }
    expect([idle.isPollDue(2.4), idle.isPollDue(2.5)]).toEqual([false, true]);
    expect(idle.take('a')).toBe(first);
    expect(idle.size).toBe(0);
  });

  test('have rested after two sweeps without such signs; the one that has been idle for longest is used', () => {
    const { idle } = pool();
    const [first, second] = [connection(), connection()];
    idle.put(first, null);
    idle.sweep(0);
    idle.put(second, null);
    expect(idle.take('a')).toBeNull();
    idle.sweep(0);
    expect(idle.take('b')).toBeNull();
    expect(idle.take('a')).toBe(first);
    expect(idle.take('a')).toBeNull();
    idle.sweep(0);
    expect(idle.take('a')).toBe(second);
  });

  test('need no rest where 96 are idle, and are 256 a place at most', () => {
    const { idle } = pool();
    const all = Array.from({ length: 256 }, () => connection());
    for (const each of all) expect(idle.put(each, null)).toBe(true);
    expect(idle.put(connection(), null)).toBe(false);
    expect(idle.put(connection('b'), null)).toBe(true);
    for (const each of all.slice(0, 256 - 95)) expect(idle.take('a')).toBe(each);
    expect(idle.take('a')).toBeNull();
  });

  test('expire after the usual time, the time that the other side names, and its share', () => {
    const { idle, records, state } = pool();
    const times = [
      [connection('plain'), null, 4000],
      [connection('secure', true), null, 30_000],
      [connection('named'), 9000, 9000],
      [connection('long'), 600_000, 60_000],
      [connection('stale'), null, 2000],
    ] as const;
    for (let i = 0; i < 2; i++) records.noteStale('stale', 1, 0);
    for (const [each, named] of times) idle.put(each, named);
    for (const [each, , due] of times) {
      state.time = due - 1;
      expect(idle.sweep(state.time)).not.toContain(each);
      expect(idle.sweep(due)).toContain(each);
    }
  });

  test('of a distrusted place are none', () => {
    const { idle, records } = pool();
    const [first, second] = [connection(), connection('b')];
    for (const each of [first, second]) idle.put(each, null);
    records.distrust('a', 0);
    expect(idle.removeAll('a')).toEqual([first]);
    expect(idle.remove(first)).toBe(false);
    expect(idle.put(connection(), null)).toBe(false);
    for (let i = 0; i < 2; i++) idle.sweep(0);
    expect([idle.take('a'), idle.size]).toEqual([null, 1]);
    expect(idle.take('b')).toBe(second);
  });
});
