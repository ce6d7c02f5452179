/** The only renderer of errors: whatever was thrown becomes one envelope, in the protocol of the path that was asked. */
import { asOlaError, errorEnvelope } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';
import type { Protocol } from '../core/protocol.ts';

/** @param requestId null when the request was refused before it had one */
export type RenderError = (thrown: unknown, path: string, requestId: string | null) => Response;

export function createErrorRenderer(protocols: readonly Protocol[], log: Log): RenderError {
  const envelopes = protocols
    .flatMap(({ envelopePaths, errorBody }) => envelopePaths.map((prefix) => ({ prefix, errorBody })))
    .sort((one, other) => other.prefix.length - one.prefix.length);
  return (thrown, path, requestId) => {
    const error = asOlaError(thrown);
    if (error.code === 'internal_error') {
      log.log('error', 'a request failed', { request: requestId, cause: describe(error.cause) });
    }
    const protocol = envelopes.find(({ prefix }) => path.startsWith(prefix));
    return new Response(error.facts.body ?? protocol?.errorBody(error) ?? JSON.stringify(errorEnvelope(error)), {
      // 499 is for our own records; nobody is there to read it.
      status: error.status === 499 ? 400 : error.status,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-ola-code': error.code,
        ...(requestId === null ? {} : { 'x-request-id': requestId }),
        ...error.facts.headers,
      },
    });
  };
}

/** Name and message, no stack: a stack holds source text. */
function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
