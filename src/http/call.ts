/** One request, and the facts that are collected while it is handled. */
import type { Principal } from '../core/access.ts';
import type { OlaError } from '../core/errors.ts';
import type { Connection } from '../core/server.ts';
import type { Requester } from '../gateway/records/audit.ts';

export interface Call {
  readonly request: Request;
  readonly connection: Connection;
  readonly requestId: string;
  readonly startedAt: number;
  /** As the client sent it: `HEAD` is answered as `GET`. */
  readonly method: string;
  /** The pattern of the route; null until one is found. */
  route: string | null;
  /** `limited`: it is unread, and the client has the short time of an unread body to finish sending it. */
  body: 'unread' | 'limited' | 'reading';
  /** True once the log of requests has the request. */
  told: boolean;
  /** True when the route tells the log of requests of its answers itself. */
  tellsItself: boolean;
  /** The caller, or the refusal of its credential: judged before the body is read, used when the route asks for a scope. */
  readonly caller: Principal | OlaError;
}

const requestIdShape = /^[A-Za-z0-9._-]{1,128}$/;

/** The client's own id when it is a plain one, else a new one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id');
  return given !== null && requestIdShape.test(given) ? given : `req_${crypto.randomUUID()}`;
}

/** The client's address; null over the control socket. */
export function clientAddress(call: Call): string | null {
  return call.connection.peer(call.request);
}

export function requesterOf(call: Call, principal: Principal): Requester {
  const userAgent = call.request.headers.get('user-agent');
  return { principal, requestId: call.requestId, clientIp: clientAddress(call), userAgent: userAgent?.slice(0, 256) ?? null };
}

/**
 * The path of a URL, without parsing it. HTTP/1.0 without a Host gives a URL that is relative, in which the router takes
 * any later slash for the first: of those only the probe is read, nothing else is served without a Host.
 */
export function pathOf(url: string): string {
  if (url.startsWith('/')) return url === '/health' ? url : '/';
  const from = url.indexOf('/', url.indexOf('://') + 3);
  if (from < 0) return '/';
  const query = url.indexOf('?', from);
  return query < 0 ? url.slice(from) : url.slice(from, query);
}
