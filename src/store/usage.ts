/** Usage rows in the order of time. The row id is made from the time, so that an append changes only one tree. */
import type { SqlDatabase, SqlRow, SqlStatement } from '../core/ports.ts';
import type { AttemptRecord, UsageRow, UsageStore } from '../core/usage.ts';
import { integer, jsonOf, numberOf, numberOrNull, textOf, textOrNull } from './columns.ts';
import { batching, reading } from './transaction.ts';
import { addToHours, hoursAfter, type InsertedUsage, idsPerMillisecond } from './usage-hours.ts';
import { kindColumns, usageKinds } from './usage-kinds.ts';

const insert = `INSERT INTO usage
  (id, kind, request_id, status, error, prompt_tokens, completion_tokens, cache_read_tokens, cache_write_tokens,
   reasoning_tokens, cost_micros, first_byte_ms, latency_ms, attempts, stop)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO NOTHING`;
const selectNewest = `SELECT usage.*, ${kindColumns}
  FROM usage JOIN usage_kinds ON usage_kinds.id = usage.kind WHERE usage.id < ? ORDER BY usage.id DESC LIMIT ?`;

/** Rows that are searched for a request id, the newest: without an index on it, so that a write costs less. Some milliseconds. */
const mostSearched = 100_000;
const selectRequest = `SELECT usage.*, ${kindColumns}
  FROM usage JOIN usage_kinds ON usage_kinds.id = usage.kind
  WHERE usage.id = (SELECT id FROM (SELECT id, request_id FROM usage ORDER BY id DESC LIMIT ?2) WHERE request_id = ?1 ORDER BY id DESC LIMIT 1)`;

/** Writes usage rows and adds them up by hour. Its cache of kinds is shared by all writers on the connection. */
export interface UsageWriter {
  /** Adds rows to the open transaction. */
  insert(rows: readonly UsageRow[]): void;
  /** Clears the cache of kinds. Call it when the transaction was rolled back and when kinds were deleted. */
  forget(): void;
}

export function usageWriter(database: SqlDatabase): UsageWriter {
  const kinds = usageKinds(database);
  return {
    insert(rows) {
      const statement = database.prepare(insert);
      const inserted: InsertedUsage[] = [];
      let last = 0;
      for (const row of rows) {
        const kind = kinds.idOf(row);
        last = insertRow(statement, row, kind, last);
        inserted.push({ row, kind, id: last });
      }
      addToHours(database, inserted);
    },
    forget: kinds.forget,
  };
}

export function usageStore(database: SqlDatabase, writer: UsageWriter): UsageStore {
  return {
    async append(rows) {
      if (rows.length === 0) return;
      try {
        batching(database, () => writer.insert(rows));
      } catch (error) {
        writer.forget();
        throw error;
      }
    },
    async recent(limit) {
      return reading(() => database.prepare(selectNewest).all(Number.MAX_SAFE_INTEGER, limit).map(toUsage));
    },
    async page(limit, before) {
      const rows = reading(() => database.prepare(selectNewest).all(before ?? Number.MAX_SAFE_INTEGER, limit));
      return rows.map((row) => ({ place: numberOf(row, 'id'), row: toUsage(row) }));
    },
    async find(requestId) {
      const row = reading(() => database.prepare(selectRequest).get(requestId, mostSearched));
      return row === undefined ? null : toUsage(row);
    },
    async hours(after, limit) {
      return reading(() => hoursAfter(database, after, limit));
    },
  };
}

/**
 * Inserts a row under the first free id of its millisecond; when all 1024 are taken, under one of the next millisecond.
 * @param last id of the row before, because rows of the same millisecond mostly come together
 */
function insertRow(statement: SqlStatement, row: UsageRow, kind: number, last: number): number {
  const start = Math.trunc(row.startedAt) * idsPerMillisecond;
  let id = last >= start && last < start + idsPerMillisecond ? last + 1 : start;
  while (!insertAt(statement, id, kind, row)) id++;
  return id;
}

/** @returns true when the id was free */
function insertAt(statement: SqlStatement, id: number, kind: number, row: UsageRow): boolean {
  const { tokens } = row;
  const { changes } = statement.run(
    id,
    kind,
    row.requestId,
    row.status,
    row.error,
    integer(tokens.prompt),
    integer(tokens.completion),
    integer(tokens.cacheRead),
    integer(tokens.cacheWrite),
    integer(tokens.reasoning),
    integer(row.costMicros),
    integer(row.firstByteMs),
    integer(row.latencyMs) ?? 0,
    row.attempts === null ? null : JSON.stringify(row.attempts),
    row.stop ?? null,
  );
  return changes > 0;
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
    ...(row['stop'] === null ? {} : { stop: textOf(row, 'stop') }),
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

/** The attempts of a row, as `insertAt` wrote them. */
function toAttempts(row: SqlRow): AttemptRecord[] {
  return jsonOf(row, 'attempts') as AttemptRecord[];
}
