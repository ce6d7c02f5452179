/** The only reader of request bodies: declared type, counted length, deadline, JSON. */
import { createBag, type InBag } from '../core/bag.ts';
import { OlaError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { Call } from './call.ts';

/** Images travel inside chat requests. */
export const mostBodyBytes = 32 * 1024 * 1024;
const deadlineMs = 60_000;

const jsonType = /^application\/(?:json|[a-z0-9.+-]+\+json)\s*(?:;|$)/i;

export interface JsonBody {
  readonly text: string;
  readonly value: Json;
}

/** @throws OlaError `unsupported_media_type`, `request_too_large`, `request_timeout`, `invalid_json` */
export async function readJson(call: Call): Promise<JsonBody> {
  const { headers } = call.request;
  // A page of another site can post text/plain without asking first; it cannot post this.
  if (!jsonType.test(headers.get('content-type') ?? '')) {
    throw new OlaError('unsupported_media_type', 'Send the body as JSON, with `Content-Type: application/json`.');
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    throw new OlaError('unsupported_media_type', 'Compressed request bodies are not accepted; send it without Content-Encoding.');
  }
  const text = await readText(call.request, headers.get('content-length'));
  try {
    return { text, value: JSON.parse(text) as Json };
  } catch {
    throw new OlaError('invalid_json', text === '' ? 'The body is empty; JSON is expected.' : 'The body is not valid JSON.');
  }
}

function readText(request: Request, declared: string | null): Promise<string> {
  if (declared !== null && Number(declared) > mostBodyBytes) throw tooLarge();
  const reading = declared !== null ? request.text() : readCounted(request);
  return beforeDeadline(reading);
}

/** A chunked body says no length: count what comes. */
async function readCounted(request: Request): Promise<string> {
  if (request.body === null) return '';
  const decoder = new TextDecoder();
  const reader = request.body.getReader();
  let length = 0;
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > mostBodyBytes) {
      // Not awaited: the client may never finish what it is sending.
      reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** One timer for all bodies that are being read: a timer of its own for each request would cost more than the reading. */
interface Waiting extends InBag {
  readonly until: number;
  readonly expire: () => void;
}
const waiting = createBag<Waiting>();
let sweep: ReturnType<typeof setInterval> | null = null;

function beforeDeadline(reading: Promise<string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const entry: Waiting = { until: performance.now() + deadlineMs, expire: () => reject(tooSlow()), slot: -1 };
    waiting.add(entry);
    sweep ??= setInterval(expireLate, 1000);
    const settled = (text: string) => {
      waiting.remove(entry);
      resolve(text);
    };
    reading.then(settled, (cause: unknown) => {
      waiting.remove(entry);
      reject(cause instanceof OlaError ? cause : cutShort());
    });
  });
}

function expireLate(): void {
  const now = performance.now();
  for (const entry of waiting.items()) {
    if (entry.until > now) continue;
    waiting.remove(entry);
    entry.expire();
  }
  if (waiting.size() === 0 && sweep !== null) {
    clearInterval(sweep);
    sweep = null;
  }
}

function tooLarge(): OlaError {
  return new OlaError('request_too_large', `The body is larger than ${mostBodyBytes / 1024 / 1024} MiB.`, {
    headers: { connection: 'close' },
  });
}

function tooSlow(): OlaError {
  return new OlaError('request_timeout', `The body did not arrive within ${deadlineMs / 1000} seconds.`, {
    headers: { connection: 'close' },
  });
}

function cutShort(): OlaError {
  return new OlaError('client_closed_request', 'The connection closed before the body was whole.');
}
