/** The inference routes, made from the table of protocols: each takes the request apart and hands it to the one use-case. */
import type { Principal } from '../../core/access.ts';
import { isObject } from '../../core/json.ts';
import type { HeaderMap } from '../../core/ports.ts';
import { type ClientBody, type ClientRoute, type PassedHeaders, type Protocol, sessionHeaders } from '../../core/protocol.ts';
import { holdsToken } from '../../core/tokens.ts';
import { credentialHeaders } from '../../gateway/access/credentials.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { Answer } from '../../gateway/inference/call.ts';
import type { Answered } from '../answered.ts';
import { type Call, clientAddress } from '../call.ts';
import { bodyRoute, formRoute, type Params, type Route } from '../route.ts';

/** @param answered null: requests are not logged */
export function inferenceRoutes(gateway: Gateway, answered: Answered | null): Route[] {
  return gateway.protocols.flatMap((protocol) =>
    protocol.clientRoutes.map((route) => routeOf(gateway, protocol, route, answered)),
  );
}

function routeOf(gateway: Gateway, protocol: Protocol, route: ClientRoute, answered: Answered | null): Route {
  const { path, summary, schema } = route;
  const passedUp = passing(protocol.headersUp);
  const { errorBody } = protocol;
  const declared = { method: 'POST', path, scope: 'write', summary, tellsItself: true, errorBody } as const;
  const run = async (call: Call, principal: Principal, body: ClientBody, params: Params): Promise<Response> => {
    const { signal, headers } = call.request;
    const answer = await gateway.inference.run(
      {
        principal,
        requestId: call.requestId,
        client: clientAddress(call),
        protocol,
        profile: headers.get('x-auth-profile') || null,
        session: () => sessionOf(headers),
        via: gateway.via.passedOn(headers.get('via')),
        startedAt: call.startedAt,
        signal,
        ended: answered?.on() ? (row) => answered.ended(call, row) : null,
        keepOpen: (on) => (on ? call.connection.hold(call.request) : call.connection.release(call.request)),
      },
      { route, body, params, peek: route.peek(body, params), query: queryOf(call.request.url), headers: passedUp(headers) },
    );
    // The log tells of it when it has ended.
    call.told = true;
    return respond(call, answer);
  };
  if (schema === null) return formRoute(declared, (call, principal, form, params) => run(call, principal, { form }, params));
  const { refuseForeign } = route;
  const first = refuseForeign && ((value: unknown) => (isObject(value) ? refuseForeign(value) : undefined));
  return bodyRoute({ ...declared, body: schema, first }, (call, principal, value, params, text) =>
    run(call, principal, { text, fields: value as Readonly<Record<string, unknown>> }, params),
  );
}

/** Ends of the names of headers that hold a credential. A client's own is for another server than the one that is called. */
const credentialName = /(?:key|token|secret|auth|authorization|credential|cookie)s?$/;

/** Picks the headers of a client that its own protocol sends on. No credential is in any of them. */
function passing({ names, prefixes }: PassedHeaders): (headers: Headers) => HeaderMap | null {
  return (headers) => {
    let passed: Record<string, string> | null = null;
    const pass = (name: string): void => {
      const value = headers.get(name);
      if (value === null || holdsToken(value) || presentsAgain(value, headers)) return;
      passed ??= {};
      passed[name] = value;
    };
    for (const name of names) pass(name);
    if (prefixes.length === 0) return passed;
    for (const name of headers.keys())
      if (prefixes.some((prefix) => name.startsWith(prefix)) && !credentialName.test(name)) pass(name);
    return passed;
  };
}

/** Whether a value is a credential that the request presents: a legacy token has no form by which it is known. */
function presentsAgain(value: string, headers: Headers): boolean {
  return credentialHeaders.some((name) => {
    const presented = headers.get(name);
    return presented !== null && (presented === value || presented.endsWith(` ${value}`) || value.endsWith(` ${presented}`));
  });
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

function sessionOf(headers: Headers): string | null {
  for (const name of sessionHeaders) {
    const session = headers.get(name);
    if (session !== null && session !== '') return `${name} ${session}`;
  }
  return null;
}

/** By the headers of an answer, which many answers share: a Response copies them faster than it makes them. */
const templates = new WeakMap<Answer['headers'], Headers>();

function respond({ requestId }: Call, { body, headers }: Answer): Response {
  const template = templates.get(headers) ?? new Headers(headers);
  templates.set(headers, template);
  template.set('x-request-id', requestId);
  return new Response(body, { headers: template });
}
