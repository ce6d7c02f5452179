/** Owns the report: the numbers as Markdown that the README can take over. */
import type { Verdict } from './bars.ts';
import type { LoadResult } from './job.ts';
import type { Machine } from './machine.ts';
import type { Measurements } from './measure.ts';
import { type Comparison, connections, type FloorVariant, medianLatency, rateOf, type Settings } from './rounds.ts';
import { spread } from './statistics.ts';
import { chunksTogether } from './traffic.ts';

export interface Report {
  readonly machine: Machine;
  readonly placement: string;
  readonly settings: Settings;
  readonly numbers: Measurements;
  readonly verdicts: readonly Verdict[];
}

type Row = readonly string[];

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const oneDigit = (value: number): string => value.toFixed(1);

const signed = (value: number, show: (value: number) => string): string => (value < 0 ? show(value) : `+${show(value)}`);

function table(head: Row, rows: readonly Row[]): string {
  const line = (row: Row): string => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** `median (min to max)`, or the value alone when there is one. */
function withSpread(values: readonly number[], show: (value: number) => string): string {
  const { median, min, max } = spread(values);
  return values.length === 1 ? show(median) : `${show(median)} (${show(min)} to ${show(max)})`;
}

export function renderReport(report: Report): string {
  const { numbers, verdicts } = report;
  return [
    facts(report),
    table(
      ['bar', 'limit', 'measured', ''],
      verdicts.map((bar) => [bar.name, bar.limit, bar.measured, bar.verdict]),
    ),
    throughput(numbers),
    protocols(numbers),
    single(numbers),
    process(numbers),
    stages(numbers),
    floors(numbers.variants),
    ...warnings(report),
  ].join('\n\n');
}

function facts({ machine, placement, settings }: Report): string {
  const { cpu, cores, system, bun, date, home, loadBefore } = machine;
  return [
    `${cpu}, ${cores} cores, ${system}, Bun ${bun}, home in ${home === 'disk' ? 'a disk’s file system' : 'memory'}, ${date};`,
    `load average before ${loadBefore.toFixed(2)};`,
    `${placement}; rounds: ${settings.rounds} of ${settings.seconds} s, median (min to max).`,
  ].join('\n');
}

function throughput({ json, stream, apart }: Measurements): string {
  const head = [`${connections} connections`, 'direct', 'floor', 'gateway', 'gateway / floor'];
  return table(head, [
    ...comparisonRows('JSON', json),
    ...comparisonRows('64-chunk stream', stream),
    ...comparisonRows(`64 chunks, ${chunksTogether} at a time`, apart),
  ]);
}

/** Rates of each way, and its share of the chats' rate in the same run. */
function protocols({ ways }: Measurements): string {
  const row = (name: string, { chat, messages, crossed }: Measurements['ways']['json']): Row => {
    const rates = (results: readonly LoadResult[]): number[] => results.map((result) => result.perSecond);
    const share = (results: readonly LoadResult[]): string =>
      `${withSpread(rates(results), whole)}, ${(rateOf(results) / rateOf(chat)).toFixed(3)}`;
    return [name, withSpread(rates(chat), whole), share(messages), share(crossed)];
  };
  const head = [`${connections} connections, a second`, 'chat', '`/v1/messages`, of chat', 'chat over Anthropic, of chat'];
  return table(head, [row('JSON', ways.json), row('64-chunk stream', ways.stream)]);
}

function comparisonRows(name: string, { direct, floor, gateway }: Comparison): Row[] {
  const rates = (results: readonly LoadResult[]): number[] => results.map((result) => result.perSecond);
  const cost = (results: readonly LoadResult[]): number => 1e6 / rateOf(results);
  const perRound = rates(gateway).map((rate, round) => rate / (floor[round]?.perSecond ?? Number.NaN));
  const { min, max } = spread(perRound);
  const ratio = `${(rateOf(gateway) / rateOf(floor)).toFixed(3)} (${min.toFixed(3)} to ${max.toFixed(3)})`;
  const milliseconds = (results: readonly LoadResult[], name: 'p50' | 'p99'): string =>
    (spread(results.map((result) => result[name])).median / 1000).toFixed(2);
  const targets = [direct, floor, gateway];
  return [
    [`${name}, a second`, ...targets.map((results) => withSpread(rates(results), whole)), ratio],
    [
      `${name}, µs each`,
      ...targets.map((results) => oneDigit(cost(results))),
      `${signed(cost(gateway) - cost(floor), oneDigit)} µs`,
    ],
    [
      `${name}, p50 / p99 ms`,
      ...targets.map((results) => `${milliseconds(results, 'p50')} / ${milliseconds(results, 'p99')}`),
      '',
    ],
  ];
}

function single({ single: together, singleApart: apart }: Measurements): string {
  const row = (name: string, { direct, floor, gateway }: Comparison): Row => {
    const added = (results: readonly LoadResult[]): string => signed(medianLatency(results) - medianLatency(direct), whole);
    return [name, whole(medianLatency(direct)), added(floor), added(gateway)];
  };
  const head = ['one connection, median µs', 'direct', 'floor adds', 'gateway adds'];
  return table(head, [row('all on one core', together), row('apart, idle cores wake at every hop', apart)]);
}

function process({ firstStart, starts, commands, memory, soak }: Measurements): string {
  const rows: Row[] = [
    ['start to ready, first into an empty home, ms', whole(firstStart)],
    ['start to ready, ms', withSpread(starts, whole)],
    ['`ola --version`, ms', withSpread(commands.version, whole)],
    ['`ola --help`, ms', withSpread(commands.help, whole)],
    ['memory idle, MB', whole(memory.idle)],
    ['memory after load, MB', whole(memory.afterLoad)],
    ['memory 10 s later, MB', whole(memory.rested)],
  ];
  if (memory.soaking !== null && memory.afterSoak !== null && soak !== null) {
    rows.push(['memory with 600 streams open / after, MB', `${whole(memory.soaking)} / ${whole(memory.afterSoak)}`]);
    rows.push(['600 streams of 30 s, p50 / p99 s', `${(soak.p50 / 1e6).toFixed(2)} / ${(soak.p99 / 1e6).toFixed(2)}`]);
    if (soak.firstError !== null) rows.push([`600 streams, ${soak.errors} errors, the first`, soak.firstError]);
  }
  return table(['process', ''], rows);
}

function stages({ stages: parts }: Measurements): string {
  return table(
    ['stage, alone in a warm loop', 'µs'],
    parts.map(({ name, microseconds }) => [name, microseconds.toFixed(2)]),
  );
}

/** Which floor was taken: the fastest of four, so that the ratio flatters nobody. */
function floors(variants: readonly FloorVariant[]): string {
  const best = (kind: 'json' | 'stream'): number => Math.max(...variants.map((variant) => variant[kind]));
  const rate = (variant: FloorVariant, kind: 'json' | 'stream'): string =>
    variant[kind] === best(kind) ? `**${whole(variant[kind])}**` : whole(variant[kind]);
  return table(
    ['floor: request body / JSON answer (bold: taken)', 'JSON a second', 'streams a second'],
    variants.map((variant) => [`${variant.request} / ${variant.answer}`, rate(variant, 'json'), rate(variant, 'stream')]),
  );
}

/** How much more upstream and load must reach alone before a rate through something says anything about that something. */
const headroom = 1.25;

/** Half a core of somebody else's work moves a ratio more than a change of ours. */
const quiet = 0.5;

function warnings({ machine, numbers }: Report): string[] {
  const kinds = [
    ['JSON', numbers.json],
    ['streams', numbers.stream],
    ['streams in pieces', numbers.apart],
  ] as const;
  const limited = kinds
    .filter(([, { direct, floor }]) => rateOf(direct) < headroom * rateOf(floor))
    .map(
      ([name]) =>
        `Upstream and load reach less than ${headroom} times the floor with ${name}: they are part of what was measured.`,
    );
  const busy = 'The machine was busy before the run: look at the spread, and measure again when it is quiet.';
  return machine.loadBefore > quiet ? [...limited, busy] : limited;
}
