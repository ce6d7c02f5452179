/** One attempt: an exchange is signed, sent and read, and ends in a value: an answer, or a failure that says what may follow. */
import type { Egress } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import type { Clock, HeaderMap, Reply } from '../../core/ports.ts';
import type { Exchange, StreamPipe } from '../../core/protocol.ts';
import type { Redact } from '../../core/redaction.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { circle, saysCircle } from '../access/via.ts';
import type { Attempt } from '../routing/routing.ts';
import type { Answer, InferenceRequest } from './call.ts';
import { type AttemptFailure, broken, brokenOff, malformed, refused, unexpected } from './failures.ts';
import type { Progress } from './progress.ts';
import { readAtMost } from './read-body.ts';
import { createBytePipe, type RelayHooks, relay } from './relay.ts';

export interface AttemptPorts {
  readonly egress: Egress;
  readonly redact: Redact;
  readonly now: Clock;
  readonly settle: (progress: Progress, error: OlaError | null, tokens: TokenCounts) => void;
}

export type Outcome = { readonly answer: Answer } | AttemptFailure;

/** Bytes. Answers are kept whole in memory while they are checked. */
const longestAnswer = 64 * 1024 * 1024;
/** Bytes. */
const longestError = 64 * 1024;
/** Milliseconds. The status says what to do; the words of an error are not worth a longer wait. */
const slowestErrorMs = 5000;

/** @throws whatever the client's signal aborted with; every other failure is a value */
export async function tryOnce(
  ports: AttemptPorts,
  progress: Progress,
  attempt: Attempt,
  request: InferenceRequest,
): Promise<Outcome> {
  const { endpoint, provider } = attempt;
  const exchange = progress.call.protocol.direct(request, { id: attempt.model, quirks: endpoint.quirks });
  if (exchange === null) return unexpected(`Provider '${provider.id}' does not serve ${request.route.path}.`);
  let reply: Reply;
  try {
    const signed = attempt.candidate.sign(exchange, ports.now());
    reply = await ports.egress.send(endpoint.destination, {
      method: exchange.method,
      path: exchange.path,
      headers: headersOf(signed instanceof Promise ? await signed : signed, progress.call.via, exchange),
      body: exchange.body,
      signal: progress.call.signal,
    });
  } catch (thrown) {
    return broken(thrown);
  }
  return read(ports, progress, attempt, { exchange, reply });
}

/** The signed headers themselves for most calls, so that what is made of them is made once. */
function headersOf(signed: HeaderMap, via: string | null, { contentType }: Exchange): HeaderMap {
  if (via === null && contentType === null) return signed;
  return {
    ...signed,
    ...(via === null ? {} : { via: `${via}, ${signed['via']}` }),
    ...(contentType === null ? {} : { 'content-type': contentType }),
  };
}

/** An exchange and the answer to it. */
interface Exchanged {
  readonly exchange: Exchange;
  readonly reply: Reply;
}

function read(ports: AttemptPorts, progress: Progress, attempt: Attempt, exchanged: Exchanged): Outcome | Promise<Outcome> {
  const { exchange, reply } = exchanged;
  const provider = attempt.provider.id;
  if (reply.status < 200 || reply.status > 299) return readRefusal(ports, progress, attempt, exchanged);
  const encoding = reply.header('content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    return unexpected(`Provider '${provider}' compressed its answer, which it was asked not to do.`, reply);
  }
  const kind = exchange.answerKind(reply.header);
  if (kind === 'whole') return readWhole(ports, progress, attempt, exchanged);
  if (kind === 'bytes') return readBytes(ports, progress, attempt, exchanged);
  if (kind === null)
    return unexpected(`Provider '${provider}' answered in a type that ${progress.route.path} does not have.`, reply);
  const type = reply.header('content-type');
  if (type === null || !type.toLowerCase().startsWith('text/event-stream')) {
    return unexpected(`Provider '${provider}' was asked for a stream and answered something else.`, reply);
  }
  return { answer: relayed(ports, progress, attempt, exchanged, exchange.pipe()) };
}

async function readRefusal(
  { redact, now }: AttemptPorts,
  progress: Progress,
  attempt: Attempt,
  { exchange, reply }: Exchanged,
): Promise<Outcome> {
  const body = await errorText(reply);
  const provider = attempt.provider.id;
  if (saysCircle(reply.status, body)) return broken(circle(provider));
  const failure = progress.call.protocol.readFailure(reply.status, reply.header, body);
  return refused({ provider, path: exchange.path, failure, retryAfterHeader: reply.header('retry-after'), now: now(), redact });
}

/** The text of an error; empty when it cannot be read, as its status says what to do. */
async function errorText(reply: Reply): Promise<string> {
  try {
    return (await readAtMost(reply, longestError, slowestErrorMs)) ?? '';
  } catch {
    return '';
  }
}

async function readWhole(
  ports: AttemptPorts,
  progress: Progress,
  attempt: Attempt,
  { exchange, reply }: Exchanged,
): Promise<Outcome> {
  const provider = attempt.provider.id;
  let text: string | null;
  try {
    const reading = readAtMost(reply, longestAnswer);
    text = reading instanceof Promise ? await reading : reading;
  } catch (cause) {
    return brokenOff(provider, cause);
  }
  if (text === null) return unexpected(`Provider '${provider}' answered more than ${longestAnswer} bytes.`);
  const whole = exchange.whole(text);
  if (!('body' in whole)) return malformed(provider, whole);
  progress.firstByteAt = ports.now();
  ports.settle(progress, null, whole.tokens);
  return { answer: { body: whole.body, headers: headersFor(progress, attempt, 'application/json') } };
}

/** The first bytes are awaited: an answer that breaks before anything was sent can still be told as an error. */
async function readBytes(ports: AttemptPorts, progress: Progress, attempt: Attempt, exchanged: Exchanged): Promise<Outcome> {
  let opening: Uint8Array | null;
  try {
    opening = await exchanged.reply.read();
  } catch (cause) {
    return brokenOff(attempt.provider.id, cause);
  }
  if (opening !== null) return { answer: relayed(ports, progress, attempt, exchanged, createBytePipe(), opening) };
  const { exchange, reply } = exchanged;
  progress.firstByteAt = ports.now();
  ports.settle(progress, null, noTokenCounts);
  return { answer: { body: '', headers: headersFor(progress, attempt, exchange.labelOf('bytes', reply.header)) } };
}

function relayed(
  ports: AttemptPorts,
  progress: Progress,
  attempt: Attempt,
  { exchange, reply }: Exchanged,
  pipe: StreamPipe,
  opening?: Uint8Array,
): Answer {
  const { protocol } = progress.call;
  const hooks: RelayHooks = {
    provider: attempt.provider.id,
    protocol,
    onFirstByte: () => {
      progress.firstByteAt = ports.now();
    },
    onEnd: (error) => {
      progress.relay = null;
      // A client that leaves may first show as an upstream that was cut off.
      ports.settle(progress, error !== null && progress.call.signal.aborted ? clientGone() : error, pipe.tokens);
    },
  };
  const stream = relay(reply, pipe, opening === undefined ? hooks : { ...hooks, opening });
  if (!progress.settled) progress.relay = stream;
  const label = exchange.labelOf(opening === undefined ? 'stream' : 'bytes', reply.header);
  return { body: stream.stream, headers: headersFor(progress, attempt, label) };
}

function headersFor(progress: Progress, { provider, model }: Attempt, contentType: string): Answer['headers'] {
  const headers: Record<string, string> = {
    'content-type': contentType,
    'x-ola-provider': provider.id,
    'x-ola-model': headerSafe(model),
  };
  if (contentType === 'text/event-stream') headers['cache-control'] = 'no-cache';
  // The label of bytes is the upstream's word: a browser must not look into them and find a page.
  else if (contentType !== 'application/json') headers['x-content-type-options'] = 'nosniff';
  if (progress.failed.length > 0) headers['x-ola-attempts'] = String(progress.failed.length + 1);
  return headers;
}

/** A model id may have any characters; a header may not. */
function headerSafe(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}

export function clientGone(): OlaError {
  return new OlaError('client_closed_request', 'The client closed the connection.');
}
