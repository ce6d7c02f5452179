/** Audit rows. They are appended and never changed. */
import type { AuditEvent, AuditResult, AuditStore } from '../core/audit.ts';
import { isObject } from '../core/json.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { jsonOf, numberOf, textOf, textOrNull } from './columns.ts';
import { reading, writing } from './transaction.ts';

const insert = `INSERT INTO audit
  (timestamp, action, actor, result, project_id, request_id, client_ip, user_agent, details)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const selectNewest = 'SELECT * FROM audit WHERE timestamp < ? ORDER BY id DESC LIMIT ?';

/** Adds events to the open transaction, so that a change and its event are written together or not at all. */
export function insertAudit(database: SqlDatabase, events: readonly AuditEvent[]): void {
  const statement = database.prepare(insert);
  for (const event of events) {
    const { timestamp, action, actor, result, projectId, requestId, clientIp, userAgent } = event;
    statement.run(timestamp, action, actor, result, projectId, requestId, clientIp, userAgent, JSON.stringify(event.details));
  }
}

export function auditStore(database: SqlDatabase): AuditStore {
  return {
    async append(events) {
      if (events.length > 0) writing(database, () => insertAudit(database, events));
    },
    async list({ limit, before }) {
      return reading(() =>
        database
          .prepare(selectNewest)
          .all(before ?? Number.MAX_SAFE_INTEGER, limit)
          .map(toEvent),
      );
    },
  };
}

function toEvent(row: SqlRow): AuditEvent {
  const details = jsonOf(row, 'details');
  return {
    timestamp: numberOf(row, 'timestamp'),
    action: textOf(row, 'action'),
    actor: textOf(row, 'actor'),
    result: toResult(textOf(row, 'result')),
    projectId: textOrNull(row, 'project_id'),
    requestId: textOrNull(row, 'request_id'),
    clientIp: textOrNull(row, 'client_ip'),
    userAgent: textOrNull(row, 'user_agent'),
    details: isObject(details) ? details : {},
  };
}

function toResult(text: string): AuditResult {
  return text === 'success' || text === 'failure' || text === 'denied' ? text : 'error';
}
