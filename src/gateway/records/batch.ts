/** Writes that may wait: items are collected, written together, and flushed at the stop. */
import type { Log } from '../../core/ports.ts';

export interface Batch<T> {
  add(item: T): void;
  /** Writes the waiting items; resolves when they are written. */
  flush(): Promise<void>;
  /** Number of items that were dropped because the store refused writes for too long. */
  lost(): number;
}

/** Waiting items that start a write at once. */
const size = 200;
/** Longest time from an item to its write, in milliseconds. */
const delayMs = 50;
/** Items that wait while the store refuses writes. More than that: the oldest are dropped and counted. */
const maxWaiting = 20_000;

export function createBatch<T>(name: string, write: (items: readonly T[]) => Promise<void>, log: Log): Batch<T> {
  let waiting: T[] = [];
  let lost = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let writing: Promise<void> = Promise.resolve();

  async function writeOnce(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    try {
      await write(items);
    } catch (cause) {
      keep(items);
      log.log('error', `${name} could not be written; they wait in memory`, {
        waiting: waiting.length,
        lost,
        cause: String(cause),
      });
    }
  }

  function keep(items: readonly T[]): void {
    waiting = [...items, ...waiting];
    const excess = waiting.length - maxWaiting;
    if (excess > 0) {
      waiting.splice(0, excess);
      lost += excess;
    }
    timer ??= setTimeout(() => void flush(), 1000);
  }

  function flush(): Promise<void> {
    writing = writing.then(writeOnce);
    return writing;
  }

  return {
    add(item) {
      waiting.push(item);
      if (waiting.length === size) void flush();
      else if (timer === null) timer = setTimeout(() => void flush(), delayMs);
    },
    flush,
    lost: () => lost,
  };
}
