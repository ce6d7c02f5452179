/** Data of the predecessor, the original program, in ola's own shapes: its configuration, its task rows, its usage rows. Pure. */
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { foldNames } from '../../core/field-names.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { parseJsonc } from '../../core/jsonc.ts';
import type { SqlRow, SqlValue } from '../../core/ports.ts';
import type { Warning } from '../../core/schema.ts';
import type { TaskAction, TaskOwner } from '../../core/tasks.ts';
import type { UsageRow } from '../../core/usage.ts';
import type { ImportedToken } from '../access/imported-tokens.ts';
import { type ReadContext, readDocument } from './read-document.ts';

export interface PredecessorDocument {
  readonly document: JsonObject;
  readonly tokens: readonly ImportedToken[];
  /** The database that the document names for its tasks; null when it names none. */
  readonly database: string | null;
  readonly warnings: readonly Warning[];
}

export interface PredecessorRows<T> {
  /** Rows that could be taken over. */
  readonly rows: readonly T[];
  /** The number of rows that could not. */
  readonly unusable: number;
}

/** From an alias of a provider to its id. */
type CanonicalId = (text: string) => string;

/**
 * Reads a configuration that the predecessor wrote: `config.json`, or one of its snapshots.
 * @throws OlaError `invalid_json`, `invalid_field`: no part of the document may be stored then
 */
export function readPredecessorDocument(text: string, context: ReadContext): PredecessorDocument {
  const given = foldNames(parseJsonc(text), documentSchema);
  if (!isObject(given)) throw new OlaError('invalid_field', 'It is not a JSON object.');
  const own = dropForeign(given as JsonObject);
  const { document, tokens, warnings } = readDocument(own.document, {}, context);
  return { document, tokens, database: own.database, warnings: [...own.warnings, ...warnings] };
}

/** Takes out settings that hold for the predecessor's own files and habits alone. */
function dropForeign(given: JsonObject): Omit<PredecessorDocument, 'tokens'> {
  const { activeProviderIds: active, durableState: durable, ...rest } = given;
  const document: Record<string, Json | undefined> = rest;
  const warnings: Warning[] = [];
  let database: string | null = null;
  if (Array.isArray(active) && active.length === 1 && active[0] === 'openai-codex') {
    const reason = 'it is dropped: a login left openai-codex there as the only provider';
    warnings.push({ path: 'activeProviderIds', reason });
  } else document['activeProviderIds'] = active;
  if (isObject(durable) && typeof durable['dbPath'] === 'string') {
    const { dbPath, ...others } = durable as JsonObject;
    document['durableState'] = others;
    database = typeof dbPath === 'string' && dbPath !== '' ? dbPath : null;
    warnings.push({ path: 'durableState.dbPath', reason: 'it is dropped: ola keeps its own database in its home' });
  } else document['durableState'] = durable;
  return { document, database, warnings };
}

/** @param rows of the predecessor's table `task_ownership`; subjects stay as they are */
export function taskOwners(rows: readonly SqlRow[], canonicalId: CanonicalId): PredecessorRows<TaskOwner> {
  return each(rows, (row) => {
    const provider = textIn(row['provider_id']);
    const taskId = textIn(row['task_id']);
    const owner = textIn(row['owner_subject']);
    if (provider === null || taskId === null || owner === null) return null;
    const createdBy = textIn(row['created_by_subject']) ?? owner;
    return { provider: canonicalId(provider), taskId, owner, createdBy, createdAt: countIn(row['created_at_ms']) ?? 0 };
  });
}

/** @param rows of the predecessor's table `task_action_history`, in their order */
export function taskActions(rows: readonly SqlRow[], canonicalId: CanonicalId): PredecessorRows<TaskAction> {
  return each(rows, (row) => {
    const provider = textIn(row['provider_id']);
    const action = textIn(row['action']);
    const at = countIn(row['created_at_ms']);
    if (provider === null || action === null || at === null) return null;
    const status = countIn(row['status_code']);
    return {
      provider: canonicalId(provider),
      taskId: textIn(row['task_id']),
      action,
      subject: textIn(row['subject']) ?? 'anonymous',
      outcome: outcomeOf(textIn(row['outcome']), status),
      idempotencyKey: textIn(row['idempotency_key']),
      status,
      reason: reasonOf(row),
      at,
    };
  });
}

const outcomes: Readonly<Record<string, TaskAction['outcome']>> = {
  applied: 'applied',
  success: 'applied',
  succeeded: 'applied',
  ok: 'applied',
  accepted: 'applied',
  completed: 'applied',
  rejected: 'rejected',
  denied: 'rejected',
  conflict: 'rejected',
};

function outcomeOf(text: string | null, status: number | null): TaskAction['outcome'] {
  const known = text === null ? undefined : Object.entries(outcomes).find(([name]) => name === text.toLowerCase())?.[1];
  if (known !== undefined) return known;
  if (text !== null || status === null) return 'failed';
  if (status < 400) return 'applied';
  return status < 500 ? 'rejected' : 'failed';
}

/** The reason that a row's details give in words; an outcome that ola has no name for is kept as the reason too. */
function reasonOf(row: SqlRow): string | null {
  const details = parsed(textIn(row['details_json']));
  const said = isObject(details) ? (details['reason'] ?? details['error'] ?? details['message']) : null;
  if (typeof said === 'string' && said !== '') return said;
  const outcome = textIn(row['outcome']);
  return outcome === null || Object.hasOwn(outcomes, outcome.toLowerCase()) || outcome === 'failed' ? null : outcome;
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param rows of the predecessor's table `usage_records`: it has no subject, and its costs become whole micro-dollars */
export function usageRows(rows: readonly SqlRow[], canonicalId: CanonicalId): PredecessorRows<UsageRow> {
  return each(rows, (row) => {
    const startedAt = instantIn(row['ts']);
    if (startedAt === null) return null;
    const provider = textIn(row['provider']);
    const model = textIn(row['model']);
    return {
      startedAt,
      requestId: `original-${row['id']}`,
      subject: 'anonymous',
      tokenId: null,
      project: null,
      client: null,
      endpoint: textIn(row['endpoint']) ?? 'unknown',
      requested: model ?? 'unknown',
      provider: provider === null ? null : canonicalId(provider),
      model,
      profile: textIn(row['profile_id']),
      source: textIn(row['source']),
      stream: false,
      status: 200,
      error: null,
      tokens: {
        prompt: countIn(row['prompt_tokens']),
        completion: countIn(row['completion_tokens']),
        cacheRead: null,
        cacheWrite: null,
        reasoning: null,
      },
      costMicros: microDollars(row['cost']),
      priceVersion: null,
      firstByteMs: null,
      latencyMs: countIn(row['latency_ms']) ?? 0,
      attempts: null,
    };
  });
}

/** The last usable time: a row id is made of its time and has 53 bits, so a later time would become another one. */
const latest = Date.parse('2248-01-01T00:00:00Z');

/** @param value ISO 8601; a time without an offset is taken for UTC */
function instantIn(value: SqlValue | undefined): number | null {
  const text = textIn(value);
  const parts = text === null ? null : /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (parts === null) return null;
  const [, date, time = '', offset = 'Z'] = parts;
  const at = Date.parse(`${date}T${time.slice(0, 12)}${offset}`);
  return at >= 0 && at < latest ? at : null;
}

function microDollars(cost: SqlValue | undefined): number | null {
  if (typeof cost !== 'number' || cost < 0) return null;
  const micros = Math.round(cost * 1e6);
  return Number.isSafeInteger(micros) ? micros : null;
}

function textIn(value: SqlValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function countIn(value: SqlValue | undefined): number | null {
  const count = typeof value === 'number' ? Math.round(value) : -1;
  return Number.isSafeInteger(count) && count >= 0 ? count : null;
}

function each<T>(rows: readonly SqlRow[], take: (row: SqlRow) => T | null): PredecessorRows<T> {
  const taken = rows.map(take).filter((row) => row !== null);
  return { rows: taken, unusable: rows.length - taken.length };
}
