/** The only door out: judges a destination, resolves its name, and sends to one judged address. */
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
import { denied, wordsFor } from './denials.ts';
import { createNames, type ResolvedName } from './dns-cache.ts';
import { isOwnListener, type OwnListener } from './listeners.ts';
import { judge, judgeAddress, observes, type ParsedUrl, refuses, unreadableRanges } from './policy.ts';

export interface EgressPorts {
  /** The policy of the moment; a changed policy is another object. */
  readonly policy: () => EgressPolicy;
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly now: Clock;
  readonly ownListeners: () => readonly OwnListener[];
  /** Addresses of this machine's interfaces. */
  readonly localAddresses: () => readonly string[];
  readonly log: Log;
  /** For the audit: every refusal, not those that are only observed. */
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
}

/** Steps up, plain or percent-encoded: the parser would take them out of the base URL's path. */
const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?#\\]|$)/i;

export function createEgress(ports: EgressPorts): Egress {
  const { policy, dial, now, log } = ports;
  const lookUp = createNames(ports.resolve, now);
  const routes = new WeakMap<Destination, JudgedDestination>();
  const warned = new WeakSet<EgressPolicy>();

  /** Judges what needs no resolution; the verdict holds as long as destination and policy are the same objects. */
  function routeTo(destination: Destination, phase: EgressDenial['phase']): JudgedDestination {
    const current = policy();
    const known = routes.get(destination);
    if (known !== undefined && known.policy === current) return known;
    warnOfRanges(current);
    const verdict = judge(destination.baseUrl, current, destination);
    if (!verdict.ok) {
      const { reason, scheme, host } = verdict;
      throw refusal({ provider: destination.name, scheme, host, reason, phase });
    }
    const { target } = verdict;
    const secure = target.url.protocol === 'https:';
    const basePath = target.url.pathname.replace(/\/+$/, '');
    const route = { destination, policy: current, target, secure, basePath, logged: new Set<EgressReason>() };
    if (verdict.observed !== null) apply(route, verdict.observed, phase);
    routes.set(destination, route);
    return route;
  }

  function warnOfRanges(current: EgressPolicy): void {
    if (warned.has(current)) return;
    warned.add(current);
    const entries = unreadableRanges(current);
    if (entries.length > 0) log.log('warn', 'egress: entries of denyCidrs are no address ranges and deny nothing', { entries });
  }

  /** Throws when the reason refuses the call under this policy; in `observe` it is a line in the log, once a route. */
  function apply(route: JudgedDestination, reason: EgressReason, phase: EgressDenial['phase']): void {
    const denial = denialOf(route, reason, phase);
    if (refuses(route.policy, reason)) throw refusal(denial);
    if (!observes(route.policy) || route.logged.has(reason)) return;
    route.logged.add(reason);
    log.log('warn', 'egress: the policy would refuse this call', { ...denial });
  }

  function refusal(denial: EgressDenial): OlaError {
    ports.onDenied?.(denial);
    return denied(denial);
  }

  /** Every answer is judged, not only the one that will be dialled: a name with one inner address is refused (rebinding). */
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

  async function send(destination: Destination, request: OutboundRequest): Promise<Reply> {
    const route = routeTo(destination, 'dial');
    const outbound = dialRequest(route, request);
    const { literal } = route.target;
    try {
      if (literal === null) return accept(route, await dialName(route, outbound));
      if (isOwn(route, literal)) apply(route, 'self_connection', 'dial');
      return accept(route, await dial(outbound, literal));
    } catch (error) {
      throw failure(route, request.signal, error);
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
        // Only where no connection came about is it certain that the next address does not get the request a second time.
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
      throw signal?.aborted === true ? signal.reason : unreachable(route, 'dns_resolution_failed', error);
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

  return { check, send };
}

function denialOf(route: JudgedDestination, reason: EgressReason, phase: EgressDenial['phase']): EgressDenial {
  return {
    provider: route.destination.name,
    scheme: route.secure ? 'https' : 'http',
    host: route.target.hostname,
    reason,
    phase,
  };
}

function dialRequest(route: JudgedDestination, request: OutboundRequest): DialRequest {
  const { path } = request;
  // `/.` and `%2` alone are cheap to look for; either is rare.
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
    path: route.basePath + path,
    method: request.method,
    headers: request.headers,
    body: request.body,
    signal: request.signal,
    timeouts: route.destination.timeouts ?? defaultTimeouts,
    ca: route.destination.ca,
  };
}

function dialOrder(name: ResolvedName): readonly string[] {
  const { addresses, lastGood } = name;
  if (lastGood === null || lastGood === addresses[0]) return addresses;
  return [lastGood, ...addresses.filter((address) => address !== lastGood)];
}

/** A model API has no business redirecting: the credential would follow to a place that nobody judged. */
function accept(route: JudgedDestination, reply: Reply): Reply {
  if (reply.status < 300 || reply.status > 399 || reply.header('location') === null) return reply;
  reply.cancel();
  const { provider, host, reason } = denialOf(route, 'redirect_forbidden', 'dial');
  const details = { provider, upstream_status: reply.status, reason };
  throw new OlaError('upstream_http_error', `Provider '${provider}' failed: ${host} ${wordsFor(reason)}`, {
    status: 502,
    details,
  });
}

/** What went wrong, as words: none of the other side's text, no address; `details.sent` is false when nothing was sent. */
function failure(route: JudgedDestination, signal: AbortSignal | undefined, error: unknown): unknown {
  if (error instanceof OlaError) return error;
  if (signal?.aborted === true) return signal.reason;
  const provider = route.destination.name;
  if (error instanceof DialError && error.failure !== 'lost') return unreachable(route, `${error.failure}_failed`, error);
  const who = `Provider '${provider}' (${route.target.hostname})`;
  const details = { provider, sent: true };
  return error instanceof Error && error.name === 'TimeoutError'
    ? new OlaError('upstream_timeout', `${who} did not answer in time.`, { details, cause: error })
    : new OlaError('upstream_truncated', `${who} closed the connection before it answered.`, { details, cause: error });
}

const unreachableWords = {
  dns_resolution_failed: 'its name does not resolve. Check the base URL and the DNS of this machine.',
  connect_failed: 'nothing accepts connections there. Check the base URL and that the provider is running.',
  tls_failed: 'its TLS certificate could not be verified. Check the base URL, and the authority of a private certificate.',
  request_failed: 'the request could not be written. Check the configured headers for line breaks.',
} as const;

function unreachable(route: JudgedDestination, reason: keyof typeof unreachableWords, cause: unknown): OlaError {
  const provider = route.destination.name;
  const message = `Provider '${provider}' (${route.target.hostname}) cannot be reached: ${unreachableWords[reason]}`;
  return new OlaError('upstream_unreachable', message, { details: { provider, reason, sent: false }, cause });
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
