/** The only renderer of errors: whatever was thrown becomes one envelope. */
import { asOlaError, errorEnvelope } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';

/** @param requestId null when the request was refused before it had one */
export function renderError(thrown: unknown, requestId: string | null, log: Log): Response {
  const error = asOlaError(thrown);
  if (error.code === 'internal_error') {
    log.log('error', 'a request failed', { request: requestId, cause: describe(error.cause) });
  }
  return new Response(JSON.stringify(errorEnvelope(error)), {
    // 499 is for our own records; nobody is there to read it.
    status: error.status === 499 ? 400 : error.status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(requestId === null ? {} : { 'x-request-id': requestId }),
      ...error.facts.headers,
    },
  });
}

/** Name and message, no stack: a stack holds source text. */
function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
