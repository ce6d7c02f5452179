/** A chat completion from beginning to end: reserve, route, try, answer, settle, record. */
import { catalogVersion } from '../catalog/models.ts';
import type { Principal } from '../core/access.ts';
import { createBag, type InBag } from '../core/bag.ts';
import type { ChatRequest } from '../core/chat.ts';
import type { Egress } from '../core/egress.ts';
import { asOlaError, OlaError } from '../core/errors.ts';
import type { Clock, Log, Reply } from '../core/ports.ts';
import type { Redact } from '../core/redaction.ts';
import { type AttemptRecord, noTokenCounts, type TokenCounts } from '../core/usage.ts';
import { readAnswer } from '../protocols/openai-completions/answer.ts';
import { readFailure } from '../protocols/openai-completions/errors.ts';
import { type EncodedRequest, encodeRequest } from '../protocols/openai-completions/request.ts';
import { createStreamTap } from '../protocols/openai-completions/stream.ts';
import { readAtMost } from './bodies.ts';
import { isRetryable, retryAfterSeconds, upstreamError } from './failures.ts';
import type { Limits, Reservation } from './limits.ts';
import { costMicros } from './pricing.ts';
import { interrupted, type Relay, relay } from './relay.ts';
import type { Attempt, Route } from './routing.ts';
import type { Usage } from './usage.ts';
import { circle, saysCircle } from './via.ts';

/** The body as it came, and parsed; let go once it is sent, as a stream may outlive it by far. */
export interface ChatBody {
  readonly text: string;
  readonly request: ChatRequest;
}

export interface ChatCall {
  readonly principal: Principal;
  readonly requestId: string;
  readonly client: string | null;
  readonly endpoint: string;
  /** A preferred auth profile, by header. */
  readonly profile: string | null;
  /** Gateways that the request came through, for `via`. */
  readonly via: string | null;
  readonly startedAt: number;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
  /** Takes the idle timer off the client's connection, or puts it back. */
  readonly keepOpen: (on: boolean) => void;
}

export interface Answer {
  readonly body: string | ReadableStream<Uint8Array>;
  readonly contentType: string;
  /** What answered, for `X-Ola-*`. */
  readonly attempt: Attempt;
  /** How many were tried. */
  readonly attempts: number;
}

export interface Chat {
  run(call: ChatCall, body: ChatBody): Promise<Answer>;
  /**
   * Called every second or so: keeps quiet streams and slow calls alive.
   * @param at milliseconds of a clock that does not jump
   */
  tick(at: number): void;
  /** Ends what still streams, each with an error event. */
  cutAll(error: OlaError): void;
  /** Settles what still runs when the process ends: the answer of such a call comes too late to be recorded. */
  abandonAll(error: OlaError): void;
}

export interface ChatPorts {
  readonly egress: Egress;
  readonly limits: Limits;
  readonly usage: Usage;
  readonly route: (model: string | null | undefined, profile: string | null) => Route;
  readonly redact: Redact;
  readonly now: Clock;
  readonly log: Log;
}

/** Answers are kept whole in memory while they are checked. */
const longestAnswer = 64 * 1024 * 1024;
const longestError = 64 * 1024;
/** The status says what to do; its words are not worth a longer wait. */
const slowestErrorMs = 5000;
/** Most calls are over before the server's idle timer could matter; only the others are worth a call into the runtime. */
const holdAfterMs = 5000;

/** What is gathered while a call runs, for its usage row. */
interface Progress extends InBag {
  readonly call: ChatCall;
  readonly reservation: Reservation;
  readonly requested: string;
  readonly stream: boolean;
  readonly tried: AttemptRecord[];
  attempt: Attempt | null;
  firstByteAt: number | null;
  settled: boolean;
  held: boolean;
  /** The first tick that saw it. */
  seenAt: number | null;
}

export function createChat(ports: ChatPorts): Chat {
  const { egress, limits, usage, redact, now, log } = ports;
  const streams = createBag<Relay>();
  const running = createBag<Progress>();

  function settle(progress: Progress, error: OlaError | null, tokens: TokenCounts): void {
    if (progress.settled) return;
    progress.settled = true;
    running.remove(progress);
    if (progress.held) progress.call.keepOpen(false);
    const { call, attempt, tried, firstByteAt } = progress;
    progress.reservation.settle(tokens);
    const endedAt = now();
    const cost = costMicros(attempt?.price, tokens);
    if (error !== null && error.status >= 500) {
      log.log('warn', error.message, { request: call.requestId, code: error.code, provider: attempt?.provider.id });
    }
    usage.record({
      startedAt: call.startedAt,
      requestId: call.requestId,
      subject: call.principal.subject,
      tokenId: call.principal.tokenId,
      project: call.principal.project,
      client: call.client,
      endpoint: call.endpoint,
      requested: progress.requested,
      provider: attempt?.provider.id ?? null,
      model: attempt?.model ?? null,
      profile: null,
      source: attempt?.target.credential.source ?? null,
      stream: progress.stream,
      status: error?.status ?? 200,
      error: error?.code ?? null,
      tokens,
      costMicros: cost,
      priceVersion: cost === null ? null : catalogVersion,
      // The clock may have been set back meanwhile.
      firstByteMs: firstByteAt === null ? null : Math.max(0, firstByteAt - call.startedAt),
      latencyMs: Math.max(0, endedAt - call.startedAt),
      attempts: tried.length === 0 ? null : tried,
    });
  }

  async function run(call: ChatCall, body: ChatBody): Promise<Answer> {
    const { request } = body;
    const progress: Progress = {
      call,
      reservation: limits.reserve(call.principal),
      requested: request.model ?? '',
      stream: request.stream === true,
      tried: [],
      attempt: null,
      firstByteAt: null,
      settled: false,
      held: false,
      seenAt: null,
      slot: -1,
    };
    running.add(progress);
    try {
      const { attempts } = ports.route(request.model, call.profile);
      return await tryInTurn(attempts, body, progress);
    } catch (thrown) {
      const error = call.signal.aborted ? clientGone() : asOlaError(thrown);
      settle(progress, error, noTokenCounts);
      throw error;
    }
  }

  async function tryInTurn(attempts: Route['attempts'], body: ChatBody, progress: Progress): Promise<Answer> {
    let last: unknown;
    for (const attempt of attempts) {
      const startedAt = now();
      progress.attempt = attempt;
      try {
        return await tryOne(attempt, body, progress);
      } catch (thrown) {
        if (progress.call.signal.aborted) throw thrown;
        last = thrown;
        progress.tried.push(recordOf(attempt, thrown, now() - startedAt));
        if (!(thrown instanceof OlaError) || !mayGoOn(thrown)) throw thrown;
      }
    }
    throw last;
  }

  async function tryOne(attempt: Attempt, { text, request }: ChatBody, progress: Progress): Promise<Answer> {
    const { provider, model, target } = attempt;
    const encoded = encodeRequest(text, request, model, provider.quirks);
    const reply = await egress.send(provider.destination, {
      method: 'POST',
      path: '/chat/completions',
      headers: headersOf(target, progress.call),
      body: encoded.body,
      signal: progress.call.signal,
    });
    if (reply.status < 200 || reply.status > 299) throw await refused(provider.id, reply);
    const encoding = reply.header('content-encoding');
    if (encoding !== null && encoding !== 'identity') {
      throw unexpected(reply, `Provider '${provider.id}' compressed its answer, which it was asked not to do.`);
    }
    return progress.stream ? stream(attempt, reply, encoded, progress) : whole(attempt, reply, progress);
  }

  async function refused(provider: string, reply: Reply): Promise<OlaError> {
    const body = await readAtMost(reply, longestError, slowestErrorMs).catch(() => '');
    if (saysCircle(reply.status, body ?? '')) return circle(provider);
    const failure = readFailure(reply.status, body ?? '');
    const error = upstreamError(provider, failure, retryAfterSeconds(reply.header('retry-after'), now()), redact);
    retryable.set(error, isRetryable(failure));
    return error;
  }

  async function whole(attempt: Attempt, reply: Reply, progress: Progress): Promise<Answer> {
    const provider = attempt.provider.id;
    let text: string | null;
    try {
      text = await readAtMost(reply, longestAnswer);
    } catch (cause) {
      const error = interrupted(provider, cause);
      // It had begun to answer, and will charge for it: nobody is asked a second time.
      retryable.set(error, false);
      throw error;
    }
    if (text === null) throw new OlaError('provider_error', `Provider '${provider}' answered more than ${longestAnswer} bytes.`);
    const tokens = readAnswer(text, provider);
    progress.firstByteAt = now();
    settle(progress, null, tokens);
    return { body: text, contentType: 'application/json', attempt, attempts: progress.tried.length + 1 };
  }

  function stream(attempt: Attempt, reply: Reply, encoded: EncodedRequest, progress: Progress): Answer {
    const provider = attempt.provider.id;
    const type = reply.header('content-type');
    if (type === null || !type.toLowerCase().startsWith('text/event-stream')) {
      throw unexpected(reply, `Provider '${provider}' was asked for a stream and answered something else.`);
    }
    const tap = createStreamTap(encoded.usageAsked);
    let relayed: Relay | null = null;
    let over = false;
    relayed = relay(reply, tap, {
      provider,
      onFirstByte: () => {
        progress.firstByteAt = now();
      },
      onEnd: (error) => {
        over = true;
        if (relayed !== null) streams.remove(relayed);
        // A client that leaves may first show as an upstream that was cut off.
        settle(progress, error !== null && progress.call.signal.aborted ? clientGone() : error, tap.tokens);
      },
    });
    if (!over) streams.add(relayed);
    return { body: relayed.stream, contentType: 'text/event-stream', attempt, attempts: progress.tried.length + 1 };
  }

  return {
    run,
    tick(at) {
      for (const each of streams.items()) each.beat(at);
      for (const progress of running.items()) {
        progress.seenAt ??= at;
        if (progress.held || at - progress.seenAt < holdAfterMs) continue;
        progress.held = true;
        progress.call.keepOpen(true);
      }
    },
    cutAll(error) {
      for (const each of streams.items()) each.cut(error);
    },
    abandonAll(error) {
      for (const progress of running.items()) settle(progress, error, noTokenCounts);
    },
  };
}

function headersOf({ headers }: Attempt['target'], { via }: ChatCall): Readonly<Record<string, string>> {
  return via === null ? headers : { ...headers, via: `${via}, ${headers['via']}` };
}

/** Kept beside the error, not in it: what an upstream's answer means for the next attempt. */
const retryable = new WeakMap<OlaError, boolean>();

function mayGoOn(error: OlaError): boolean {
  return retryable.get(error) ?? (error.code === 'upstream_unreachable' || error.code === 'upstream_timeout');
}

function recordOf(attempt: Attempt, thrown: unknown, milliseconds: number): AttemptRecord {
  const error = asOlaError(thrown);
  const status = error.facts.details?.['upstream_status'];
  return {
    provider: attempt.provider.id,
    model: attempt.model,
    source: attempt.target.credential.source,
    status: typeof status === 'number' ? status : null,
    error: error.code,
    milliseconds,
  };
}

/** An answer that will not be read: its connection is given up. */
function unexpected(reply: Reply, message: string): OlaError {
  reply.cancel();
  return new OlaError('provider_error', message);
}

function clientGone(): OlaError {
  return new OlaError('client_closed_request', 'The client closed the connection.');
}
