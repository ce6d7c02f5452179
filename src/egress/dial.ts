/** The only way out: judges a destination, resolves its name, and sends to one judged address. */
import { queryShape, withQuery } from '../core/base-url.ts';
import {
  type Destination,
  defaultTimeouts,
  type Egress,
  type EgressDenial,
  type EgressPolicy,
  type EgressReason,
  type OutboundRequest,
} from '../core/egress.ts';
import { OlaError } from '../core/errors.ts';
import { type Clock, type Dial, DialError, type DialRequest, type Log, type Reply, type Resolve } from '../core/ports.ts';
import { denied, explain } from './denials.ts';
import { createNames, type ResolvedName } from './dns-cache.ts';
import { type Called, failed, unreachable } from './failures.ts';
import { isOwnListener, type OwnListener } from './listeners.ts';
import { judge, judgeAddress, observes, type ParsedUrl, refuses, unreadableRanges } from './policy.ts';

export interface EgressPorts {
  /** The policy in force; a changed policy is another object. */
  readonly policy: () => EgressPolicy;
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly now: Clock;
  readonly ownListeners: () => readonly OwnListener[];
  /** Addresses of this machine's interfaces. */
  readonly localAddresses: () => readonly string[];
  readonly log: Log;
  /** Called for every refusal, for the audit. A policy that only observes refuses nothing. */
  readonly onDenied?: (denial: EgressDenial) => void;
}

/** A destination judged under one policy. */
interface JudgedDestination {
  readonly destination: Destination;
  readonly policy: EgressPolicy;
  readonly target: ParsedUrl;
  readonly secure: boolean;
  /** The base URL's path without a slash at its end. */
  readonly basePath: string;
  /** Reasons that have been logged, so that a busy route does not fill the log. */
  readonly logged: Set<EgressReason>;
  readonly onUnrequested: () => void;
}

/** Dot segments, plain or percent-encoded: a URL parser would remove parts of the base URL's path for them. */
const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?#\\]|$)/i;

/** Verdicts on destinations and addresses, each told when it refuses. */
interface Judgement {
  /** @throws OlaError `egress_destination_blocked` */
  routeTo(destination: Destination, phase: EgressDenial['phase']): JudgedDestination;
  apply(route: JudgedDestination, reason: EgressReason, phase: EgressDenial['phase']): void;
  judgeAnswers(route: JudgedDestination, addresses: readonly string[], phase: EgressDenial['phase']): void;
  isOwn(route: JudgedDestination, address: string): boolean;
}

function createJudgement(ports: EgressPorts): Judgement {
  const { policy, log } = ports;
  const routes = new WeakMap<Destination, JudgedDestination>();
  const warned = new WeakSet<EgressPolicy>();

  /** Judges the destination without resolving its name. The verdict holds while destination and policy are the same objects. */
  function routeTo(destination: Destination, phase: EgressDenial['phase']): JudgedDestination {
    const current = policy();
    const known = routes.get(destination);
    if (known !== undefined && known.policy === current) return known;
    warnOfRanges(current);
    const verdict = judge(destination.baseUrl, current, destination);
    if (!verdict.ok) {
      const { reason, scheme, host, port } = verdict;
      throw refusal({ provider: destination.name, scheme, host, reason, phase, ...portOf(reason, port) });
    }
    const { target } = verdict;
    const secure = target.url.protocol === 'https:';
    if (!queryShape.test(destination.query ?? '')) {
      const scheme = secure ? 'https' : 'http';
      throw refusal({ provider: destination.name, scheme, host: target.hostname, reason: 'malformed_url', phase });
    }
    const basePath = target.url.pathname.replace(/\/+$/, '');
    const onUnrequested = () => warnOfBytes(destination.name, target.hostname);
    const route = { destination, policy: current, target, secure, basePath, logged: new Set<EgressReason>(), onUnrequested };
    if (verdict.observed !== null) apply(route, verdict.observed, phase);
    routes.set(destination, route);
    return route;
  }

  function warnOfBytes(provider: string, host: string): void {
    const message =
      'egress: the provider sent bytes that no request asked for; its connections are closed after each answer for some minutes';
    log.log('warn', message, { provider, host });
  }

  function warnOfRanges(current: EgressPolicy): void {
    if (warned.has(current)) return;
    warned.add(current);
    const entries = unreadableRanges(current);
    if (entries.length > 0) log.log('warn', 'egress: entries of denyCidrs are no address ranges and deny nothing', { entries });
  }

  /** Throws when this policy refuses a call for the reason. Under `observe` it logs the reason, once per route. */
  function apply(route: JudgedDestination, reason: EgressReason, phase: EgressDenial['phase']): void {
    const denial = denialOf(route, reason, phase);
    if (refuses(route.policy, reason)) throw refusal(denial);
    if (!observes(route.policy) || route.logged.has(reason)) return;
    route.logged.add(reason);
    log.log('warn', 'egress: the policy would refuse this call', { ...denial, why: explain(denial) });
  }

  function refusal(denial: EgressDenial): OlaError {
    ports.onDenied?.(denial);
    return denied(denial);
  }

  /** Judges every address of a name, not only the one that will be dialled: one inner address refuses the name (rebinding). */
  function judgeAnswers(route: JudgedDestination, addresses: readonly string[], phase: EgressDenial['phase']): void {
    if (addresses.length === 0) apply(route, 'dns_no_answers', phase);
    const reasons = addresses.flatMap((address): EgressReason[] => {
      if (isOwn(route, address)) return ['self_connection'];
      const reason = judgeAddress(address, route.policy, route.destination);
      return reason === null ? [] : [`resolved_${reason}`];
    });
    const gravest = reasons.find((reason) => reason === 'self_connection' || reason === 'resolved_metadata_ip') ?? reasons[0];
    if (gravest !== undefined) apply(route, gravest, phase);
  }

  function isOwn(route: JudgedDestination, address: string): boolean {
    return isOwnListener(address, route.target.port, ports.ownListeners(), ports.localAddresses);
  }

  return { routeTo, apply, judgeAnswers, isOwn };
}

export function createEgress(ports: EgressPorts): Egress {
  const { dial, now } = ports;
  const lookUp = createNames(ports.resolve, now);
  const { routeTo, apply, judgeAnswers, isOwn } = createJudgement(ports);

  /** Not `async`: a promise of a promise would be several turns more. */
  function send(destination: Destination, request: OutboundRequest): Promise<Reply> {
    try {
      const route = routeTo(destination, 'dial');
      const outbound = dialRequest(route, request);
      const { literal } = route.target;
      if (literal !== null && isOwn(route, literal)) apply(route, 'self_connection', 'dial');
      const dialled = literal === null ? dialName(route, outbound) : dial(outbound, literal);
      return dialled.then(
        (reply) => accept(route, reply),
        (error: unknown) => {
          if (error instanceof OlaError) throw error;
          throw request.signal?.aborted === true ? request.signal.reason : failed(calledAt(route), error);
        },
      );
    } catch (refusal) {
      return Promise.reject(refusal);
    }
  }

  async function dialName(route: JudgedDestination, request: DialRequest): Promise<Reply> {
    const name = await resolved(route, request.signal);
    judgeAnswers(route, name.addresses, 'dial');
    const order = dialOrder(name);
    for (const [at, address] of order.entries()) {
      try {
        const reply = await dial(request, address);
        name.lastGood = address;
        return reply;
      } catch (error) {
        if (name.lastGood === address) name.lastGood = null;
        // Without a connection nothing was sent, so that the next address does not get the request a second time.
        const goesOn = error instanceof DialError && error.failure === 'connect' && at < order.length - 1;
        if (!goesOn) throw error;
      }
    }
    throw new DialError('connect', undefined);
  }

  async function resolved(route: JudgedDestination, signal: AbortSignal | undefined): Promise<ResolvedName> {
    signal?.throwIfAborted();
    const found = lookUp(route.target.hostname);
    if (!(found instanceof Promise)) return found;
    try {
      return await abortable(found, signal);
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : unreachable(calledAt(route), 'dns_resolution_failed', error);
    }
  }

  async function check(destination: Destination): Promise<EgressDenial | null> {
    try {
      const route = routeTo(destination, 'write');
      await checkAddresses(route);
      return null;
    } catch (error) {
      if (error instanceof OlaError && error.code === 'egress_destination_blocked')
        return error.facts.details as unknown as EgressDenial;
      throw error;
    }
  }

  async function checkAddresses(route: JudgedDestination): Promise<void> {
    const { literal, hostname } = route.target;
    if (literal !== null) {
      if (isOwn(route, literal)) apply(route, 'self_connection', 'write');
      return;
    }
    if (!route.policy.resolveDns) return;
    let name: ResolvedName;
    try {
      name = await lookUp(hostname);
    } catch {
      if (route.policy.failClosed) apply(route, 'dns_resolution_failed', 'write');
      return;
    }
    if (name.addresses.length > 0 || route.policy.failClosed) judgeAnswers(route, name.addresses, 'write');
  }

  return { check, send, explain };
}

function denialOf(route: JudgedDestination, reason: EgressReason, phase: EgressDenial['phase']): EgressDenial {
  return {
    provider: route.destination.name,
    scheme: route.secure ? 'https' : 'http',
    host: route.target.hostname,
    reason,
    phase,
    ...portOf(reason, route.target.port),
  };
}

function portOf(reason: EgressReason, port: number | null): { readonly port?: number } {
  return reason === 'port_forbidden' && port !== null ? { port } : {};
}

function calledAt({ destination, target, secure }: JudgedDestination): Called {
  return { provider: destination.name, hostname: target.hostname, secure };
}

function dialRequest(route: JudgedDestination, request: OutboundRequest): DialRequest {
  const { path } = request;
  // The two searches are cheaper than the expression, and most paths have neither.
  if (!path.startsWith('/') || ((path.includes('/.') || path.includes('/%2')) && dotSegment.test(path))) {
    throw new OlaError(
      'invalid_request',
      `The path of a call to provider '${route.destination.name}' leaves its base URL: check the model's name.`,
    );
  }
  return {
    secure: route.secure,
    hostname: route.target.hostname,
    port: route.target.port,
    path: withQuery(route.basePath + path, route.destination.query ?? ''),
    method: request.method,
    headers: request.headers,
    body: request.body,
    signal: request.signal,
    timeouts: route.destination.timeouts ?? defaultTimeouts,
    ca: route.destination.ca,
    fresh: request.fresh,
    onUnrequested: route.onUnrequested,
  };
}

function dialOrder(name: ResolvedName): readonly string[] {
  const { addresses, lastGood } = name;
  if (lastGood === null || lastGood === addresses[0]) return addresses;
  return [lastGood, ...addresses.filter((address) => address !== lastGood)];
}

/** Refuses a redirect: the credential would follow it to a place that was not judged. */
function accept(route: JudgedDestination, reply: Reply): Reply {
  if (reply.status < 300 || reply.status > 399 || reply.header('location') === null) return reply;
  reply.cancel();
  const denial = denialOf(route, 'redirect_forbidden', 'dial');
  const { provider, host, reason } = denial;
  const details = { provider, upstream_status: reply.status, reason };
  throw new OlaError('upstream_http_error', `Provider '${provider}' failed: ${host} ${explain(denial)}`, {
    status: 502,
    details,
  });
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
