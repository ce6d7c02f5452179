/** The only renderer of errors: whatever was thrown becomes one envelope, in the protocol of the path that was asked. */
import { asOlaError, errorEnvelope } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';
import type { Protocol, ReadHeader } from '../core/protocol.ts';

/**
 * @param requestId null when the request was refused before it had one
 * @param header of the request: clients of several protocols ask for the list of models under one path
 */
export type RenderError = (thrown: unknown, path: string, requestId: string | null, header?: ReadHeader) => Response;

const modelsPath = '/v1/models';
const noHeader: ReadHeader = () => null;

/** A prefix without a slash at its end is that path, and all that is below it. */
function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/');
}

export function createErrorRenderer(protocols: readonly Protocol[], log: Log): RenderError {
  const envelopes = protocols
    .flatMap(({ envelopePaths, errorBody }) => envelopePaths.map((prefix) => ({ prefix, errorBody })))
    .sort((one, other) => other.prefix.length - one.prefix.length);
  const ofModels = protocols.filter(({ models }) => models !== null);
  const envelopeOf = (path: string, header: ReadHeader): Pick<Protocol, 'errorBody'> | undefined =>
    (isBelow(path, modelsPath) ? ofModels.find(({ models }) => models?.isAsked(header)) : undefined) ??
    envelopes.find(({ prefix }) => isBelow(path, prefix));
  return (thrown, path, requestId, header = noHeader) => {
    const error = asOlaError(thrown);
    if (error.code === 'internal_error') {
      log.log('error', 'a request failed', { request: requestId, cause: describe(error.cause) });
    }
    const protocol = envelopeOf(path, header);
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
