/** Audit events: made here, so that all have the same shape; a change hands its own to the store, the rest is batched. */
import type { Principal } from '../../core/access.ts';
import type { AuditEvent, AuditResult, AuditStore } from '../../core/audit.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { createBatch } from './batch.ts';

/** What is known of the request behind an event. */
export interface Requester {
  readonly principal: Principal;
  readonly requestId: string | null;
  readonly clientIp: string | null;
  readonly userAgent: string | null;
}

export interface Audit {
  /** An event for a change, to be written in the change's own transaction. */
  event(action: string, requester: Requester, details: Readonly<Record<string, unknown>>, result?: AuditResult): AuditEvent;
  /** An event that changes nothing. */
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
