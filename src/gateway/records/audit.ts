/** Audit events. They are built here, so that all have one form. The event of a change is stored with the change; all others are batched. */
import type { Principal } from '../../core/access.ts';
import type { AuditEvent, AuditResult, AuditStore } from '../../core/audit.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { createBatch } from './batch.ts';

/** The caller and the request that caused an event. */
export interface Requester {
  readonly principal: Principal;
  readonly requestId: string | null;
  readonly clientIp: string | null;
  readonly userAgent: string | null;
}

export interface Audit {
  /** Builds the event of a change, to be written in the same transaction as the change. */
  event(action: string, requester: Requester, details: Readonly<Record<string, unknown>>, result?: AuditResult): AuditEvent;
  /** Writes an event that belongs to no change. */
  record(event: AuditEvent): void;
  flush(): Promise<void>;
}

export function createAudit(ports: { readonly store: AuditStore; readonly now: Clock; readonly log: Log }): Audit {
  const batch = createBatch<AuditEvent>('audit events', (events) => ports.store.append(events), ports.log);
  return {
    event: (action, requester, details, result = 'success') => ({
      timestamp: ports.now(),
      action,
      actor: requester.principal.subject,
      result,
      projectId: null,
      requestId: requester.requestId,
      clientIp: requester.clientIp,
      userAgent: requester.userAgent,
      details,
    }),
    record: (event) => batch.add(event),
    flush: () => batch.flush(),
  };
}
