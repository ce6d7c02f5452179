/** Audit events: actions and their actors. Metadata only, no bodies, no secrets. */

export type AuditResult = 'success' | 'failure' | 'denied' | 'error';

export interface AuditEvent {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** `noun.verb`: `token.create`, `provider.update`, `server.start`. */
  readonly action: string;
  /** Subject of the caller, never a name or a token. */
  readonly actor: string;
  readonly result: AuditResult;
  readonly projectId: string | null;
  readonly requestId: string | null;
  readonly clientIp: string | null;
  readonly userAgent: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Stores events that belong to no change. A change stores its event in its own transaction (see the stores). */
export interface AuditStore {
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Newest first. */
  list(query: { readonly limit: number; readonly before?: number }): Promise<AuditEvent[]>;
}
