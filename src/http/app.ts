/** The one way in: every request passes here, in this order: id, admission, caller, route, scope, body, use-case. */
import { Elysia } from 'elysia';
import { localPrincipal } from '../core/access.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { ReadHeader } from '../core/protocol.ts';
import type { RequestLog } from '../core/request-log.ts';
import type { Connection, Handler } from '../core/server.ts';
import { shuttingDown } from '../gateway/access/limits.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type Admission, createAdmission, type ServedHosts } from './admission.ts';
import { createAnswered } from './answered.ts';
import { limitUnread } from './body.ts';
import { type Call, pathOf, requestIdOf } from './call.ts';
import { createErrorRenderer } from './errors.ts';
import type { Params, Route } from './route.ts';
import { authProfileRoutes } from './routes/auth-profiles.ts';
import { configRoutes } from './routes/config.ts';
import { cooldownRoutes } from './routes/cooldowns.ts';
import { explainRoutes } from './routes/explain.ts';
import { exportRoutes } from './routes/exports.ts';
import { healthRoutes } from './routes/health.ts';
import { inferenceRoutes } from './routes/inference.ts';
import { keyRoutes } from './routes/keys.ts';
import { modelRoutes } from './routes/models.ts';
import { ownRoutes } from './routes/own.ts';
import { referenceRoutes } from './routes/reference.ts';
import { revisionRoutes } from './routes/revisions.ts';
import { snapshotRoutes } from './routes/snapshots.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { usageRoutes } from './routes/usage.ts';
import { nothingAt } from './unknown-path.ts';
import { chooseVerb, endsInVerb, groupsOf, verbPathOf } from './verbs.ts';

export interface AppPorts {
  readonly gateway: Gateway;
  readonly hosts: ServedHosts;
  readonly now: Clock;
  readonly log: Log;
  /** Null: requests are not logged. */
  readonly requests: RequestLog | null;
}

export interface App {
  readonly handle: Handler;
  /** What is served, for documentation and tests. */
  readonly routes: readonly Route[];
  /** Work that the first calls with a body would otherwise wait for, in the order of the routes. The server does it after its start. */
  readonly afterStart: readonly (() => void)[];
}

export function createApp(ports: AppPorts): App {
  const { gateway, now, log } = ports;
  const answered = ports.requests === null ? null : createAnswered(ports.requests, now);
  const routes: readonly Route[] = [
    ...inferenceRoutes(gateway, answered),
    ...modelRoutes(gateway),
    ...ownRoutes(gateway),
    ...healthRoutes(gateway),
    ...configRoutes(gateway),
    ...cooldownRoutes(gateway),
    ...explainRoutes(gateway),
    ...authProfileRoutes(gateway),
    ...revisionRoutes(gateway),
    ...snapshotRoutes(gateway, now),
    ...exportRoutes(gateway),
    ...keyRoutes(gateway),
    ...tokenRoutes(gateway, now),
    ...usageRoutes(gateway, now),
    ...referenceRoutes(gateway, () => routes),
  ];
  const admission = createAdmission(ports.hosts);
  const renderError = createErrorRenderer(gateway.protocols, log);

  /** Synchronous, and nothing of the body has been read: who calls is known before anything else is looked at. */
  function open(request: Request, connection: Connection, method: string): Call {
    const local = connection.kind === 'control';
    const caller = local ? localPrincipal : gateway.access.authenticate(request.headers);
    return {
      request,
      connection,
      requestId: requestIdOf(request.headers),
      startedAt: now(),
      method,
      route: null,
      body: 'unread',
      told: false,
      tellsItself: false,
      caller,
    };
  }

  // Elysia reads the source of a handler to see what it uses, and parses cookies, query and headers for one that takes
  // the whole context: so handlers take theirs apart in the parameter list.
  // With `standardHostname` Elysia looks for the path from the twelfth character on: under a Host of three letters it
  // would find `/config` where the admission sees `/health/config`, which asks for no Host.
  const app = new Elysia({ normalize: false, handler: { standardHostname: false } }).onError(({ request, code, error }) => {
    const thrown = code === 'NOT_FOUND' ? noRoute(routes, request) : error;
    const call = callOf(request);
    const refusal = renderError(thrown, pathOf(request.url), call?.requestId ?? null, readerOf(request));
    return call === undefined ? refusal : told(call, refusal);
  });
  const afterStart: (() => void)[] = [];
  for (const { method, path, verbs, first } of groupsOf(routes)) {
    const answer = verbs === null ? answerBy(first) : answerByVerb(verbs, routes);
    app.route(method, path, ({ request, params }) => answer(callOf(request) as Call, params as Params), { parse: 'none' });
    const added = app.routes.at(-1);
    for (const { prepare } of verbs?.values() ?? [first]) {
      if (prepare !== undefined) afterStart.push(prepare, () => void added?.compile());
    }
  }
  const { fetch: dispatch } = app.compile();

  function dispatchOrRefuse(call: Call): Response | Promise<Response> {
    const { request, connection } = call;
    (request as Carrier)[carried] = call;
    try {
      if (connection.kind === 'network') admit(request, admission, gateway);
    } catch (refusal) {
      return renderError(refusal, pathOf(request.url), call.requestId, readerOf(request));
    }
    return dispatch(request);
  }

  function handle(request: Request, connection: Connection, method: string): Response | Promise<Response> {
    const call = open(request, connection, method);
    const answer = dispatchOrRefuse(call);
    limitUnread(call);
    if (!(answer instanceof Promise)) return told(call, answer);
    // A promise of a promise is not free.
    if (call.tellsItself || answered === null || !answered.on()) return answer;
    return answer.then((response) => {
      // A request that turns the log off is the last one in it.
      answered.answered(call, response);
      return response;
    });
  }

  /** Tells the log of requests of an answer, once. */
  function told(call: Call, response: Response): Response {
    if (answered?.on() === true) answered.answered(call, response);
    return response;
  }

  return {
    routes,
    afterStart,
    handle: (request, connection) =>
      request.method === 'HEAD'
        ? answerHead(request, connection, (get, as) => handle(get, as, 'HEAD'))
        : handle(request, connection, request.method),
  };
}

type AnswerRoute = (call: Call, params: Params) => Response | Promise<Response>;

function answerBy({ path, run, tellsItself = false }: Route): AnswerRoute {
  return (call, params) => {
    call.route = path;
    call.tellsItself = tellsItself;
    return run(call, params);
  };
}

function answerByVerb(verbs: ReadonlyMap<string, Route>, routes: readonly Route[]): AnswerRoute {
  return (call, params) => {
    const chosen = chooseVerb(verbs, params);
    if (chosen === null) throw noRoute(routes, call.request);
    return answerBy(chosen.route)(call, chosen.params);
  };
}

function readerOf({ headers }: Request): ReadHeader {
  return (name) => headers.get(name);
}

/** The call travels on its request through Elysia: a WeakMap would cost every collection of garbage a walk over it. */
const carried = Symbol('call');
interface Carrier extends Request {
  [carried]?: Call;
}

function callOf(request: Request): Call | undefined {
  return (request as Carrier)[carried];
}

function admit(request: Request, admission: Admission, gateway: Gateway): void {
  const path = pathOf(request.url);
  admission.admit(request, path);
  const via = request.headers.get('via');
  if (via !== null) gateway.via.admit(via);
  if (gateway.health.draining() && path !== '/health') throw shuttingDown();
}

/** `HEAD` answers wherever `GET` does, with its headers and length and without its body (RFC 9110, 9.3.2). */
async function answerHead(request: Request, connection: Connection, handle: Handler): Promise<Response> {
  const get = new Request(request.url, { method: 'GET', headers: request.headers, signal: request.signal });
  const response = await handle(get, {
    kind: connection.kind,
    peer: () => connection.peer(request),
    awaitBody: () => connection.awaitBody(request),
    hold: () => connection.hold(request),
    release: () => connection.release(request),
  });
  const { byteLength } = await response.arrayBuffer();
  const headers = new Headers(response.headers);
  // Without it the platform would send the length of no body; a status without a body has no length (RFC 9110, 8.6).
  if (response.status !== 304) headers.set('content-length', String(byteLength));
  return new Response(null, { status: response.status, headers });
}

/** A path that nobody serves, or one that is served by other methods. */
function noRoute(routes: readonly Route[], request: Request): OlaError {
  const path = pathOf(request.url);
  const methods = new Set(routes.filter((route) => matches(route.path, path)).map(({ method }) => method as string));
  if (methods.size === 0) return nothingAt(path, routes);
  if (methods.has('GET')) methods.add('HEAD');
  const allow = [...methods].join(', ');
  return new OlaError('method_not_allowed', `${request.method} is not served here; ${allow} is.`, { headers: { allow } });
}

/** Whether a path fits a route's pattern: `:name` is one segment, a last `*` the rest. */
function matches(pattern: string, path: string): boolean {
  const verbPath = verbPathOf(pattern);
  if (verbPath !== null && !endsInVerb(path, verbPath)) return false;
  const wanted = (verbPath?.path ?? pattern).split('/');
  const given = path.split('/');
  if (wanted.at(-1) === '*' ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every(
    (segment, index) => segment === '*' || (segment.startsWith(':') ? given[index] !== '' : segment === given[index]),
  );
}
