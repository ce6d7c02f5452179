/** The log of requests: a line for each request that ended, answered or refused. */

/** A request that ended. Nothing in it was said by a client or a provider, but for the fields that say so. */
export interface EndedRequest {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A client may choose it. */
  readonly requestId: string;
  /** Null for a request that no caller was found for. */
  readonly subject: string | null;
  readonly tokenId: string | null;
  /** The client's word. */
  readonly method: string;
  /** The pattern of the route; for a request that reached none, the client's path without its query. */
  readonly route: string;
  readonly status: number;
  readonly code: string | null;
  /** The model as the client wrote it; null for requests that name none. */
  readonly requested: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly failedAttempts: number;
  /** Null when no part of an answer came, and for answers of ola's own. */
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** True for probes and files of pages, which are of interest in a debug log alone. */
  readonly routine: boolean;
}

export interface RequestLog {
  /** Whether requests are logged now. */
  on(): boolean;
  add(request: EndedRequest): void;
}
