/**
 * Every error code that ola reports, the status it is sent with, and the envelope of ola's own routes. Its shape is
 * OpenAI's error object, so that every SDK understands it; each protocol writes the envelope of its own routes.
 */

/** Every code ola itself reports, with the HTTP status it is sent with unless the thrower says otherwise. */
export const errorStatus = {
  invalid_request: 400,
  invalid_json: 400,
  conflicting_credentials: 400,
  unsafe_destination: 400,
  embeddings_not_supported: 400,
  invalid_api_key: 401,
  insufficient_scope: 403,
  origin_not_allowed: 403,
  egress_destination_blocked: 403,
  route_not_found: 404,
  not_found: 404,
  model_not_found: 404,
  provider_resolution_failed: 404,
  provider_disabled: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  config_managed_by_file: 409,
  precondition_failed: 412,
  request_too_large: 413,
  unsupported_media_type: 415,
  host_not_served: 421,
  invalid_field: 422,
  secret_required: 422,
  all_credentials_cooling_down: 429,
  client_closed_request: 499,
  internal_error: 500,
  not_implemented: 501,
  upstream_http_error: 502,
  upstream_auth_error: 502,
  upstream_unreachable: 502,
  upstream_truncated: 502,
  provider_error: 502,
  shutting_down: 503,
  persistence_unavailable: 503,
  upstream_timeout: 504,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof errorStatus;

export interface ErrorOptions {
  /** Overrides the table's status: an upstream's 404 stays a 404. */
  readonly status?: number;
  /** The field of the request that is at fault, as a dotted path. */
  readonly param?: string;
  /** The `code` on the wire, when a client knows a better one than ours (`context_length_exceeded`). */
  readonly wireCode?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Response headers that belong to this error (`Retry-After`, `Allow`, `WWW-Authenticate`). */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body that is sent in place of the envelope: an upstream's own, redacted, for a client of the same protocol. */
  readonly body?: string;
  /** The message for the log, where the error's own has words of an upstream. */
  readonly logged?: string;
  readonly cause?: unknown;
}

/** A failure with a code of ours; `message` says what to do next and never holds a secret. */
export class OlaError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly facts: ErrorOptions;

  constructor(code: ErrorCode, message: string, facts: ErrorOptions = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'OlaError';
    this.code = code;
    this.status = facts.status ?? errorStatus[code];
    this.facts = facts;
  }
}

export interface ErrorEnvelope {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/** OpenAI's `error.type` for a status: it follows the status that is sent, `api_error` only for 5xx. */
export function errorType(status: number): string {
  if (status >= 500) return 'api_error';
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return 'invalid_request_error';
}

/** The JSON body of an error. */
export function errorEnvelope(error: OlaError): ErrorEnvelope {
  const { param, wireCode, details } = error.facts;
  return {
    error: {
      message: error.message,
      type: errorType(error.status),
      param: param ?? null,
      code: wireCode ?? error.code,
      ...(details === undefined ? {} : { details }),
    },
  };
}

/** Turns whatever was thrown into an error that may be shown: an unknown one says nothing of its cause. */
export function asOlaError(thrown: unknown): OlaError {
  if (thrown instanceof OlaError) return thrown;
  return new OlaError('internal_error', 'ola failed to handle this request; the log has the cause under the request id.', {
    cause: thrown,
  });
}
