/** Usage rows, in the order of time: the row id is made from the time, so that an append touches one tree only. */
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from '../core/ports.ts';
import type { AttemptRecord, UsageRow, UsageStore } from '../core/usage.ts';
import { jsonOf, numberOf, numberOrNull, textOf, textOrNull } from './columns.ts';
import { batching, reading } from './transaction.ts';

/** Ids a millisecond has; below 2^53 until the year 2248. */
const idsPerMillisecond = 1024;

const insert = `INSERT INTO usage
  (id, request_id, subject, token_id, project, client, endpoint, requested, provider, model, profile, source,
   stream, status, error, prompt_tokens, completion_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
   cost_micros, price_version, first_byte_ms, latency_ms, attempts)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO NOTHING`;
const selectNewest = 'SELECT * FROM usage ORDER BY id DESC LIMIT ?';

export function usageStore(database: SqlDatabase): UsageStore {
  return {
    async append(rows) {
      if (rows.length === 0) return;
      batching(database, () => {
        const statement = database.prepare(insert);
        let last = 0;
        for (const row of rows) last = insertRow(statement, row, last);
      });
    },
    async recent(limit) {
      return reading(() => database.prepare(selectNewest).all(limit).map(toUsage));
    },
  };
}

/**
 * Inserts under the first free id of the row's millisecond; when all 1024 are taken, of the next.
 * @param last the id of the row before: rows of one millisecond mostly come together
 */
function insertRow(statement: SqlStatement, row: UsageRow, last: number): number {
  const start = Math.trunc(row.startedAt) * idsPerMillisecond;
  let id = last >= start && last < start + idsPerMillisecond ? last + 1 : start;
  const values = columns(row);
  while (statement.run(id, ...values).changes === 0) id++;
  return id;
}

/** The columns after the id, in the order of `insert`. */
function columns(row: UsageRow): SqlValue[] {
  const { tokens } = row;
  return [
    row.requestId,
    row.subject,
    row.tokenId,
    row.project,
    row.client,
    row.endpoint,
    row.requested,
    row.provider,
    row.model,
    row.profile,
    row.source,
    row.stream ? 1 : 0,
    row.status,
    row.error,
    integer(tokens.prompt),
    integer(tokens.completion),
    integer(tokens.cacheRead),
    integer(tokens.cacheWrite),
    integer(tokens.reasoning),
    integer(row.costMicros),
    row.priceVersion,
    integer(row.firstByteMs),
    integer(row.latencyMs) ?? 0,
    row.attempts === null ? null : JSON.stringify(row.attempts),
  ];
}

/**
 * Durations have fractions, and counts come from upstreams that may report anything: one number that the table refuses
 * would lose the rows of everybody else in the batch.
 */
function integer(value: number | null): number | null {
  const rounded = Math.round(value ?? Number.NaN);
  return Number.isSafeInteger(rounded) ? rounded : null;
}

function toUsage(row: SqlRow): UsageRow {
  return {
    startedAt: Math.floor(numberOf(row, 'id') / idsPerMillisecond),
    requestId: textOf(row, 'request_id'),
    subject: textOf(row, 'subject'),
    tokenId: textOrNull(row, 'token_id'),
    project: textOrNull(row, 'project'),
    client: textOrNull(row, 'client'),
    endpoint: textOf(row, 'endpoint'),
    requested: textOf(row, 'requested'),
    provider: textOrNull(row, 'provider'),
    model: textOrNull(row, 'model'),
    profile: textOrNull(row, 'profile'),
    source: textOrNull(row, 'source'),
    stream: numberOf(row, 'stream') === 1,
    status: numberOf(row, 'status'),
    error: textOrNull(row, 'error'),
    tokens: {
      prompt: numberOrNull(row, 'prompt_tokens'),
      completion: numberOrNull(row, 'completion_tokens'),
      cacheRead: numberOrNull(row, 'cache_read_tokens'),
      cacheWrite: numberOrNull(row, 'cache_write_tokens'),
      reasoning: numberOrNull(row, 'reasoning_tokens'),
    },
    costMicros: numberOrNull(row, 'cost_micros'),
    priceVersion: textOrNull(row, 'price_version'),
    firstByteMs: numberOrNull(row, 'first_byte_ms'),
    latencyMs: numberOf(row, 'latency_ms'),
    attempts: row['attempts'] === null ? null : toAttempts(row),
  };
}

/** Written by `columns`, from attempts. */
function toAttempts(row: SqlRow): AttemptRecord[] {
  return jsonOf(row, 'attempts') as AttemptRecord[];
}
