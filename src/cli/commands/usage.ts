/** `ola usage`: what was used, in all and by provider, model, token or project. */
import { isObject } from '../../core/json.ts';
import { callApi, unexpected } from '../api.ts';
import { bar, sparkline } from '../bars.ts';
import { command } from '../command.ts';
import { configOption } from '../config-session.ts';
import { exitCodes, type Terminal } from '../ports.ts';
import { jsonText, pairs, printable, table, widthOf } from '../text.ts';
import { choice, flag, json, wholeNumber } from '../values.ts';

const failure = 'the usage cannot be shown';
/** Lines of the table; --json has all. */
const mostLines = 20;
/** Columns of the largest bar. */
const barWidth = { least: 6, most: 30 };

/** The list of the answer that each word of `--by` shows, and how a line of it is called. */
const views = {
  provider: { list: 'providers', label: ({ provider }: Item) => words(provider) },
  model: { list: 'models', label: ({ provider, model }: Item) => (provider === null ? words(model) : `${provider}/${model}`) },
  token: { list: 'tokens', label: ({ token, name }: Item) => words(name ?? token) },
  project: { list: 'projects', label: ({ project }: Item) => words(project) },
} as const;
type Item = Readonly<Record<string, unknown>>;
const words = (value: unknown) => (value === null ? '(none)' : String(value));

export const usage = command({
  path: ['usage'],
  onDemo: 'follows',
  summary: 'Show requests, tokens, cost and errors',
  description:
    'Counts every request for an answer. --days 1 is the last 24 hours, more are days of UTC with today as the last. A cost is an estimate by list prices.',
  options: {
    days: wholeNumber('DAYS', 'how far back, for example 1, 7 or 30', { initial: 7, from: 1, to: 365 }),
    today: flag('since midnight, by the clock of this machine', { conflicts: ['days'] }),
    by: choice('WHAT', 'what a line of the table is', { of: ['provider', 'model', 'token', 'project'], initial: 'provider' }),
    config: configOption,
    json,
  },
  arguments: {},
  examples: [
    { command: 'ola usage', note: 'the last seven days, by provider' },
    { command: 'ola usage --today --by token', note: 'who used it today' },
    { command: 'ola usage --days 30 --by model --json', note: 'for scripts' },
  ],
  async run({ ports }, { days, today, by, config: configFile, json: asJson }) {
    const since = today ? `&since=${midnight(ports.now())}` : '';
    const path = `/config/usage/overview?days=${today ? 1 : days}${since}&recent_limit=1`;
    const body = await callApi(ports, { method: 'GET', path, failure, configFile });
    const found = readOverview(body, by);
    if (asJson) ports.terminal.out(jsonText(body));
    else if (found.all.requests === 0) ports.terminal.err(`No requests ${period(days, today)}.\n`);
    else ports.terminal.out(report(found, `Usage ${period(days, today)}`, by, ports.terminal));
    return exitCodes.ok;
  },
});

function midnight(now: number): string {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  return day.toISOString();
}

function period(days: number, today: boolean): string {
  if (today) return 'today';
  return days === 1 ? 'in the last 24 hours' : `in the last ${days} days`;
}

interface Counts {
  readonly requests: number;
  readonly errors: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  /** US dollars; null when no price is known. */
  readonly total_cost: number | null;
  readonly unpriced_requests: number;
  readonly avg_latency_ms: number;
}

interface Overview {
  readonly all: Counts;
  readonly lines: readonly (Counts & { readonly label: string })[];
  /** Requests of each hour or day. */
  readonly chart: readonly number[];
  readonly unit: 'hour' | 'day';
}

/** @throws Failure when the answer is not the one of the route */
function readOverview(body: unknown, by: keyof typeof views): Overview {
  const { list, label } = views[by];
  const { summary, chart, [list]: items } = isObject(body) ? body : {};
  const { labels, requests } = isObject(chart) ? chart : {};
  if (!Array.isArray(items) || !Array.isArray(labels) || !Array.isArray(requests)) throw unexpected(failure);
  const lines = items.map((item: unknown) => ({ ...readCounts(item), label: printable(label(isObject(item) ? item : {})) }));
  return { all: readCounts(summary), lines, chart: requests.map(Number), unit: String(labels[0]).length > 10 ? 'hour' : 'day' };
}

function readCounts(value: unknown): Counts {
  const item: Item = isObject(value) ? value : {};
  const number = (name: keyof Counts) => {
    const found = item[name];
    if (typeof found !== 'number') throw unexpected(failure);
    return found;
  };
  return {
    requests: number('requests'),
    errors: number('errors'),
    prompt_tokens: number('prompt_tokens'),
    completion_tokens: number('completion_tokens'),
    total_cost: item['total_cost'] === null ? null : number('total_cost'),
    unpriced_requests: number('unpriced_requests'),
    avg_latency_ms: number('avg_latency_ms'),
  };
}

function report({ all, lines, chart, unit }: Overview, title: string, by: string, terminal: Terminal): string {
  const { columns, unicode } = terminal;
  const errors = all.errors === 0 ? '' : `, ${count(all.errors)} with an error`;
  const facts: [string, string][] = [
    ['requests', `${count(all.requests)}${errors}`],
    ['tokens', `${count(all.prompt_tokens)} in, ${count(all.completion_tokens)} out`],
    ['cost', costOf(all)],
    ['latency', `${duration(all.avg_latency_ms)} on average`],
  ];
  if (columns !== null && chart.length > 1) {
    const shown = sparkline(chart, Math.min(columns - 40, 60), unicode);
    facts.push([`by ${unit}`, `${shown}  ${count(Math.max(...chart))} in the busiest ${unit}`]);
  }
  return `${title}\n\n${pairs(facts)}\n${tableOf(lines, by, terminal)}`;
}

function costOf({ total_cost, unpriced_requests, errors }: Counts): string {
  const unpriced = Math.max(0, unpriced_requests - errors);
  if (total_cost === null) return 'unknown';
  return `${dollars(total_cost)}${unpriced === 0 ? '' : `, without ${count(unpriced)} of unknown price`}`;
}

function tableOf(lines: Overview['lines'], by: string, { columns, unicode }: Terminal): string {
  const title = by.toUpperCase();
  const titles = ['REQUESTS', 'ERRORS', 'TOKENS IN', 'TOKENS OUT', 'COST', 'LATENCY'];
  const shown = lines.slice(0, mostLines);
  const cells = shown.map((line) => [
    count(line.requests),
    count(line.errors),
    count(line.prompt_tokens),
    count(line.completion_tokens),
    line.total_cost === null ? '-' : dollars(line.total_cost),
    duration(line.avg_latency_ms),
  ]);
  const right = rightAligned([titles, ...cells]);
  const labels = shown.map(({ label }) => label);
  const taken = Math.max(...[title, ...labels].map(widthOf)) + (right[0] ?? []).reduce((sum, cell) => sum + cell.length + 2, 0);
  const room = Math.min((columns ?? 0) - taken - 2, barWidth.most);
  const most = Math.max(...shown.map(({ requests }) => requests));
  const bars = room < barWidth.least ? null : shown.map(({ requests }) => bar(requests / most, room, unicode));
  const rows = labels.map((label, index) => [label, ...(right[index + 1] ?? []), ...(bars === null ? [] : [bars[index] ?? ''])]);
  const heading = [title, ...(right[0] ?? []), ...(bars === null ? [] : [''])];
  const more = lines.length - shown.length;
  return `${table(heading, rows, title, columns)}${more === 0 ? '' : `and ${count(more)} more; --json prints all\n`}`;
}

/** The cells of each column filled from the left to one width. */
function rightAligned(rows: readonly (readonly string[])[]): string[][] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)));
}

const count = (value: number) => value.toLocaleString('en-US');

/** Cents are not fine enough: a request may cost a thousandth of one. */
function dollars(value: number): string {
  if (value !== 0 && value < 0.000_1) return '<$0.0001';
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: value < 1 ? 4 : 2 })}`;
}

function duration(milliseconds: number): string {
  return milliseconds < 10_000 ? `${count(milliseconds)} ms` : `${count(Math.round(milliseconds / 1000))} s`;
}
