/** The clock of a process, put forward by hand: a limit of minutes passes in no time, and never because a machine is busy. */
export interface Clock {
  /** What measures by `performance.now()` believes from now on that so many more milliseconds have passed. */
  advance(ms: number): void;
  /** The process has its own clock again. */
  restore(): void;
}

export function createClock(): Clock {
  const { now } = performance;
  let ahead = 0;
  performance.now = () => now.call(performance) + ahead;
  return {
    advance(ms) {
      ahead += ms;
    },
    restore() {
      performance.now = now;
    },
  };
}
