/** Jobs side by side, no more at once than the machine has cores for. */

export interface Job {
  /** The step that it is a part of. */
  readonly step: string;
  /** Steps that have no unfinished job when this one begins. */
  readonly needs: readonly string[];
  /** Never rejects: a failure is an outcome, and the jobs behind it run all the same. */
  run(): Promise<void>;
}

/**
 * Runs every job, in the order given as far as needs allow.
 * @param width jobs at once
 * @throws Error when the jobs that are left wait for each other
 */
export async function runJobs(jobs: readonly Job[], width: number): Promise<void> {
  const waiting = [...jobs];
  const running = new Map<Job, Promise<Job>>();
  const unfinished = (step: string): boolean => [...waiting, ...running.keys()].some((job) => job.step === step);
  while (waiting.length > 0 || running.size > 0) {
    while (running.size < width) {
      const at = waiting.findIndex((job) => !job.needs.some(unfinished));
      const [job] = at < 0 ? [] : waiting.splice(at, 1);
      if (job === undefined) break;
      running.set(
        job,
        job.run().then(() => job),
      );
    }
    if (running.size === 0) throw new Error(`steps wait for each other: ${waiting.map(({ step }) => step).join(', ')}`);
    running.delete(await Promise.race(running.values()));
  }
}
