/**
 * Measures the built gateway against the fastest bare proxy on the same runtime, prints a Markdown report, and fails
 * when a bar is missed or an answer was wrong. What is measured and why: docs/bench.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge } from './bench/bars.ts';
import { ensureBuilt } from './bench/gateway.ts';
import { machineFacts, placement } from './bench/machine.ts';
import { measure } from './bench/measure.ts';
import { endAll, move } from './bench/processes.ts';
import { renderReport } from './bench/report.ts';
import type { Settings } from './bench/rounds.ts';

const help = `Usage: npm run bench -- [options]

  --rounds N      rounds for each comparison, 1 to 50 (default 15)
  --seconds N     seconds that count in a round, 1 to 60 (default 1)
  --quick         3 rounds, 3 starts, no soak
  --no-soak       leave out the 600 streams of 30 s
  --json FILE     write all numbers to FILE too
  --binary FILE   measure this program instead of dist/ola (started with: serve --host H --port P)
`;

interface Options {
  readonly settings: Settings;
  readonly help: boolean;
  /** Paths, null when not given. */
  readonly json: string | null;
  readonly binary: string | null;
}

/** @throws Error for an unknown option or a number out of range */
function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      soak: { type: 'boolean' },
      json: { type: 'string' },
      binary: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  const settings: Settings = {
    rounds: bounded('rounds', values.rounds, values.quick ? 3 : 15, 50),
    seconds: bounded('seconds', values.seconds, 1, 60),
    warmSeconds: values.quick ? 4 : 20,
    starts: values.quick ? 3 : 10,
    soak: values.soak ?? !values.quick,
  };
  return { settings, help: values.help, json: values.json ?? null, binary: values.binary ?? null };
}

function bounded(name: string, text: string | undefined, otherwise: number, most: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`--${name} takes a whole number from 1 to ${most}`);
}

/** The report goes to standard output, words on the way to standard error. */
const say = (words: string): void => console.error(`bench: ${words}`);

/** @returns whether every bar that was measured holds */
async function run({ settings, json, binary }: Options, directory: string): Promise<boolean> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const program = binary === null ? ensureBuilt(root, say) : resolve(binary);
  const machine = machineFacts(new Date());
  const place = placement();
  // Its own polling must not take time from the gateway it waits for.
  move(process.pid, place.load);
  const numbers = await measure({ binary: program, directory, settings, place, say });
  const verdicts = judge(numbers);
  const report = { machine, placement: place.words, settings, numbers, verdicts };
  console.log(renderReport(report));
  if (json !== null) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  return verdicts.every(({ verdict }) => verdict !== 'fail');
}

const interrupts = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
let interrupted: number | null = null;

async function main(): Promise<number> {
  const options = readOptions();
  if (options.help) {
    console.log(help);
    return 0;
  }
  const directory = mkdtempSync(join(tmpdir(), 'ola-bench-'));
  for (const [signal, code] of Object.entries(interrupts)) {
    process.on(signal, () => {
      interrupted ??= code;
      // What waits for a child is rejected by its end, and so the run comes to its own end below.
      void endAll().then(() => process.exit(code));
    });
  }
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  try {
    return (await run(options, directory)) ? 0 : 1;
  } finally {
    await endAll();
  }
}

const code = await main().catch((error: unknown) => {
  if (interrupted === null) say(error instanceof Error ? error.message : String(error));
  return 1;
});
process.exit(interrupted ?? code);
