/** A call of OpenAI's API from beginning to end, whichever endpoint: reserve, route, try, answer, settle, record. */
import { catalogVersion } from '../../catalog/models.ts';
import type { Principal } from '../../core/access.ts';
import { createDenseList, type InDenseList } from '../../core/dense-list.ts';
import type { Egress } from '../../core/egress.ts';
import { asOlaError, OlaError } from '../../core/errors.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Form } from '../../core/multipart.ts';
import type { Clock, Log, Reply } from '../../core/ports.ts';
import type { Redact } from '../../core/redaction.ts';
import { type AttemptRecord, noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { type AnswerShape, readAnswer } from '../../protocols/openai-completions/answer.ts';
import { answerKind, type Endpoint, embeddings, moderations, plainType } from '../../protocols/openai-completions/endpoints.ts';
import { readFailure } from '../../protocols/openai-completions/errors.ts';
import { encodeForm } from '../../protocols/openai-completions/request.ts';
import { createStreamTap } from '../../protocols/openai-completions/stream.ts';
import type { Limits, Reservation } from '../access/limits.ts';
import { circle, saysCircle } from '../access/via.ts';
import type { Usage } from '../records/usage.ts';
import type { ActiveProvider } from '../routing/registry.ts';
import type { Attempt, Route } from '../routing/routing.ts';
import { brokenOff, headersOf, judged, mayGoOn, recordOf, unexpected } from './attempts.ts';
import { isRetryable, retryAfterSeconds, upstreamError } from './failures.ts';
import { costMicros } from './pricing.ts';
import { readAtMost } from './read-body.ts';
import { createByteTap, type Relay, type RelayHooks, relay, type Tap } from './relay.ts';

/** The body as it came, and parsed; let go once it is sent, as a stream may outlive it by far. */
export interface InferenceBody {
  readonly content: string | Form;
  readonly request: InferenceRequest;
}

export interface InferenceCall {
  readonly principal: Principal;
  readonly requestId: string;
  readonly client: string | null;
  readonly endpoint: Endpoint;
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

export interface Inference {
  run(call: InferenceCall, body: InferenceBody): Promise<Answer>;
  /**
   * Called every second or so: keeps quiet streams and slow calls alive.
   * @param at milliseconds of a clock that does not jump
   */
  tick(at: number): void;
  /** Ends what still streams, each with an error. */
  cutAll(error: OlaError): void;
  /** Settles what still runs when the process ends: the answer of such a call comes too late to be recorded. */
  abandonAll(error: OlaError): void;
}

export interface InferencePorts {
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
interface Progress extends InDenseList {
  readonly call: InferenceCall;
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

export function createInference(ports: InferencePorts): Inference {
  const { egress, limits, usage, redact, now, log } = ports;
  const streams = createDenseList<Relay>();
  const running = createDenseList<Progress>();

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
      endpoint: call.endpoint.path,
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

  async function run(call: InferenceCall, body: InferenceBody): Promise<Answer> {
    const { request } = body;
    const progress: Progress = {
      call,
      reservation: limits.reserve(call.principal),
      requested: request.model ?? '',
      stream: request.stream === true && call.endpoint.stream !== null,
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
      mustName(call.endpoint, request.model);
      const { attempts } = ports.route(request.model, call.profile);
      mustServe(call.endpoint, attempts[0].provider);
      return await tryInTurn(attempts, body, progress);
    } catch (thrown) {
      const error = call.signal.aborted ? clientGone() : asOlaError(thrown);
      settle(progress, error, noTokenCounts);
      throw error;
    }
  }

  async function tryInTurn(attempts: Route['attempts'], body: InferenceBody, progress: Progress): Promise<Answer> {
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

  async function tryOne(attempt: Attempt, { content, request }: InferenceBody, progress: Progress): Promise<Answer> {
    const { provider, model, target } = attempt;
    const { call } = progress;
    const { endpoint } = call;
    const encoded =
      typeof content === 'string'
        ? endpoint.encode(content, request, model, provider.quirks)
        : { body: encodeForm(content, model), usageAsked: true };
    const reply = await egress.send(provider.destination, {
      method: 'POST',
      path: endpoint.upstreamPath,
      headers: headersOf(target, call.via, content),
      body: encoded.body,
      signal: call.signal,
    });
    if (reply.status < 200 || reply.status > 299) throw await refused(provider.id, endpoint, reply);
    const encoding = reply.header('content-encoding');
    if (encoding !== null && encoding !== 'identity') {
      throw unexpected(reply, `Provider '${provider.id}' compressed its answer, which it was asked not to do.`);
    }
    const kind = answerKind(endpoint, progress.stream, reply);
    if (kind === 'events') return events(attempt, reply, encoded.usageAsked, progress);
    if (kind === 'json' && endpoint.json !== null) return await whole(attempt, reply, endpoint.json, progress);
    if (kind === 'bytes') return await bytes(attempt, reply, progress);
    throw unexpected(reply, `Provider '${provider.id}' answered in a type that ${endpoint.path} does not have.`);
  }

  async function refused(provider: string, endpoint: Endpoint, reply: Reply): Promise<OlaError> {
    const body = await errorText(reply);
    if (saysCircle(reply.status, body)) return circle(provider);
    const failure = readFailure(reply.status, body);
    const retryAfter = retryAfterSeconds(reply.header('retry-after'), now());
    const error = upstreamError({ provider, path: endpoint.upstreamPath, failure, retryAfter, redact });
    return judged(error, isRetryable(failure));
  }

  async function whole(attempt: Attempt, reply: Reply, shape: AnswerShape, progress: Progress): Promise<Answer> {
    const provider = attempt.provider.id;
    let text: string | null;
    try {
      const reading = readAtMost(reply, longestAnswer);
      text = reading instanceof Promise ? await reading : reading;
    } catch (cause) {
      throw brokenOff(provider, cause);
    }
    if (text === null) throw new OlaError('provider_error', `Provider '${provider}' answered more than ${longestAnswer} bytes.`);
    const tokens = readAnswer(text, provider, shape);
    progress.firstByteAt = now();
    settle(progress, null, tokens);
    return { body: text, contentType: 'application/json', attempt, attempts: progress.tried.length + 1 };
  }

  function events(attempt: Attempt, reply: Reply, usageAsked: boolean, progress: Progress): Answer {
    const type = reply.header('content-type');
    if (type === null || !type.toLowerCase().startsWith('text/event-stream')) {
      throw unexpected(reply, `Provider '${attempt.provider.id}' was asked for a stream and answered something else.`);
    }
    const tap = createStreamTap(usageAsked, progress.call.endpoint.stream === 'typed');
    return relayed(attempt, reply, tap, 'text/event-stream', progress);
  }

  /** The first of them are awaited: what breaks before anything was sent can still be told as an error. */
  async function bytes(attempt: Attempt, reply: Reply, progress: Progress): Promise<Answer> {
    const type = plainType(reply.header('content-type') ?? '');
    let opening: Uint8Array | null;
    try {
      opening = await reply.read();
    } catch (cause) {
      throw brokenOff(attempt.provider.id, cause);
    }
    if (opening === null) {
      progress.firstByteAt = now();
      settle(progress, null, noTokenCounts);
      return { body: '', contentType: type, attempt, attempts: progress.tried.length + 1 };
    }
    return relayed(attempt, reply, createByteTap(), type, progress, opening);
  }

  function relayed(
    attempt: Attempt,
    reply: Reply,
    tap: Tap,
    contentType: string,
    progress: Progress,
    opening?: Uint8Array,
  ): Answer {
    let stream: Relay | null = null;
    let over = false;
    const hooks: RelayHooks = {
      provider: attempt.provider.id,
      onFirstByte: () => {
        progress.firstByteAt = now();
      },
      onEnd: (error) => {
        over = true;
        if (stream !== null) streams.remove(stream);
        // A client that leaves may first show as an upstream that was cut off.
        settle(progress, error !== null && progress.call.signal.aborted ? clientGone() : error, tap.tokens);
      },
    };
    stream = relay(reply, tap, opening === undefined ? hooks : { ...hooks, opening });
    if (!over) streams.add(stream);
    return { body: stream.stream, contentType, attempt, attempts: progress.tried.length + 1 };
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

/** What cannot be read of an error is as good as empty: its status says what to do. */
async function errorText(reply: Reply): Promise<string> {
  try {
    return (await readAtMost(reply, longestError, slowestErrorMs)) ?? '';
  } catch {
    return '';
  }
}

/** The default model is one to chat with: what is to be judged must not go to it because nobody said where to. */
function mustName(endpoint: Endpoint, model: string | null | undefined): void {
  const name = (model ?? '').trim();
  if (endpoint !== moderations || (name !== '' && name !== 'default')) return;
  const message = 'A moderation needs a model that does it; name one, for example `openai/omni-moderation-latest`.';
  throw new OlaError('model_not_found', message, { param: 'model' });
}

function mustServe(endpoint: Endpoint, { id, noEmbeddings }: ActiveProvider): void {
  if (endpoint !== embeddings || !noEmbeddings) return;
  const message = `Provider '${id}' has no embeddings; name a model of a provider that has, for example \`openai/text-embedding-3-small\`.`;
  throw new OlaError('embeddings_not_supported', message, { param: 'model', details: { provider: id } });
}

function clientGone(): OlaError {
  return new OlaError('client_closed_request', 'The client closed the connection.');
}
