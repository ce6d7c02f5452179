/** Usage as it stands on the wire: the period that a request asks for, and the replies, in snake_case. */
import { type Static, Type } from '@sinclair/typebox';
import { OlaError } from '../core/errors.ts';
import { noUsage, type UsageCounts, type UsageRow } from '../core/usage.ts';
import { addUsage, groupUsage, type UsageReport, type UsageWindow } from '../gateway/records/usage-report.ts';

/** The parameters of the query. */
export const usageQuery = {
  days: Type.Integer({ minimum: 1, maximum: 365, default: 30 }),
  since: Type.String({ format: 'date-time' }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
  recent_limit: Type.Integer({ minimum: 1, maximum: 500, default: 20 }),
};

const count = (description?: string) => Type.Integer(description === undefined ? {} : { description });
const dollars = Type.Union([Type.Number(), Type.Null()], { description: 'US dollars; null: no price is known' });
const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

const countFields = {
  requests: count(),
  errors: count('requests that did not end with a complete answer'),
  prompt_tokens: count(),
  completion_tokens: count(),
  total_tokens: count(),
  total_cost: dollars,
  unpriced_requests: count('requests that are not in `total_cost`: no price is known, or nothing was answered'),
  avg_latency_ms: count('from the arrival of a request to the end of its answer; 0 without requests'),
};
const days = Type.Integer({ description: 'the days that were asked for' });
export const summarySchema = Type.Object(
  { days, from: Type.String({ format: 'date-time', description: 'the first hour that counts' }), ...countFields },
  { $id: 'UsageSummary' },
);
export const chartSchema = Type.Object(
  {
    labels: Type.Array(Type.String(), {
      description: 'days of UTC, `2026-11-21`; hours for up to two days, `2026-11-21T10:00Z`',
    }),
    requests: Type.Array(count()),
    tokens: Type.Array(count()),
    cost: Type.Array(Type.Number(), { description: 'US dollars, of the requests whose price is known' }),
    latency: Type.Array(count('milliseconds on average')),
  },
  { $id: 'UsageChart', description: 'Lists of one length: an item for each label.' },
);

/** The breakdowns by the name of their list: the fields of an item, each with the field of usage that it shows. */
export const breakdowns = {
  providers: { provider: 'provider' },
  models: { model: 'model', provider: 'provider' },
  endpoints: { endpoint: 'endpoint' },
  sources: { source: 'source' },
  profiles: { profile: 'profile' },
  projects: { project: 'project' },
} as const;
export type Breakdown = keyof typeof breakdowns;

const keyWords: Readonly<Record<string, string>> = {
  provider: 'null: no provider was found for the request',
  model: 'as the provider calls it; null: no model was found for the request',
  endpoint: 'the route that was called',
  source: 'where the credential came from: `profile:ID`, `env:NAME`, `provider-config`, `none`',
  profile: 'null: the credential has none',
  project: 'the project of the token; null: it has none',
};

export function breakdownSchema(by: Breakdown) {
  const keys = Object.keys(breakdowns[by]).map((key) => [key, nullable(keyWords[key] ?? key)]);
  return Type.Array(Type.Object({ ...Object.fromEntries(keys), ...countFields }));
}
export const tokensSchema = Type.Array(
  Type.Object({
    token: Type.String({
      description: 'the id of the token; for callers without one `legacy-admin`, `proxy-key`, `local` or such',
    }),
    name: nullable('the name of the token'),
    ...countFields,
  }),
);

const servedFields = {
  started_at: Type.String({ format: 'date-time' }),
  provider: nullable('who answered'),
  model: nullable('as the provider calls it'),
  profile: nullable('the auth profile'),
  source: nullable('where the credential came from'),
  status: count('499: the client left first'),
  error: nullable('the code of the error'),
};
const tokensOrNull = Type.Union([count(), Type.Null()], { description: 'null: not reported' });
export const recentSchema = Type.Object(
  {
    request_id: Type.String(),
    token: Type.String({ description: 'as in the list of tokens' }),
    project: nullable('the project of the token'),
    endpoint: Type.String(),
    requested: Type.String({ description: 'the model as the client wrote it' }),
    ...servedFields,
    stream: Type.Boolean(),
    failed_attempts: count('tries that came to nothing'),
    prompt_tokens: tokensOrNull,
    completion_tokens: tokensOrNull,
    total_cost: dollars,
    first_byte_ms: Type.Union([count(), Type.Null()]),
    latency_ms: count(),
  },
  { $id: 'UsageRequest' },
);
export const providerMetaSchema = Type.Union([Type.Object(servedFields), Type.Null()], {
  description: 'the newest request that reached a provider',
});
export const telemetrySchema = Type.Object({
  days,
  providers: Type.Array(
    Type.Object({ provider: nullable('the provider'), error_rate: Type.Number({ minimum: 0, maximum: 1 }), ...countFields }),
  ),
});

const hourMs = 3_600_000;
const hoursOfDay = 24;
/** Longest period whose chart shows hours, in hours. */
const mostChartHours = 48;

/** What a query asks for. `clamped` names the numbers that were out of range: `days=365`. */
export interface Asked {
  readonly days: number;
  readonly window: UsageWindow;
  readonly limit: number;
  readonly clamped: readonly string[];
}

/**
 * One day is the last 24 hours; several are days of UTC, today the last of them.
 * @param limitName of the parameter that limits a list of requests
 * @throws OlaError `invalid_field`
 */
export function readUsageQuery(url: string, now: number, limitName: 'limit' | 'recent_limit', defaultDays = 30): Asked {
  const query = new URL(url).searchParams;
  const clamped: string[] = [];
  const number = (name: 'days' | 'limit' | 'recent_limit', initial: number) => {
    const { minimum = 1, maximum = 1 } = usageQuery[name];
    return wholeNumber(name, query.get(name) ?? String(initial), [minimum, maximum], clamped);
  };
  const days = number('days', defaultDays);
  const limit = number(limitName, Number(usageQuery[limitName].default));
  const to = Math.floor(now / hourMs) + 1;
  const firstDay = Math.floor(now / hourMs / hoursOfDay) - days + 1;
  const from = sinceOf(query.get('since')) ?? (days === 1 ? to - hoursOfDay : firstDay * hoursOfDay);
  return { days, window: { from, to }, limit, clamped };
}

function wholeNumber(name: string, text: string, [least, most]: readonly [number, number], clamped: string[]): number {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : null;
  if (value === null)
    throw new OlaError('invalid_field', `'${name}' must be a whole number from ${least} to ${most}.`, { param: name });
  const within = Math.min(Math.max(value, least), most);
  if (within !== value) clamped.push(`${name}=${within}`);
  return within;
}

/** The hour of a time; null when none is given. */
function sinceOf(text: string | null): number | null {
  if (text === null) return null;
  const at = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!(at >= 0)) {
    throw new OlaError('invalid_field', "'since' must be a time in ISO 8601: 2026-11-21T00:00:00Z.", { param: 'since' });
  }
  return Math.floor(at / hourMs);
}

export function summaryOf({ total, window }: UsageReport, asked: number): Static<typeof summarySchema> {
  return { days: asked, from: new Date(window.from * hourMs).toISOString(), ...countsOf(total) };
}

function countsOf(counts: UsageCounts) {
  const { requests, errors, promptTokens, completionTokens, priced } = counts;
  return {
    requests,
    errors,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    total_cost: priced === 0 ? null : inDollars(counts.costMicros),
    unpriced_requests: requests - priced,
    avg_latency_ms: average(counts),
  };
}

const inDollars = (micros: number) => micros / 1_000_000;
const average = ({ requests, latencyMs }: UsageCounts) => (requests === 0 ? 0 : Math.round(latencyMs / requests));

export function chartOf({ window, hours }: UsageReport): Static<typeof chartSchema> {
  const byHour = window.to - window.from <= mostChartHours;
  const chart = {
    labels: [] as string[],
    requests: [] as number[],
    tokens: [] as number[],
    cost: [] as number[],
    latency: [] as number[],
  };
  const width = byHour ? 1 : hoursOfDay;
  for (let start = byHour ? window.from : window.from - (window.from % width); start < window.to; start += width) {
    const time = new Date(start * hourMs).toISOString();
    let sum = noUsage;
    for (let hour = start; hour < start + width; hour++) sum = addUsage(sum, hours.get(hour) ?? noUsage);
    chart.labels.push(byHour ? `${time.slice(0, 16)}Z` : time.slice(0, 10));
    chart.requests.push(sum.requests);
    chart.tokens.push(sum.promptTokens + sum.completionTokens);
    chart.cost.push(inDollars(sum.costMicros));
    chart.latency.push(average(sum));
  }
  return chart;
}

export function breakdownOf(report: UsageReport, by: Breakdown) {
  const fields = Object.entries(breakdowns[by]);
  return groupUsage(
    report,
    fields.map(([, field]) => field),
  ).map((group) => ({ ...Object.fromEntries(fields.map(([key, field]) => [key, group[field]])), ...countsOf(group) }));
}

/** @param nameOf the name of a token by its id */
export function tokensOf(report: UsageReport, nameOf: (id: string) => string | null): Static<typeof tokensSchema> {
  return groupUsage(report, ['tokenId', 'subject']).map((group) => ({
    token: group.tokenId ?? group.subject,
    name: group.tokenId === null ? null : nameOf(group.tokenId),
    ...countsOf(group),
  }));
}

export function telemetryOf(report: UsageReport, asked: number): Static<typeof telemetrySchema> {
  const providers = groupUsage(report, ['provider']).map((group) => ({
    provider: group.provider,
    error_rate: group.errors / group.requests,
    ...countsOf(group),
  }));
  return { days: asked, providers: providers.filter(({ provider }) => provider !== null) };
}

export function requestOf(row: UsageRow): Static<typeof recentSchema> {
  return {
    request_id: row.requestId,
    token: row.tokenId ?? row.subject,
    project: row.project,
    endpoint: row.endpoint,
    requested: row.requested,
    started_at: new Date(row.startedAt).toISOString(),
    provider: row.provider,
    model: row.model,
    profile: row.profile,
    source: row.source,
    stream: row.stream,
    status: row.status,
    error: row.error,
    failed_attempts: row.attempts?.length ?? 0,
    prompt_tokens: row.tokens.prompt,
    completion_tokens: row.tokens.completion,
    total_cost: row.costMicros === null ? null : inDollars(row.costMicros),
    first_byte_ms: row.firstByteMs,
    latency_ms: row.latencyMs,
  };
}

export function providerMetaOf(rows: readonly UsageRow[]): Static<typeof providerMetaSchema> {
  const newest = rows.find(({ provider }) => provider !== null);
  if (newest === undefined) return null;
  const { started_at, provider, model, profile, source, status, error } = requestOf(newest);
  return { started_at, provider, model, profile, source, status, error };
}
