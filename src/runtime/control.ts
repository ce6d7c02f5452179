/** Calls to a running ola over its control socket. */
import { OlaError } from '../core/errors.ts';
import { DialError, type DialRequest, type Reply } from '../core/ports.ts';
import { dialSocket } from './dial.ts';
import { isErrno } from './files.ts';

export interface ControlCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** Time limits in milliseconds. The answer has none, because a rotation of keys may take long. */
const timeouts = { connect: 10_000, firstByte: Number.POSITIVE_INFINITY, idle: Number.POSITIVE_INFINITY };
/** Headers of the answer that commands read. */
const wanted = ['content-type', 'etag'];

/**
 * @returns the answer, or null when no server listens on the socket
 * @throws OlaError `shutting_down` when the server ended before it answered; the request may have taken effect
 */
export async function callControl(socket: string, call: ControlCall): Promise<Response | null> {
  try {
    return await whole(await dialSocket(requestOf(call), socket));
  } catch (cause) {
    if (cause instanceof DialError && isErrno(cause.cause, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED')) return null;
    const message =
      'The running server ended before it answered, so the request may or may not have taken effect. Check before you repeat it.';
    throw new OlaError('shutting_down', message, { cause });
  }
}

function requestOf({ method, path, body, headers }: ControlCall): DialRequest {
  const { pathname, search } = new URL(path, 'http://localhost');
  return {
    secure: false,
    hostname: 'localhost',
    port: 80,
    path: pathname + search,
    method,
    headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal: undefined,
    timeouts,
    ca: undefined,
  };
}

async function whole(reply: Reply): Promise<Response> {
  const pieces: Uint8Array[] = [];
  for (let bytes = await reply.read(); bytes !== null; bytes = await reply.read()) pieces.push(bytes);
  const headers = wanted.flatMap((name): [string, string][] => {
    const value = reply.header(name);
    return value === null ? [] : [[name, value]];
  });
  // Response refuses a body for a status that allows none, such as 204.
  return new Response(pieces.length === 0 ? null : Buffer.concat(pieces), { status: reply.status, headers });
}
