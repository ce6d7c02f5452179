/** Connections between two requests: kept by where they lead, for a while. */

/** What is kept; the kind of connection is its owner's. */
export interface Kept {
  readonly key: string;
  readonly secure: boolean;
  /** When it was given back, in milliseconds of `performance.now()`, and for how long it stays. */
  idleSince: number;
  idleFor: number;
}

export interface IdleConnections<C extends Kept> {
  /** The one that was used last; null when there is none. */
  take(key: string): C | null;
  /** @param keepAliveMs what the other side says; @returns false when there are enough */
  put(connection: C, keepAliveMs: number | null): boolean;
  /** Does nothing for one that is not kept. */
  remove(connection: C): void;
  /** Those that were kept long enough; places without a connection are forgotten. */
  stale(now: number): readonly C[];
  readonly size: number;
}

/** Of one destination. */
const maxPerDestination = 128;
/** A second short of what servers keep: many that are not behind a content network close after five seconds. */
const usualMs = { plain: 4000, secure: 30_000 } as const;
/** Whatever the other side says: what stands between may forget a quiet connection, and nobody would tell. */
const longestMs = 60_000;

export function createIdleConnections<C extends Kept>(): IdleConnections<C> {
  const lists = new Map<string, C[]>();
  let size = 0;
  return {
    take(key) {
      const connection = lists.get(key)?.pop() ?? null;
      if (connection !== null) size--;
      return connection;
    },
    put(connection, keepAliveMs) {
      const list = lists.get(connection.key) ?? [];
      if (list.length >= maxPerDestination) return false;
      if (list.length === 0) lists.set(connection.key, list);
      connection.idleSince = performance.now();
      connection.idleFor = Math.min(longestMs, keepAliveMs ?? (connection.secure ? usualMs.secure : usualMs.plain));
      list.push(connection);
      size++;
      return true;
    },
    remove(connection) {
      const list = lists.get(connection.key);
      const at = list?.indexOf(connection) ?? -1;
      if (list === undefined || at < 0) return;
      list.splice(at, 1);
      size--;
      if (list.length === 0) lists.delete(connection.key);
    },
    stale(now) {
      for (const [key, list] of lists) if (list.length === 0) lists.delete(key);
      return [...lists.values()].flat().filter(({ idleSince, idleFor }) => now - idleSince >= idleFor);
    },
    get size() {
      return size;
    },
  };
}
