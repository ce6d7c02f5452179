/** Owns the order of the measurements. */
import { join } from 'node:path';
import {
  configure,
  type Gateway,
  type GatewayPlan,
  messagesReferenceTo,
  randomSecret,
  referenceTo,
  residentMegabytes,
  startGateway,
  timeCommand,
} from './gateway.ts';
import type { LoadJob, LoadResult, Stage } from './job.ts';
import { move, runPart, startPart } from './processes.ts';
import {
  type Bench,
  type Comparison,
  chooseFloor,
  compare,
  compareWays,
  connections,
  type FloorVariant,
  listening,
  load,
  part,
  type Target,
  type Ways,
} from './rounds.ts';
import { models } from './traffic.ts';

/** Megabytes. */
export interface Memory {
  readonly idle: number;
  readonly afterLoad: number;
  readonly rested: number;
  /** With 600 streams open, and after the last; null without the soak. */
  readonly soaking: number | null;
  readonly afterSoak: number | null;
}

export interface Measurements {
  readonly variants: readonly FloorVariant[];
  readonly json: Comparison;
  readonly stream: Comparison;
  /** Chunks that come a few at a time. */
  readonly apart: Comparison;
  /** Chats, messages, and chats that an upstream of messages answers. */
  readonly ways: { readonly json: Ways; readonly stream: Ways };
  /** One connection, everything on one core. */
  readonly single: Comparison;
  /** One connection, on the cores of the other measurements. */
  readonly singleApart: Comparison;
  /** Milliseconds; the first into an empty home, the others again into the same. */
  readonly firstStart: number;
  readonly starts: readonly number[];
  /** Milliseconds from spawn to end. */
  readonly commands: { readonly version: readonly number[]; readonly help: readonly number[] };
  readonly memory: Memory;
  readonly soak: LoadResult | null;
  readonly stages: readonly Stage[];
}

export const soakStreams = 600;
const soakLimitSeconds = 45;
/** Some thousand answers settle a median: the time is better spent where 64 connections compete. */
const alone = { connections: 1, seconds: 1 };
const roundsAlone = 5;

/** Runs everything; a few minutes. @throws Error when a part does not start */
export async function measure(plan: { readonly binary: string; readonly directory: string } & Bench): Promise<Measurements> {
  const { place, settings, say, directory } = plan;
  say('stages in process');
  const stages = await runPart<Stage[]>(part('stages'), { directory }, place.gateway);
  const key = randomSecret();
  const { child: upstream, port } = await listening(startPart(part('upstream'), { key }, place.upstream));
  say('starts');
  const home: GatewayPlan = { binary: plan.binary, home: join(directory, 'home'), token: randomSecret(), cores: place.gateway };
  const { gateway, firstStart, starts } = await timeStarts(home, settings.starts, (first) => configure(first, port, key));
  await Bun.sleep(5000);
  const idle = residentMegabytes(gateway.child.pid);
  const commands = await timeCommands(home, settings.starts);

  const direct: Target = { port, token: key, modelOf: (model) => model };
  say('choosing the floor');
  const floors = await chooseFloor(plan, port, direct);
  const targets = { direct, gateway: { port: gateway.port, token: gateway.token, modelOf: referenceTo } };
  say('warming up');
  await warmUp(plan, [targets.gateway, floors.json, floors.stream]);
  say(`${connections} connections, JSON`);
  const json = await compare(plan, { ...targets, floor: floors.json }, 'json', 1);
  say(`${connections} connections, streams`);
  const stream = await compare(plan, { ...targets, floor: floors.stream }, 'stream', 1);
  say(`${connections} connections, streams in pieces`);
  const apart = await compare(plan, { ...targets, floor: floors.stream }, 'apart', 1);
  const ways = await measureWays(plan, targets.gateway);
  const afterLoad = residentMegabytes(gateway.child.pid);
  await Bun.sleep(10_000);
  const rested = residentMegabytes(gateway.child.pid);
  say('one connection');
  const singleTargets = { ...targets, floor: floors.json };
  const few = { ...plan, settings: { ...settings, rounds: Math.min(settings.rounds, roundsAlone) } };
  const singleApart = await compare(few, singleTargets, 'json', roundsAlone, alone);
  move(upstream.pid, place.gateway);
  const single = await compare(few, singleTargets, 'json', roundsAlone, { ...alone, cores: place.gateway });
  move(upstream.pid, place.upstream);
  const soaked = settings.soak ? await soak(plan, gateway, targets.gateway) : { soak: null, soaking: null, afterSoak: null };
  const memory = { idle, afterLoad, rested, soaking: soaked.soaking, afterSoak: soaked.afterSoak };
  return {
    variants: floors.variants,
    json,
    stream,
    apart,
    ways,
    single,
    singleApart,
    firstStart,
    starts,
    commands,
    memory,
    soak: soaked.soak,
    stages,
  };
}

async function measureWays(bench: Bench, chat: Target): Promise<Measurements['ways']> {
  const crossed: Target = { ...chat, modelOf: messagesReferenceTo };
  const targets = { chat, messages: { ...crossed, form: 'messages' as const }, crossed };
  await warmUp(bench, [targets.messages, targets.crossed]);
  bench.say(`${connections} connections, JSON of both protocols`);
  const json = await compareWays(bench, targets, 'json');
  bench.say(`${connections} connections, streams of both protocols`);
  return { json, stream: await compareWays(bench, targets, 'stream') };
}

/** Until little is compiled any more: a server runs for weeks. */
async function warmUp(bench: Bench, targets: readonly Target[]): Promise<void> {
  const warmSeconds = bench.settings.warmSeconds / 2;
  for (const target of new Set(targets)) {
    for (const kind of ['json', 'stream'] as const) await load(bench, target, kind, { warmSeconds, seconds: 1 });
  }
}

/** Starts into an empty home, is configured, and starts again and again; the last one stays. */
async function timeStarts(
  plan: GatewayPlan,
  count: number,
  configureFirst: (gateway: Gateway) => Promise<void>,
): Promise<{ readonly gateway: Gateway; readonly firstStart: number; readonly starts: readonly number[] }> {
  let gateway = await startGateway(plan);
  const firstStart = gateway.readyMs;
  await configureFirst(gateway);
  const starts: number[] = [];
  while (starts.length < count) {
    await gateway.child.end();
    gateway = await startGateway(plan);
    starts.push(gateway.readyMs);
  }
  return { gateway, firstStart, starts };
}

/** In turn, so that a machine that drifts hits both. */
async function timeCommands(plan: GatewayPlan, count: number): Promise<Measurements['commands']> {
  const commands = { version: [] as number[], help: [] as number[] };
  for (let round = 0; round < count; round++) {
    commands.version.push(await timeCommand(plan, '--version'));
    commands.help.push(await timeCommand(plan, '--help'));
  }
  return commands;
}

async function soak(
  bench: Bench,
  gateway: Gateway,
  target: Target,
): Promise<{ readonly soak: LoadResult; readonly soaking: number; readonly afterSoak: number }> {
  bench.say(`${soakStreams} slow streams at once`);
  const job: LoadJob = {
    port: target.port,
    token: target.token,
    model: target.modelOf(models.slow),
    kind: 'slow',
    form: 'chat',
    connections: soakStreams,
    warmSeconds: 0,
    seconds: soakLimitSeconds,
    once: true,
  };
  const running = runPart<LoadResult>(part('load'), job, bench.place.load);
  await Bun.sleep(20_000);
  const soaking = residentMegabytes(gateway.child.pid);
  const result = await running;
  return { soak: result, soaking, afterSoak: residentMegabytes(gateway.child.pid) };
}
