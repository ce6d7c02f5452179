/** Failures that Anthropic's API tells inside an answer of status 200. */
import { isObject } from '../../core/json.ts';
import type { FailureKind, UpstreamFailure } from '../../core/protocol.ts';

/** Anthropic's error types with their status (https://docs.claude.com/en/api/errors). */
const typeRows: Readonly<Record<string, { readonly status: number; readonly kind: FailureKind }>> = {
  invalid_request_error: { status: 400, kind: 'invalid_request' },
  authentication_error: { status: 401, kind: 'auth' },
  billing_error: { status: 402, kind: 'billing' },
  permission_error: { status: 403, kind: 'auth' },
  not_found_error: { status: 404, kind: 'invalid_request' },
  request_too_large: { status: 413, kind: 'context_overflow' },
  rate_limit_error: { status: 429, kind: 'rate_limit' },
  timeout_error: { status: 504, kind: 'timeout' },
  overloaded_error: { status: 529, kind: 'overloaded' },
};

/** @param text the JSON text of the event or body. @returns null when it tells no failure; a falsy `error` is none */
export function failureInside(event: Readonly<Record<string, unknown>>, text: string): UpstreamFailure | null {
  const error = event['error'];
  const isTold = error !== undefined && error !== null && error !== false && error !== '' && error !== 0;
  if (event['type'] !== 'error' && !isTold) return null;
  const fields = isObject(error) ? error : {};
  const type = typeof fields['type'] === 'string' ? fields['type'] : null;
  const { status, kind } = (type !== null && Object.hasOwn(typeRows, type) ? typeRows[type] : undefined) ?? {
    status: 502,
    kind: 'server_error',
  };
  const words = typeof error === 'string' ? error : fields['message'];
  const message = typeof words === 'string' ? words : null;
  return { kind, status, message, param: null, code: type, retryAfterMs: null, body: text };
}

/** An answer or a stream that breaks the protocol. @param message ola's clause behind the provider's name */
export function brokenProtocol(message: string): UpstreamFailure {
  return { kind: 'malformed', status: 502, message, param: null, code: null, retryAfterMs: null, body: null };
}
