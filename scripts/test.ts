/**
 * The whole check, one line a step as it ends; the last line counts. Every step runs, also after one that failed, side by
 * side with others. `npm test -- --only unit,e2e` runs those steps; `--width 1` runs one process at a time; other words
 * filter test files by path: `npm test -- store/tokens`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasDeno } from './deno.ts';
import { divide, testFiles } from './test/files.ts';
import { type Job, runJobs } from './test/pool.ts';
import { type Outcome, type Part, runPart, total } from './test/run.ts';
import { type Step, steps } from './test/steps.ts';

interface Asked {
  readonly chosen: readonly Step[];
  readonly filters: readonly string[];
  /** Processes at once. */
  readonly width: number;
}

/** @returns null when the arguments name a step that does not exist, or nothing to run */
function readArguments(args: readonly string[]): Asked | null {
  const filters = [...args];
  const take = (name: string): string | null => {
    const at = filters.indexOf(name);
    return at < 0 ? null : (filters.splice(at, 2)[1] ?? '');
  };
  const only = take('--only')?.split(',') ?? null;
  // A test waits for the process that it started as often as it works: two at once help on one core too.
  const width = Number(take('--width') ?? Math.max(2, availableParallelism()));
  const known = only?.every((name) => steps.some((step) => step.name === name)) ?? true;
  const chosen = chosenSteps(only, filters);
  return known && chosen.length > 0 && width >= 1 ? { chosen, filters, width } : null;
}

/** The steps that the arguments ask for: named ones; with file filters those that have such files; else all. */
function chosenSteps(only: readonly string[] | null, filters: readonly string[]): readonly Step[] {
  if (only) return steps.filter((step) => only.includes(step.name));
  const usual = steps.filter(({ onDemand }) => onDemand !== true);
  return filters.length > 0 ? usual.filter((step) => testFiles(step, filters).length > 0) : usual;
}

/** The first part of a step has its commands. */
function partsOf(step: Step, filters: readonly string[]): Part[] {
  const files = testFiles(step, filters);
  const shares = files.length > 0 ? divide(files, step.parts ?? 1) : [step.tests === undefined ? null : []];
  return shares.map((share, index) => ({ step, commands: index === 0 ? (step.commands ?? []) : [], files: share }));
}

/** The jobs of one step; its line is printed when the last of them has ended. */
function jobsOf(step: Step, filters: readonly string[], scratch: string, ended: (outcome: Outcome) => void): Job[] {
  const parts = partsOf(step, filters);
  const outcomes: Outcome[] = [];
  let left = parts.length;
  let started = 0;
  return parts.map((part, index) => ({
    step: step.name,
    needs: step.needs ?? [],
    async run() {
      started ||= performance.now();
      outcomes[index] = await runPart(part, scratch);
      left -= 1;
      if (left > 0) return;
      const outcome = total(outcomes);
      printStep(step.name, outcome, (performance.now() - started) / 1000);
      ended(outcome);
    },
  }));
}

function printStep(name: string, { passed, failed, output }: Outcome, seconds: number): void {
  const counts = `${passed} passed, ${failed} failed`.padEnd(24);
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${counts} ${seconds.toFixed(1).padStart(6)} s`);
  if (failed > 0) console.log(output.trimEnd());
}

async function main(args: readonly string[]): Promise<boolean> {
  const asked = readArguments(args);
  if (asked === null) {
    console.error(`Nothing to run. Steps: ${steps.map((step) => step.name).join(', ')}; other words filter test files by path.`);
    console.log('0 passed, 1 failed');
    return false;
  }
  if (!hasDeno) console.error('Deno is not installed on this platform: its steps are left out.');
  const scratch = await mkdtemp(join(tmpdir(), 'ola-test-'));
  const outcomes: Outcome[] = [];
  const jobs = asked.chosen.flatMap((step) => jobsOf(step, asked.filters, scratch, (outcome) => outcomes.push(outcome)));
  await runJobs(jobs, asked.width);
  await rm(scratch, { recursive: true, force: true });
  const { passed, failed } = total(outcomes);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && outcomes.length === asked.chosen.length;
}

if (import.meta.main) process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
