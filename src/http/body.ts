/** The only reader of request bodies: declared type, counted length, deadline, JSON or a form. */

import { joinBytes } from '../core/bytes.ts';
import { createDenseList, type InDenseList } from '../core/dense-list.ts';
import { OlaError } from '../core/errors.ts';
import { isTooDeep, type Json } from '../core/json.ts';
import { findJsonFault } from '../core/json-fault.ts';
import { boundaryOf, type Form, readForm } from '../core/multipart.ts';
import type { Call } from './call.ts';

/** Images travel inside chat requests. */
export const mostBodyBytes = 32 * 1024 * 1024;
const deadlineMs = 60_000;

const jsonType = /^application\/(?:json|[a-z0-9.+-]+\+json)\s*(?:;|$)/i;

export interface JsonBody {
  readonly text: string;
  readonly value: Json;
}

/** @throws OlaError `unsupported_media_type`, `request_too_large`, `request_timeout`, `invalid_json`; the first two at once */
export function readJson(call: Call): Promise<JsonBody> {
  const { headers } = call.request;
  // A page of another site can post text/plain without asking first; it cannot post this.
  const type = headers.get('content-type') ?? '';
  if (type !== 'application/json' && !jsonType.test(type)) {
    throw noJsonType();
  }
  refuseCompressed(headers);
  return readBytes(call, parseJson);
}

function parseJson(bytes: Uint8Array): JsonBody {
  const text = decode(bytes);
  if (isTooDeep(text)) throw new OlaError('invalid_json', 'The body is nested too deeply to be read.');
  try {
    return { text, value: JSON.parse(text) as Json };
  } catch {
    throw noJson(text);
  }
}

/**
 * A form, files and all, which another site's page could post without asking: admission and the token keep it out.
 * @throws OlaError `unsupported_media_type`, `request_too_large`, `request_timeout`, `invalid_request` for what is malformed
 */
export async function readMultipart(call: Call): Promise<Form> {
  const { headers } = call.request;
  const boundary = boundaryOf(headers.get('content-type') ?? '');
  if (boundary === null) {
    const message = 'Send the body as a form, with `Content-Type: multipart/form-data; boundary=...`.';
    throw new OlaError('unsupported_media_type', message);
  }
  refuseCompressed(headers);
  return readBytes(call, (bytes) => readForm(bytes as Uint8Array<ArrayBuffer>, boundary));
}

/** An empty member of the list, and `identity` in any case, are no coding (RFC 9110, 5.6.1 and 8.4). */
function refuseCompressed(headers: Headers): void {
  const codings = headers.get('content-encoding')?.split(',') ?? [];
  if (codings.every((coding) => ['', 'identity'].includes(coding.trim().toLowerCase()))) return;
  throw new OlaError('unsupported_media_type', 'Compressed request bodies are not accepted; send it without Content-Encoding.', {
    headers: { 'accept-encoding': 'identity' },
  });
}

/** Limits the silence behind an answer that leaves the body unread. A call into the runtime: a body that is read costs none. */
export function limitUnread(call: Call): void {
  if (call.body !== 'unread' || !announcesBody(call.request.headers)) return;
  call.body = 'limited';
  call.connection.awaitBody(call.request);
}

function announcesBody(headers: Headers): boolean {
  return (headers.get('content-length') ?? '0') !== '0' || headers.has('transfer-encoding');
}

/** @param parse makes the result of the whole body */
function readBytes<Body>(call: Call, parse: (bytes: Uint8Array) => Body): Promise<Body> {
  const { request, connection } = call;
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > mostBodyBytes) throw tooLarge();
  if (call.body === 'limited') connection.release(request);
  call.body = 'reading';
  return beforeDeadline(call, declared !== null ? request.bytes() : readCounted(request), parse);
}

/** What is not UTF-8 is no JSON (RFC 8259, 8.1); replaced by U+FFFD it would go on as something that nobody wrote. */
const decoder = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new OlaError('invalid_json', 'The body is not valid JSON: it has bytes that are not UTF-8.');
  }
}

/** A chunked body says no length: count what comes. */
async function readCounted(request: Request): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return joinBytes(chunks);
      length += value.length;
      if (length > mostBodyBytes) throw tooLarge();
      chunks.push(value);
    }
  } catch (thrown) {
    // Not awaited: the client may never finish what it is sending.
    reader.cancel().catch(() => undefined);
    throw thrown;
  }
}

/** One timer for all bodies that are being read: a timer of its own for each request would cost more than the reading. */
interface Waiting extends InDenseList {
  readonly call: Call;
  /** In milliseconds of `performance.now()`. */
  readonly since: number;
  /** True once the connection's limit of silence is off: the bytes of a body do not set it back, so it would cut a slow one. */
  held: boolean;
  readonly expire: () => void;
}
/** Few bodies take as long; only those are worth a call into the runtime. */
const holdAfterMs = 5000;
const waiting = createDenseList<Waiting>();
let sweep: ReturnType<typeof setInterval> | null = null;

function beforeDeadline<Body>(call: Call, reading: Promise<Uint8Array>, parse: (bytes: Uint8Array) => Body): Promise<Body> {
  return new Promise((resolve, reject) => {
    const entry: Waiting = { call, since: performance.now(), held: false, expire: () => reject(tooSlow()), slot: -1 };
    waiting.add(entry);
    sweep ??= setInterval(watchWaiting, 1000);
    const settled = (bytes: Uint8Array) => {
      leave(entry, 'read');
      try {
        resolve(parse(bytes));
      } catch (fault) {
        reject(fault);
      }
    };
    reading.then(settled, (cause: unknown) => {
      leave(entry, 'incomplete');
      reject(cause instanceof OlaError ? cause : cutShort());
    });
  });
}

function leave(entry: Waiting, body: 'read' | 'incomplete'): void {
  waiting.remove(entry);
  const { connection, request } = entry.call;
  if (body === 'incomplete') connection.awaitBody(request);
  else if (entry.held) connection.release(request);
}

function watchWaiting(): void {
  const now = performance.now();
  for (const entry of waiting.items()) {
    const waited = now - entry.since;
    if (waited >= deadlineMs) {
      leave(entry, 'incomplete');
      entry.expire();
    } else if (waited >= holdAfterMs && !entry.held) {
      entry.held = true;
      entry.call.connection.hold(entry.call.request);
    }
  }
  if (waiting.size() === 0 && sweep !== null) {
    clearInterval(sweep);
    sweep = null;
  }
}

/** Longest text that is searched for its fault, in characters: everybody else waits for 0.1 s of it. */
const longestSearched = 256 * 1024;

/** @param text of the body; the message repeats nothing of it */
export function noJson(text: string): OlaError {
  if (text === '') return new OlaError('invalid_json', 'The body is empty; JSON is expected.');
  const fault = text.length > longestSearched ? null : findJsonFault(text);
  const where = fault && `: at line ${fault.line}, column ${fault.column} it has ${fault.found} in place of ${fault.expected}`;
  return new OlaError('invalid_json', `The body is not valid JSON${where ?? ''}.`);
}

export function noJsonType(): OlaError {
  return new OlaError('unsupported_media_type', 'Send the body as JSON, with `Content-Type: application/json`.');
}

export function tooLarge(): OlaError {
  return new OlaError('request_too_large', `The body is larger than ${mostBodyBytes / 1024 / 1024} MiB.`);
}

export function tooSlow(): OlaError {
  return new OlaError('request_timeout', `The body did not arrive within ${deadlineMs / 1000} seconds.`, {
    headers: { connection: 'close' },
  });
}

function cutShort(): OlaError {
  return new OlaError('client_closed_request', 'The connection closed before the body was whole.');
}
