/** Connections between two requests: kept by the place that they lead to, for a while. */
import type { PlaceRecords } from './place-records.ts';

/** A connection that may be kept; the rest of it is its owner's. */
export interface Kept {
  /** The place that it leads to. */
  readonly key: string;
  readonly secure: boolean;
  /** When it was given back, in milliseconds of the clock, and how long it may stay. */
  idleSince: number;
  idleFor: number;
  /** The number of sweeps before that. */
  idleSweep: number;
  /** The share of the usual time under which it was kept. */
  keptShare: number;
}

export interface IdleConnections<C extends Kept> {
  /** The connection of this place that has been idle for longest, if it has rested; else null. */
  take(key: string): C | null;
  /** @param keepAliveMs the time that the other side names; @returns false when the connection is not to be kept */
  put(connection: C, keepAliveMs: number | null): boolean;
  /** @returns whether the connection was kept here */
  remove(connection: C): boolean;
  /** Takes all connections of a place out. */
  removeAll(key: string): readonly C[];
  /** Called again and again. @returns the connections that were kept for long enough */
  sweep(now: number): readonly C[];
  /** True when `polling` should be called at the end of this turn of the event loop. */
  isPollDue(now: number): boolean;
  /** Notes that the system is about to be asked for events. */
  polling(): void;
  readonly size: number;
}

/** Connections kept per place. */
const maxPerPlace = 256;
/** Milliseconds, a second less than servers usually keep a connection: many close after five seconds, content networks later. */
const usualMs = { plain: 4000, secure: 30_000 } as const;
/** Milliseconds, even when the other side names more: a firewall between the two may forget a quiet connection without a word. */
const longestMs = 60_000;
/**
 * Milliseconds for which a connection rests before it is used again. An answer that no request asked for may come a moment
 * after the right one, and would be taken for the answer to the next request.
 */
const restMs = 2;
/** Sweeps after which a connection has rested without notes: between two of them the system was asked for events. */
const restSweeps = 2;
/** Idle connections to a place from which on they need no rest: the rate of calls is high, and each costs time. */
const maxResting = 96;
/** Least milliseconds between two notes of the times at which the system was asked for events. */
const pollNoteMs = 0.5;

export function createIdleConnections<C extends Kept>(records: PlaceRecords, clock: () => number): IdleConnections<C> {
  /** The connections of each place, in the order in which they were given back. */
  const lists = new Map<string, C[]>();
  let size = 0;
  let sweeps = 0;
  /**
   * Times at which the system was about to be asked for events: the last one, the one before, and the one before that.
   * All bytes that had arrived by the third have been reported since, even where a report takes two turns of the event loop.
   */
  let polls: readonly [number, number, number] = [-1, -1, -1];

  function hasRested({ idleSince, idleSweep }: C): boolean {
    return polls[2] - idleSince >= restMs || sweeps - idleSweep >= restSweeps;
  }

  return {
    take(key) {
      const list = lists.get(key);
      const first = list?.[0];
      if (list === undefined || first === undefined) return null;
      if (list.length < maxResting && !hasRested(first)) return null;
      list.shift();
      size--;
      return first;
    },
    put(connection, keepAliveMs) {
      const { key, secure } = connection;
      const now = clock();
      if (records.isDistrusted(key, now)) return false;
      const list = lists.get(key) ?? [];
      if (list.length >= maxPerPlace) return false;
      if (list.length === 0) lists.set(key, list);
      connection.keptShare = records.keptShare(key, now);
      connection.idleSince = now;
      connection.idleFor = connection.keptShare * Math.min(longestMs, keepAliveMs ?? (secure ? usualMs.secure : usualMs.plain));
      connection.idleSweep = sweeps;
      list.push(connection);
      size++;
      return true;
    },
    remove(connection) {
      const list = lists.get(connection.key);
      const at = list?.indexOf(connection) ?? -1;
      if (list === undefined || at < 0) return false;
      list.splice(at, 1);
      size--;
      if (list.length === 0) lists.delete(connection.key);
      return true;
    },
    removeAll(key) {
      const list = lists.get(key) ?? [];
      lists.delete(key);
      size -= list.length;
      return list;
    },
    sweep(now) {
      sweeps++;
      for (const [key, list] of lists) if (list.length === 0) lists.delete(key);
      return [...lists.values()].flat().filter(({ idleSince, idleFor }) => now - idleSince >= idleFor);
    },
    isPollDue: (now) => now - polls[0] >= pollNoteMs,
    polling() {
      polls = [clock(), polls[0], polls[1]];
    },
    get size() {
      return size;
    },
  };
}
