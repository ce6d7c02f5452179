/** The last step of a call outside: one request to one checked address, by Bun's fetch. */
import { type Dial, DialError, type DialFailure, type DialRequest } from '../core/ports.ts';

/**
 * The address stands in the URL, so that nothing is resolved again; the name goes into `Host` and `serverName` (Bun
 * verifies the certificate against it). For a literal, where both are one, fetch is given nothing to override.
 */
export const dial: Dial = async (request, address) => {
  const named = request.hostname !== address;
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `${request.secure ? 'https' : 'http'}://${host}:${request.port}${request.path}`;
  try {
    const init: BunFetchRequestInit = {
      method: request.method,
      headers: named ? withHost(request) : request.headers,
      body: request.body,
      signal: request.signal ?? null,
      timeout: request.idleTimeoutMs,
      redirect: 'manual',
      proxy: false,
      decompress: false,
    };
    if (request.secure) init.tls = tlsOptions(request, named);
    return await fetch(url, init);
  } catch (error) {
    throw classified(error);
  }
};

function withHost(request: DialRequest): Headers {
  const headers = new Headers(request.headers);
  const isDefault = request.port === (request.secure ? 443 : 80);
  headers.set('host', isDefault ? request.hostname : `${request.hostname}:${request.port}`);
  return headers;
}

/** `rejectUnauthorized` is said aloud because NODE_TLS_REJECT_UNAUTHORIZED=0 would switch the default off. */
function tlsOptions(request: DialRequest, named: boolean): NonNullable<BunFetchRequestInit['tls']> {
  return {
    rejectUnauthorized: true,
    ...(named ? { serverName: request.hostname } : {}),
    ...(request.ca === undefined ? {} : { ca: request.ca }),
  };
}

/** Socket errors that a connection attempt ends with; ETIMEDOUT is not among them, an open connection has it too. */
const connectCodes: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'EADDRNOTAVAIL'],
  ...['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOBUFS', 'EAFNOSUPPORT'],
]);

/** X509_V_ERR_* of OpenSSL as Node and Bun spell them, names that do not match, and a peer that speaks no TLS. */
const tlsCode = /CERT|^UNABLE_TO_|^INVALID_|^PATH_LENGTH|^HOSTNAME_|^EPROTO$|^ERR_SSL/;

/** An abort's reason and a `TimeoutError` pass as they are: only errors of fetch itself are TypeErrors. */
function classified(error: unknown): unknown {
  return error instanceof TypeError ? new DialError(failureOf(error), error) : error;
}

function failureOf(error: TypeError): DialFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  // Without a socket's code fetch refused its own arguments: a header value with a line break, for one.
  if (code === null || code.startsWith('ERR_INVALID')) return 'request';
  if (connectCodes.has(code)) return 'connect';
  return tlsCode.test(code) ? 'tls' : 'lost';
}
