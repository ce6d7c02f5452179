import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test';
import { createBatch } from '../../../src/gateway/records/batch.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** What has begun goes on as far as it does without its timers. */
const turns = async () => {
  for (let left = 5; left > 0; left--) await turn();
};

/** A place to write to that can be out of order. */
function sink() {
  const written: number[][] = [];
  const messages: string[] = [];
  const self = {
    broken: false,
    written,
    messages,
    async write(items: readonly number[]) {
      await turn();
      if (self.broken) throw new Error('disk full');
      written.push([...items]);
    },
    log: { log: (_level: string, message: string) => void messages.push(message) },
  };
  return self;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('a batch', () => {
  test('waits a little, then writes what came together', async () => {
    const place = sink();
    const batch = createBatch('numbers', place.write, place.log);
    for (const n of [1, 2, 3]) batch.add(n);
    jest.advanceTimersByTime(49);
    await turns();
    expect(place.written).toEqual([]);
    jest.advanceTimersByTime(1);
    await turns();
    expect(place.written).toEqual([[1, 2, 3]]);
  });

  test('of 1000 is written at once', async () => {
    const place = sink();
    const batch = createBatch('numbers', place.write, place.log);
    for (const n of numbers(0, 1000)) batch.add(n);
    await turns();
    expect(place.written).toEqual([numbers(0, 1000)]);
  });

  test('is written by a flush, which answers when it is', async () => {
    const place = sink();
    const batch = createBatch('numbers', place.write, place.log);
    batch.add(1);
    await batch.flush();
    expect(place.written).toEqual([[1]]);
    await batch.flush();
    expect(place.written).toEqual([[1]]);
  });

  test('writes one at a time and in order, also what comes during a write', async () => {
    let writing = 0;
    let most = 0;
    const seen: number[] = [];
    const batch = createBatch<number>(
      'numbers',
      async (items) => {
        most = Math.max(most, ++writing);
        await turn();
        seen.push(...items);
        writing--;
      },
      { log: () => undefined },
    );
    for (const n of numbers(0, 1000)) {
      batch.add(n);
      if (n % 250 === 0) await turn();
    }
    await Promise.all([batch.flush(), batch.flush()]);
    expect(seen).toEqual(numbers(0, 1000));
    expect(most).toBe(1);
  });
});

describe('a batch that cannot be written', () => {
  test('is kept, in order, before what came later; it is said once a try, and nothing is thrown', async () => {
    const place = sink();
    const batch = createBatch('numbers', place.write, place.log);
    place.broken = true;
    for (const n of [1, 2]) batch.add(n);
    const failing = batch.flush();
    await Promise.resolve();
    batch.add(3);
    await failing;
    await batch.flush();
    expect(place.messages).toEqual(Array(2).fill('numbers could not be written; they wait in memory'));
    place.broken = false;
    await batch.flush();
    expect(place.written).toEqual([[1, 2, 3]]);
    expect(batch.lost()).toBe(0);
  });

  test('is tried again by itself', async () => {
    const place = sink();
    const batch = createBatch('numbers', place.write, place.log);
    place.broken = true;
    batch.add(1);
    await batch.flush();
    place.broken = false;
    jest.advanceTimersByTime(999);
    await turns();
    expect(place.written).toEqual([]);
    jest.advanceTimersByTime(1);
    await turns();
    expect(place.written).toEqual([[1]]);
  });

  test('for too long gives up its oldest, and counts them', async () => {
    const place = sink();
    const batch = createBatch('numbers', place.write, place.log);
    place.broken = true;
    for (const n of numbers(0, 20_500)) batch.add(n);
    await batch.flush();
    expect(batch.lost()).toBe(500);
    place.broken = false;
    await batch.flush();
    expect(place.written.flat()).toEqual(numbers(500, 20_500));
  });
});
