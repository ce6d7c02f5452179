/** One attempt: an exchange is signed, sent and read, and ends in a value: an answer, or a failure that says what may follow. */
import type { Egress } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import { nearestNames } from '../../core/nearest.ts';
import type { Clock, HeaderMap, Reply } from '../../core/ports.ts';
import type { AnswerKind, Exchange, OwnAnswer, UpstreamFailure } from '../../core/protocol.ts';
import type { ProviderQuirks } from '../../core/providers.ts';
import type { Redact } from '../../core/redaction.ts';
import { turnHeaders } from '../../core/turn-headers.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { circle, saysCircle } from '../access/via.ts';
import type { Attempt } from '../routing/routing.ts';
import type { AddedFields } from './added-fields.ts';
import { headerSafe, headersFor, noted } from './answer-headers.ts';
import type { Answer, InferenceRequest } from './call.ts';
import { type AttemptFailure, broken, brokenOff, type Fault, refused, unexpected, untold } from './failures.ts';
import { headersDown, withHeaders } from './passed-headers.ts';
import type { ProgramCalls } from './program-calls.ts';
import type { Progress } from './progress.ts';
import { readAtMost, readBeginning } from './read-body.ts';
import { createBytePipe, type NotOpened, type Relay, type RelayHooks, relay } from './relay.ts';
import type { Speech } from './speech.ts';

export interface AttemptPorts {
  readonly egress: Egress;
  readonly programs: ProgramCalls;
  readonly redact: Redact;
  readonly now: Clock;
  readonly addedFields: AddedFields;
  readonly speech: Speech;
  /** @param stop the upstream's own word for the end, where ola does not know it */
  readonly settle: (progress: Progress, error: OlaError | null, tokens: TokenCounts, stop?: string | null) => void;
  /** Called for a failure in the middle of a stream. */
  readonly onFault: (attempt: Attempt, fault: Fault | null) => void;
}

export type Outcome = { readonly answer: Answer } | AttemptFailure;

/** Bytes. Answers are kept whole in memory while they are checked. */
const longestAnswer = 64 * 1024 * 1024;
/** Bytes. */
const longestError = 64 * 1024;
/** Milliseconds. The status says what to do; the words of an error are not worth a longer wait. */
const slowestErrorMs = 5000;

/** One try, and the facts that its call has. */
interface Try {
  readonly ports: AttemptPorts;
  readonly progress: Progress;
  readonly attempt: Attempt;
  readonly exchange: Exchange;
  /** The headers that the candidate signed. */
  readonly signed: HeaderMap;
}

export async function tryOnce(
  ports: AttemptPorts,
  progress: Progress,
  attempt: Attempt,
  request: InferenceRequest,
): Promise<Outcome> {
  const { provider } = attempt;
  const quirks = ports.addedFields.quirksOf(attempt);
  let exchange: Exchange | OwnAnswer | null;
  try {
    exchange = ports.speech.exchange(progress.call, request, attempt, quirks);
  } catch (thrown) {
    return untold(thrown);
  }
  if (exchange === null) return unexpected(`Provider '${provider.id}' does not serve ${request.route.path}.`);
  if ('own' in exchange) return ownAnswer(ports, progress, attempt, exchange);
  let reply: Reply;
  let signed: HeaderMap;
  try {
    const signing = attempt.candidate.sign(exchange, ports.now());
    signed = signing instanceof Promise ? await signing : signing;
    const turn = turnHeadersOf(request, quirks, exchange);
    reply = await sent(ports, progress, attempt, exchange, (via) => headersOf(signed, via, exchange, turn));
  } catch (thrown) {
    return broken(thrown);
  }
  return read({ ports, progress, attempt, exchange, signed }, reply);
}

/** An attempt is carried by a connection, or by a program of this host. */
function sent(
  { egress, programs }: AttemptPorts,
  progress: Progress,
  attempt: Attempt,
  exchange: Exchange,
  headers: (via: string | null) => HeaderMap,
): Promise<Reply> {
  const { destination } = attempt.endpoint;
  const { signal, via } = progress.call;
  if (exchange.program !== undefined) {
    return programs.run(exchange.program, { provider: attempt.provider.id, timeouts: destination.timeouts, signal });
  }
  return egress.send(destination, {
    method: exchange.method,
    path: exchange.path,
    headers: headers(via),
    body: exchange.body,
    signal,
    ...(isRepeat(progress, attempt) ? onFreshConnection : noOptions),
  });
}

function ownAnswer(ports: AttemptPorts, progress: Progress, attempt: Attempt, { own, notes }: OwnAnswer): Outcome {
  progress.firstByteAt = ports.now();
  ports.settle(progress, null, own.tokens);
  return { answer: { body: own.body, headers: { ...headersFor(progress, attempt, 'whole', 'application/json'), ...notes } } };
}

const noOptions = {};
const onFreshConnection = { fresh: true } as const;

/** The same attempt once more must not meet another connection that has ended. */
function isRepeat({ failed }: Progress, attempt: Attempt): boolean {
  return failed.length > 0 && failed.at(-1)?.attempt === attempt;
}

/** Most hosts want none. */
function turnHeadersOf({ route }: InferenceRequest, quirks: ProviderQuirks, { body }: Exchange): HeaderMap | null {
  return quirks.turnHeaders === undefined || route.operation !== 'chat' ? null : turnHeaders(quirks.turnHeaders, body);
}

/** The same object for most calls of a credential, so that what is made of them is made once. */
function headersOf(signed: HeaderMap, via: string | null, { contentType, headers }: Exchange, turn: HeaderMap | null): HeaderMap {
  const all = withHeaders(withHeaders(signed, headers), turn);
  if (via === null && contentType === null) return all;
  return {
    ...all,
    ...(via === null ? {} : { via: `${via}, ${signed['via']}` }),
    ...(contentType === null ? {} : { 'content-type': contentType }),
  };
}

/** Of the 2xx these carry an answer (RFC 9110, 15.3); the others are told at their head, without waiting for a body. */
const answering: readonly number[] = [200, 201, 203];
const compressions = /^(?:x-)?(?:gzip|compress|deflate|br|zstd)$/i;

function read(given: Try, reply: Reply): Outcome | Promise<Outcome> {
  const { exchange } = given;
  const provider = given.attempt.provider.id;
  if (reply.status < 200 || reply.status > 299) return readRefusal(given, reply);
  if (!answering.includes(reply.status)) {
    return unexpected(`Provider '${provider}' answered with HTTP ${reply.status}, which carries no answer.`, reply);
  }
  const encoding = reply.header('content-encoding');
  if (encoding?.split(',').some((name) => compressions.test(name.trim()))) {
    return unexpected(`Provider '${provider}' compressed its answer, which it was asked not to do.`, reply);
  }
  if (exchange.expects === 'whole') return readWhole(given, reply, null);
  if (exchange.expects === 'stream') return relayed(given, reply, 'stream', null);
  return readUnknown(given, reply);
}

/** The first bytes and the label decide what an answer is. */
async function readUnknown(given: Try, reply: Reply): Promise<Outcome> {
  const { exchange, progress, attempt } = given;
  let first: Uint8Array | null;
  try {
    first = await readBeginning(reply);
  } catch (cause) {
    return brokenOff(attempt.provider.id, cause);
  }
  const kind = exchange.answerKind(reply.header, first ?? noBytes);
  if (kind === null) {
    return unexpected(`Provider '${attempt.provider.id}' answered in a form that ${progress.route.path} does not have.`, reply);
  }
  if (first === null) return emptyAnswer(given, reply, kind);
  return kind === 'whole' ? readWhole(given, reply, first) : relayed(given, reply, kind, first);
}
const noBytes = new Uint8Array(0);

async function readRefusal(given: Try, reply: Reply): Promise<Outcome> {
  const { ports, attempt, exchange } = given;
  const body = await errorText(reply);
  const provider = attempt.provider.id;
  if (saysCircle(reply.status, body)) return broken(circle(provider));
  const failure = ports.speech.protocolOf(attempt.endpoint.protocol).readFailure(reply.status, reply.header, body);
  if (ports.addedFields.isRefused(attempt, failure, exchange))
    return { ...refusedFor(given, reply, failure), next: 'same', fault: null };
  const refusal = refusedFor(given, reply, failure);
  return (await isRenewed(given, refusal)) ? { ...refusal, next: 'same', fault: null } : refusal;
}

/** A credential that its upstream refuses is renewed once in a call, where it can be, and the same attempt is made again. */
async function isRenewed({ ports, progress, attempt, signed }: Try, { fault }: AttemptFailure): Promise<boolean> {
  if (fault?.of !== 'credential' || fault.reason !== 'auth') return false;
  const { candidate } = attempt;
  if (progress.failed.some((each) => each.attempt === attempt && refusals.includes(each.status ?? 0))) return false;
  return (await candidate.renew?.(signed, ports.now())) === true;
}

const refusals: readonly number[] = [401, 403];

function refusedFor({ ports, progress, attempt, exchange }: Try, reply: Reply, failure: UpstreamFailure): AttemptFailure {
  return refused({
    provider: attempt.provider.id,
    path: exchange.path,
    lacksVersion: attempt.endpoint.lacksVersion,
    nearest: () => nearestModelNames(attempt),
    // The body of an error is for clients of its own protocol.
    failure: attempt.endpoint.protocol === progress.call.protocol.id ? failure : { ...failure, body: null },
    passed: passedBy(reply, progress, attempt, ports),
    inside: reply.status < 300,
    header: reply.header,
    now: ports.now(),
    redact: ports.redact,
    retryStatuses: progress.plan?.retryStatuses ?? null,
  });
}

/** Names in a hint. */
const mostNames = 3;

/** In characters that a header may have; none when the provider lists the model. */
function nearestModelNames({ provider, model }: Attempt): readonly string[] {
  const names = provider.models.map(({ id }) => id).filter((id) => headerSafe(id) === id);
  return nearestNames(model, names, mostNames);
}

/** The text of an error; empty when it cannot be read, as its status says what to do. */
async function errorText(reply: Reply): Promise<string> {
  try {
    return (await readAtMost(reply, { limit: longestError, first: null, milliseconds: slowestErrorMs })) ?? '';
  } catch {
    return '';
  }
}

/** At once when all of the answer is there. */
function readWhole(given: Try, reply: Reply, first: Uint8Array | null): Outcome | Promise<Outcome> {
  const cutShort = (cause: unknown) => brokenOff(given.attempt.provider.id, cause);
  let text: string | null | Promise<string | null>;
  try {
    text = readAtMost(reply, { limit: longestAnswer, first });
  } catch (cause) {
    return cutShort(cause);
  }
  return text instanceof Promise ? text.then((all) => judgeWhole(given, reply, all), cutShort) : judgeWhole(given, reply, text);
}

/** @param text null: there was more of it than `longestAnswer` */
function judgeWhole(given: Try, reply: Reply, text: string | null): Outcome {
  const { ports, progress, attempt, exchange } = given;
  if (text === null) return unexpected(`Provider '${attempt.provider.id}' answered more than ${longestAnswer} bytes.`);
  const whole = exchange.whole(text, reply.header);
  if ('kind' in whole) return refusedFor(given, reply, whole);
  progress.firstByteAt = ports.now();
  ports.settle(progress, null, whole.tokens, whole.stop);
  const own = noted(headersFor(progress, attempt, 'whole', 'application/json'), exchange.notes);
  const headers = withPassed(own, given, reply);
  const { stop } = whole;
  return {
    answer: { body: whole.body, headers: stop === undefined ? headers : { ...headers, 'x-ola-upstream-stop': headerSafe(stop) } },
  };
}

function emptyAnswer(given: Try, reply: Reply, kind: AnswerKind): Outcome {
  const { ports, progress, attempt, exchange } = given;
  if (kind !== 'bytes') return brokenOff(attempt.provider.id, undefined);
  progress.firstByteAt = ports.now();
  ports.settle(progress, null, noTokenCounts);
  const headers = headersFor(progress, attempt, kind, exchange.labelOf(kind, reply.header));
  return { answer: { body: '', headers: withPassed(headers, given, reply) } };
}

/** @param first the bytes that were read while the kind was looked for */
function relayed(given: Try, reply: Reply, kind: AnswerKind, first: Uint8Array | null): Outcome | Promise<Outcome> {
  const { ports, progress, attempt, exchange } = given;
  const pipe = kind === 'bytes' ? createBytePipe() : exchange.pipe();
  const hooks: RelayHooks = {
    provider: attempt.provider.id,
    protocol: exchange.framing ?? progress.call.protocol,
    errorOf: (failure) => {
      const { error, fault } = refusedFor(given, reply, failure);
      ports.onFault(attempt, fault);
      return error;
    },
    onFirstByte: () => {
      progress.firstByteAt = ports.now();
    },
    onEnd: (error) => {
      progress.relay = null;
      // A client that leaves may first show as an upstream that was cut off.
      ports.settle(progress, error !== null && progress.call.signal.aborted ? clientGone() : error, pipe.tokens, pipe.stop);
    },
    bytes: kind === 'bytes',
    read: first,
  };
  const stream = relay(reply, pipe, hooks);
  if (!progress.settled) progress.relay = stream;
  const headers = () => noted(headersFor(progress, attempt, kind, exchange.labelOf(kind, reply.header)), exchange.notes);
  const { opened } = stream;
  return opened instanceof Promise
    ? opened.then((notOpened) => streamed(given, reply, stream, headers, notOpened))
    : streamed(given, reply, stream, headers, opened);
}

function streamed(
  given: Try,
  reply: Reply,
  { body }: Relay,
  headers: () => Answer['headers'],
  notOpened: NotOpened | null,
): Outcome {
  if (notOpened === null) return { answer: { body, headers: withPassed(headers(), given, reply) } };
  given.progress.relay = null;
  if ('failure' in notOpened) return refusedFor(given, reply, notOpened.failure);
  return { error: notOpened.error, status: null, next: notOpened.again ? 'other' : 'stop', fault: { of: 'upstream' } };
}

/** The headers of the upstream's answer that go down. Those of its protocol do so to a client of the same one. */
function passedBy(reply: Reply, { call }: Progress, { endpoint }: Attempt, { redact }: AttemptPorts): HeaderMap | null {
  return headersDown(reply, endpoint.protocol === call.protocol.id ? call.protocol.headersDown : null, redact);
}

/** The headers themselves where the upstream passes none on: a Response is made faster of headers that are shared. */
function withPassed(headers: Answer['headers'], { ports, progress, attempt }: Try, reply: Reply): Answer['headers'] {
  const passed = passedBy(reply, progress, attempt, ports);
  return passed === null ? headers : { ...passed, ...headers };
}

export function clientGone(): OlaError {
  return new OlaError('client_closed_request', 'The client closed the connection.');
}
