/** Writes that may wait a little: gathered, written together, flushed on stop. */
import type { Log } from '../../core/ports.ts';

export interface Batch<T> {
  add(item: T): void;
  /** Writes what is waiting; answers when it is written. */
  flush(): Promise<void>;
  /** Items given up because the store refused them for too long. */
  lost(): number;
}

const size = 1000;
const delayMs = 50;
/** So many wait while the store cannot be written to; then the oldest are given up and counted. */
const mostWaiting = 20_000;

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
    const excess = waiting.length - mostWaiting;
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
