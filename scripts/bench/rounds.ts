/** Owns a rate and the comparison of two: one load against one target, floor and gateway in turn. */
import type { FloorJob, Listening, LoadJob, LoadResult, Passing } from './job.ts';
import type { Placement } from './machine.ts';
import { type Child, type Cores, runPart, startPart } from './processes.ts';
import { spread } from './statistics.ts';
import { type Form, type Kind, models } from './traffic.ts';

export interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  /** Of load on each target before the first round. */
  readonly warmSeconds: number;
  readonly starts: number;
  readonly soak: boolean;
}

/** One measurement a round for each target. */
export interface Comparison {
  readonly direct: readonly LoadResult[];
  readonly floor: readonly LoadResult[];
  readonly gateway: readonly LoadResult[];
}

export interface FloorVariant {
  readonly request: Passing;
  readonly answer: Passing;
  readonly json: number;
  readonly stream: number;
}

export const connections = 64;
const warmSeconds = 0.5;
/** A part of the bench, a process of its own. */
export const part = (name: string): URL => new URL(`./${name}.ts`, import.meta.url);

export interface Target {
  readonly port: number;
  readonly token: string;
  readonly modelOf: (model: string) => string;
  /** Default: chat. */
  readonly form?: Form;
}

export interface Bench {
  readonly place: Placement;
  readonly settings: Settings;
  readonly say: (words: string) => void;
}

export async function listening(child: Child): Promise<{ readonly child: Child; readonly port: number }> {
  return { child, port: (await child.answer<Listening>()).port };
}

/** Tries the four ways to pass the bodies on, each after a warm-up, and keeps the fastest for each kind of answer. */
export async function chooseFloor(
  bench: Bench,
  upstreamPort: number,
  as: Target,
): Promise<{ readonly variants: FloorVariant[]; readonly json: Target; readonly stream: Target }> {
  const ways: readonly Passing[] = ['buffer', 'stream'];
  const tried: (FloorVariant & Listening & { readonly child: Child })[] = [];
  for (const request of ways) {
    for (const answer of ways) {
      const job: FloorJob = { upstreamPort, request, answer };
      const floor = await listening(startPart(part('floor'), job, bench.place.gateway));
      const target = { ...as, port: floor.port };
      const rate = async (kind: 'json' | 'stream'): Promise<number> =>
        (await load(bench, target, kind, { seconds: 2 })).perSecond;
      tried.push({ request, answer, ...floor, json: await rate('json'), stream: await rate('stream') });
    }
  }
  const fastest = (kind: 'json' | 'stream') => tried.reduce((best, one) => (one[kind] > best[kind] ? one : best));
  const [json, stream] = [fastest('json'), fastest('stream')];
  for (const floor of tried) if (floor !== json && floor !== stream) await floor.child.end();
  const variants = tried.map(({ request, answer, json: jsonRate, stream: streamRate }) => ({
    request,
    answer,
    json: jsonRate,
    stream: streamRate,
  }));
  return { variants, json: { ...as, port: json.port }, stream: { ...as, port: stream.port } };
}

interface LoadOptions {
  readonly connections?: number;
  readonly seconds?: number;
  readonly warmSeconds?: number;
  readonly cores?: Cores;
}

/** @throws Error when an answer was wrong: a rate of wrong answers is not a rate */
export async function load(bench: Bench, target: Target, kind: Kind, options: LoadOptions = {}): Promise<LoadResult> {
  const job: LoadJob = {
    port: target.port,
    token: target.token,
    model: target.modelOf(models[kind]),
    kind,
    form: target.form ?? 'chat',
    connections: options.connections ?? connections,
    warmSeconds: options.warmSeconds ?? warmSeconds,
    seconds: options.seconds ?? bench.settings.seconds,
    once: false,
  };
  const cores = options.cores === undefined ? bench.place.load : options.cores;
  const result = await runPart<LoadResult>(part('load'), job, cores);
  if (result.errors > 0) throw new Error(`${result.errors} wrong answers (${kind}); the first: ${result.firstError}`);
  return result;
}

/** The floor and the gateway once a round, and who goes first changes, so that a drift of the machine hits both. */
export async function compare(
  bench: Bench,
  targets: { readonly direct: Target; readonly floor: Target; readonly gateway: Target },
  kind: Kind,
  directRounds: number,
  options: LoadOptions = {},
): Promise<Comparison> {
  const results: { direct: LoadResult[]; floor: LoadResult[]; gateway: LoadResult[] } = { direct: [], floor: [], gateway: [] };
  for (let round = 0; round < bench.settings.rounds; round++) {
    if (round < directRounds) results.direct.push(await load(bench, targets.direct, kind, options));
    const order = round % 2 === 0 ? (['floor', 'gateway'] as const) : (['gateway', 'floor'] as const);
    for (const name of order) results[name].push(await load(bench, targets[name], kind, options));
  }
  return results;
}

/** The ways of a call through the gateway, by the client's and the upstream's protocol. */
export const ways = ['chat', 'messages', 'crossed'] as const;
export type Ways = Readonly<Record<(typeof ways)[number], readonly LoadResult[]>>;

/** Each way once a round, and another one goes first each time. */
export async function compareWays(
  bench: Bench,
  targets: Readonly<Record<keyof Ways, Target>>,
  kind: 'json' | 'stream',
): Promise<Ways> {
  const results: Record<keyof Ways, LoadResult[]> = { chat: [], messages: [], crossed: [] };
  for (let round = 0; round < bench.settings.rounds; round++) {
    const first = round % ways.length;
    for (const way of [...ways.slice(first), ...ways.slice(0, first)]) results[way].push(await load(bench, targets[way], kind));
  }
  return results;
}

/** Requests a second: the median over the rounds. */
export const rateOf = (results: readonly LoadResult[]): number => spread(results.map((result) => result.perSecond)).median;
/** Microseconds: the median over the rounds' 99th percentiles. */
export const p99Of = (results: readonly LoadResult[]): number => spread(results.map((result) => result.p99)).median;
/** Microseconds: the median over the rounds' medians. */
export const medianLatency = (results: readonly LoadResult[]): number => spread(results.map((result) => result.p50)).median;
