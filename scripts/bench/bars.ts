/** Owns the bars: what has to hold on the machine that measures, as data. */
import { type Measurements, soakStreams } from './measure.ts';
import { connections, medianLatency, p99Of, rateOf } from './rounds.ts';
import { spread } from './statistics.ts';
import { chunksTogether } from './traffic.ts';

export interface Bar {
  readonly name: string;
  readonly limit: string;
  /** Null when it was left out of this run. */
  readonly measured: (numbers: Measurements) => number | null;
  readonly holds: (value: number) => boolean;
  readonly show: (value: number) => string;
}

export interface Verdict {
  readonly name: string;
  readonly limit: string;
  readonly measured: string;
  readonly verdict: 'pass' | 'fail' | 'not measured';
}

const atMost = (limit: number) => (value: number) => value <= limit;
const below = (limit: number) => (value: number) => value < limit;
const atLeast = (limit: number) => (value: number) => value >= limit;

export const bars: readonly Bar[] = [
  {
    name: `JSON at ${connections} connections, gateway / floor`,
    limit: '>= 0.8',
    measured: ({ json }) => rateOf(json.gateway) / rateOf(json.floor),
    holds: atLeast(0.8),
    show: (value) => value.toFixed(3),
  },
  {
    name: `streams at ${connections} connections, gateway / floor`,
    limit: '>= 0.8',
    measured: ({ stream }) => rateOf(stream.gateway) / rateOf(stream.floor),
    holds: atLeast(0.8),
    show: (value) => value.toFixed(3),
  },
  {
    name: `streams at ${connections} connections, ${chunksTogether} chunks at a time, gateway / floor`,
    limit: '>= 0.8',
    measured: ({ apart }) => rateOf(apart.gateway) / rateOf(apart.floor),
    holds: atLeast(0.8),
    show: (value) => value.toFixed(3),
  },
  {
    name: 'JSON of `/v1/messages` / of chat',
    limit: '>= 0.95',
    measured: ({ ways }) => rateOf(ways.json.messages) / rateOf(ways.json.chat),
    holds: atLeast(0.95),
    show: (value) => value.toFixed(3),
  },
  {
    name: 'streams of `/v1/messages` / of chat',
    limit: '>= 0.95',
    measured: ({ ways }) => rateOf(ways.stream.messages) / rateOf(ways.stream.chat),
    holds: atLeast(0.95),
    show: (value) => value.toFixed(3),
  },
  {
    name: 'JSON, chat over an Anthropic upstream / over its own',
    limit: '>= 0.7',
    measured: ({ ways }) => rateOf(ways.json.crossed) / rateOf(ways.json.chat),
    holds: atLeast(0.7),
    show: (value) => value.toFixed(3),
  },
  {
    name: 'streams, chat over an Anthropic upstream / over its own',
    limit: '>= 0.6',
    measured: ({ ways }) => rateOf(ways.stream.crossed) / rateOf(ways.stream.chat),
    holds: atLeast(0.6),
    show: (value) => value.toFixed(3),
  },
  {
    name: `p99 of JSON at ${connections} connections, warm, gateway / floor`,
    limit: '<= 1.6',
    measured: ({ json }) => p99Of(json.gateway) / p99Of(json.floor),
    holds: atMost(1.6),
    show: (value) => value.toFixed(2),
  },
  {
    name: 'one connection on one core, median added to direct',
    limit: '<= 100 µs',
    measured: ({ single }) => medianLatency(single.gateway) - medianLatency(single.direct),
    holds: atMost(100),
    show: (value) => `${value.toFixed(0)} µs`,
  },
  {
    name: 'start to ready, median',
    limit: '<= 180 ms',
    measured: ({ starts }) => spread(starts).median,
    holds: atMost(180),
    show: (value) => `${value.toFixed(0)} ms`,
  },
  {
    name: '`ola --version`, median',
    limit: '< 40 ms',
    measured: ({ commands }) => spread(commands.version).median,
    holds: below(40),
    show: (value) => `${value.toFixed(0)} ms`,
  },
  {
    name: '`ola --help`, median',
    limit: '< 90 ms',
    measured: ({ commands }) => spread(commands.help).median,
    holds: below(90),
    show: (value) => `${value.toFixed(0)} ms`,
  },
  {
    name: 'memory, idle for 5 s',
    limit: '< 110 MB',
    measured: ({ memory }) => memory.idle,
    holds: below(110),
    show: (value) => `${value.toFixed(0)} MB`,
  },
  {
    name: 'memory after load, at its highest',
    limit: '< 250 MB',
    measured: ({ memory }) => Math.max(memory.afterLoad, memory.rested, memory.soaking ?? 0, memory.afterSoak ?? 0),
    holds: below(250),
    show: (value) => `${value.toFixed(0)} MB`,
  },
  {
    name: `${soakStreams} streams of 30 s at once, complete`,
    limit: String(soakStreams),
    measured: ({ soak }) => (soak === null ? null : soak.completed),
    holds: atLeast(soakStreams),
    show: String,
  },
];

/** Every bar against the numbers, in the order of the table. */
export function judge(numbers: Measurements): Verdict[] {
  return bars.map(({ name, limit, measured, holds, show }) => {
    const value = measured(numbers);
    if (value === null) return { name, limit, measured: '', verdict: 'not measured' };
    return { name, limit, measured: show(value), verdict: holds(value) ? 'pass' : 'fail' };
  });
}
