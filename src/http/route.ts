/** A route as data, so that scopes, documentation and tests walk the same table; and its way into Elysia. */
import type { Static, TSchema } from '@sinclair/typebox';
import type { Principal, RouteScope } from '../core/access.ts';
import type { OlaError } from '../core/errors.ts';
import type { Form } from '../core/multipart.ts';
import { compileCheck } from '../core/schema.ts';
import { authorize } from '../gateway/access/access.ts';
import { readJson, readMultipart } from './body.ts';
import type { Call } from './call.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Route {
  readonly method: Method;
  /** Elysia's form: `/config/tokens/:id`; a last `*` takes the rest, slashes and all. A verb may stand behind it: `*:countTokens`. */
  readonly path: string;
  readonly scope: RouteScope;
  readonly summary: string;
  /** The body as the route checks it. */
  readonly body?: TSchema;
  /** The JSON that it answers with; absent where the answer is no JSON, or is an upstream's. */
  readonly answer?: TSchema;
  /** Does the work that the first call would otherwise wait for. */
  readonly prepare?: () => void;
  /** Runs it all: scope, body, handler. */
  readonly run: (call: Call, params: Readonly<Record<string, string>>) => Response | Promise<Response>;
  /** It tells the log of requests of its answers itself; refusals are told for it. */
  readonly tellsItself?: boolean;
  /** The JSON of its errors, where they are in the form of a protocol. */
  readonly errorBody?: (error: OlaError) => string;
}

interface Declared {
  readonly method: Method;
  readonly path: string;
  readonly scope: RouteScope;
  readonly summary: string;
  readonly tellsItself?: boolean;
  readonly errorBody?: (error: OlaError) => string;
  readonly answer?: TSchema;
}

export type Params = Readonly<Record<string, string>>;

/** A route without a body. */
export function route(
  declared: Declared,
  handle: (call: Call, principal: Principal, params: Params) => Response | Promise<Response>,
): Route {
  return { ...declared, run: (call, params) => handle(call, authorize(call.caller, declared.scope), params) };
}

/** A public route: nobody is asked who they are. */
export function publicRoute(declared: Omit<Declared, 'scope'>, handle: (call: Call) => Response | Promise<Response>): Route {
  return { ...declared, scope: 'none', run: (call) => handle(call) };
}

/**
 * A route with a JSON body: the scope is asked before a byte of it is read.
 * @param declared `first`: looks at the value before its schema is checked
 */
export function bodyRoute<Body extends TSchema>(
  { first, ...declared }: Declared & { readonly body: Body; readonly first?: ((value: unknown) => void) | undefined },
  handle: (call: Call, principal: Principal, body: Static<Body>, params: Params, text: string) => Response | Promise<Response>,
): Route {
  const check = compileCheck(declared.body);
  return {
    ...declared,
    prepare: check.prepare,
    async run(call, params) {
      const principal = authorize(call.caller, declared.scope);
      const { text, value } = await readJson(call);
      first?.(value);
      check(value);
      // Awaited here: a promise that an `async` function returns takes three turns to become its own.
      return await handle(call, principal, value as Static<Body>, params, text);
    },
  };
}

/** A route with a form for a body, files and all: the scope is asked before a byte of it is read. */
export function formRoute(
  declared: Declared,
  handle: (call: Call, principal: Principal, form: Form, params: Params) => Response | Promise<Response>,
): Route {
  return {
    ...declared,
    async run(call, params) {
      const principal = authorize(call.caller, declared.scope);
      return handle(call, principal, await readMultipart(call), params);
    },
  };
}

/** A JSON answer. */
export function reply(call: Call, body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return replyText(call, JSON.stringify(body), status, headers);
}

/** The same, of JSON that is a text already. */
export function replyText(call: Call, text: string, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-request-id': call.requestId, ...headers },
  });
}
