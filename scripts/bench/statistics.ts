/** Owns the arithmetic: medians, spreads, and a latency histogram of fixed size. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws Error for an empty list */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error('no values');
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? max;
  return { median: sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? min) + upper) / 2, min, max };
}

export interface Histogram {
  /** @param microseconds not negative */
  record(microseconds: number): void;
  /** @param fraction 0.5 for the median; @returns microseconds, 0 when nothing was recorded */
  percentile(fraction: number): number;
}

const fineBuckets = 100_000;
const coarseBuckets = 100_000;

/**
 * Counts in steps of 1 µs up to 100 ms and of 1 ms up to 100 s: the memory does not grow with the rate, so that a fast
 * target does not slow its own measurement.
 */
export function createHistogram(): Histogram {
  const fine = new Uint32Array(fineBuckets);
  const coarse = new Uint32Array(coarseBuckets);
  let count = 0;
  return {
    record(microseconds) {
      count++;
      if (microseconds < fineBuckets) {
        const bucket = Math.floor(microseconds);
        fine[bucket] = (fine[bucket] ?? 0) + 1;
      } else {
        const bucket = Math.min(coarseBuckets - 1, Math.floor(microseconds / 1000));
        coarse[bucket] = (coarse[bucket] ?? 0) + 1;
      }
    },
    percentile(fraction) {
      let rest = Math.max(1, Math.ceil(count * fraction));
      for (let n = 0; n < fineBuckets; n++) {
        rest -= fine[n] ?? 0;
        if (rest <= 0) return count === 0 ? 0 : n + 0.5;
      }
      for (let n = 0; n < coarseBuckets; n++) {
        rest -= coarse[n] ?? 0;
        if (rest <= 0) return n * 1000 + 500;
      }
      return 0;
    },
  };
}
