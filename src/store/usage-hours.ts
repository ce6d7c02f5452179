/** Usage added up by hour and kind, in the transaction that writes the rows: a report reads these sums instead of every row. */
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { noUsage, type UsageCounts, type UsageHour, type UsagePlace, type UsageRow } from '../core/usage.ts';
import { integer, numberOf, textOf, textOrNull } from './columns.ts';

/** Ids of usage rows per millisecond. They stay below 2^53 until the year 2248. */
export const idsPerMillisecond = 1024;

const idsPerHour = 3_600_000 * idsPerMillisecond;

/** The hour of a time. @param at milliseconds since 1970 */
export function hourOf(at: number): number {
  return Math.floor(at / 3_600_000);
}

/** A row, as it was inserted. */
export interface InsertedUsage {
  readonly row: UsageRow;
  readonly kind: number;
  /** The id of the row, which says its hour. */
  readonly id: number;
}

/** Sums stop there: see the table in schema.ts. */
const most = Number.MAX_SAFE_INTEGER;

const sums = ['prompt_tokens', 'completion_tokens', 'cost_micros', 'latency_ms'];
const add = (column: string) => `${column} = min(max(${column} + excluded.${column}, -${most}), ${most})`;
const upsert = `INSERT INTO usage_hours
  (hour, kind, requests, errors, prompt_tokens, completion_tokens, priced, cost_micros, latency_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (hour, kind) DO UPDATE SET requests = requests + excluded.requests, errors = errors + excluded.errors,
    priced = priced + excluded.priced, ${sums.map(add).join(', ')}`;

/** The primary key finds the place, so a slice reads its own rows alone. */
const selectAfter = `SELECT usage_hours.*, endpoint, provider, model, profile, source, project, subject, token_id
  FROM usage_hours JOIN usage_kinds ON usage_kinds.id = usage_hours.kind
  WHERE (usage_hours.hour, usage_hours.kind) > (?, ?) ORDER BY usage_hours.hour, usage_hours.kind LIMIT ?`;

type Sums = { -readonly [field in keyof UsageCounts]: number };

/** Adds the rows of the open transaction. Rows of one hour and kind are added up here first: most batches have few kinds. */
export function addToHours(database: SqlDatabase, rows: readonly InsertedUsage[]): void {
  const groups = new Map<string, Sums & UsagePlace>();
  let group: (Sums & UsagePlace) | null = null;
  for (const { row, kind, id } of rows) {
    const hour = Math.floor(id / idsPerHour);
    if (group === null || group.hour !== hour || group.kind !== kind) {
      const key: string = `${hour} ${kind}`;
      group = groups.get(key) ?? { hour, kind, ...noUsage };
      groups.set(key, group);
    }
    addRow(group, row);
  }
  const statement = database.prepare(upsert);
  for (const { hour, kind, requests, errors, promptTokens, completionTokens, priced, costMicros, latencyMs } of groups.values()) {
    statement.run(hour, kind, requests, errors, promptTokens, completionTokens, priced, costMicros, latencyMs);
  }
}

function addRow(group: Sums, { error, tokens, costMicros, latencyMs }: UsageRow): void {
  const cost = integer(costMicros);
  group.requests++;
  if (error !== null) group.errors++;
  if (cost !== null) group.priced++;
  group.promptTokens = sum(group.promptTokens, integer(tokens.prompt));
  group.completionTokens = sum(group.completionTokens, integer(tokens.completion));
  group.costMicros = sum(group.costMicros, cost);
  group.latencyMs = sum(group.latencyMs, integer(latencyMs));
}

function sum(before: number, more: number | null): number {
  return Math.min(Math.max(before + (more ?? 0), -most), most);
}

export function hoursAfter(database: SqlDatabase, { hour, kind }: UsagePlace, limit: number): UsageHour[] {
  return database.prepare(selectAfter).all(hour, kind, limit).map(toHour);
}

function toHour(row: SqlRow): UsageHour {
  return {
    hour: numberOf(row, 'hour'),
    kind: numberOf(row, 'kind'),
    endpoint: textOf(row, 'endpoint'),
    provider: textOrNull(row, 'provider'),
    model: textOrNull(row, 'model'),
    profile: textOrNull(row, 'profile'),
    source: textOrNull(row, 'source'),
    project: textOrNull(row, 'project'),
    subject: textOf(row, 'subject'),
    tokenId: textOrNull(row, 'token_id'),
    requests: numberOf(row, 'requests'),
    errors: numberOf(row, 'errors'),
    promptTokens: numberOf(row, 'prompt_tokens'),
    completionTokens: numberOf(row, 'completion_tokens'),
    priced: numberOf(row, 'priced'),
    costMicros: numberOf(row, 'cost_micros'),
    latencyMs: numberOf(row, 'latency_ms'),
  };
}
