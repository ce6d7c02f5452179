/**
 * A real OpenAI-compatible server on loopback that misbehaves on demand: what it does is chosen by the model's name, and
 * it speaks bytes, so that every misbehaviour is possible.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** One request as it came in. */
export interface Received {
  /** Request line and headers. */
  readonly head: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly bytes: Buffer;
  readonly socket: Socket;
  /** When the connection was closed by the gateway, by `performance.now()`; null while it is open. */
  closedAt(): number | null;
}

export type Behaviour = (received: Received) => void | Promise<void>;

export interface Upstream {
  readonly port: number;
  readonly baseUrl: string;
  /** Connections that are open now. */
  open(): number;
  readonly received: Received[];
  /** What a model's name leads to; a name without one gets a plain answer, whole or as a stream. */
  readonly modes: Map<string, Behaviour>;
  /** The one request for this model; fails when there are more or none. */
  requestFor(model: string): Received;
  for(model: string): Received[];
  /** Answers when nobody listens any more. */
  close(): Promise<void>;
}

/** @param tls with it, it speaks TLS and nothing else */
export async function upstream(tls?: TlsOptions): Promise<Upstream> {
  const received: Received[] = [];
  const modes = new Map<string, Behaviour>();
  const open = new Set<Socket>();
  const serve = (socket: Socket) => {
    open.add(socket);
    let closedAt: number | null = null;
    let held: Buffer = Buffer.alloc(0);
    const gone = () => {
      closedAt ??= performance.now();
      open.delete(socket);
    };
    socket.on('error', gone).on('close', gone).on('end', gone);
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let taken = takeRequest(held); taken !== null; taken = takeRequest(held)) {
        held = held.subarray(taken.length);
        const request = { ...taken, socket, closedAt: () => closedAt };
        received.push(request);
        void (modes.get(modelOf(request)) ?? plain)(request);
      }
    });
  };
  const server =
    tls === undefined
      ? createServer({ noDelay: true }, serve)
      : createTlsServer({ ...tls, noDelay: true }, serve).on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const requestsFor = (model: string) => received.filter((each) => modelOf(each) === model);
  return {
    port,
    baseUrl: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/v1`,
    open: () => open.size,
    received,
    modes,
    for: requestsFor,
    requestFor(model) {
      const [one, ...others] = requestsFor(model);
      if (one === undefined || others.length > 0)
        throw new Error(`${others.length + (one ? 1 : 0)} requests for ${model}, not one`);
      return one;
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      return closed;
    },
  };
}

/** A whole request at the front of the bytes; ola always declares the length. */
function takeRequest(bytes: Buffer) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.subarray(0, end).toString('latin1');
  const headers = new Map(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const),
  );
  const length = end + 4 + Number(headers.get('content-length') ?? 0);
  if (bytes.length < length) return null;
  const body = bytes.subarray(end + 4, length);
  return { head, headers, body: body.toString(), bytes: Buffer.from(body), length };
}

/** Of the path, where the protocol has it there; of a JSON body, or of a form's first field of that name. */
function modelOf({ head, body }: { readonly head: string; readonly body: string }): string {
  const inPath = /^POST \S*\/(?:models\/([^/:]+):|model\/([^/]+)\/converse)/.exec(head);
  if (inPath !== null) return decodeURIComponent(inPath[1] ?? inPath[2] ?? '');
  if (body.startsWith('--')) return /; name="model"\r\n\r\n(.*?)\r\n--/s.exec(body)?.[1] ?? '';
  try {
    return String((JSON.parse(body) as { model?: unknown }).model);
  } catch {
    return '';
  }
}

export const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

export function completion(content: string): object {
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'up', choices, usage };
}

/** One event of a stream. */
export function event(content: string, more: object = {}): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'up', choices, ...more })}\n\n`;
}

export const usageEvent = event('', { choices: [], usage });
export const done = 'data: [DONE]\n\n';

/** An answer with its length, on a connection that stays. */
export function answer(
  status: number,
  body: string | Buffer | object,
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const given = { 'content-type': 'application/json', ...headers, 'content-length': String(bytes.length) };
  return ({ socket }) => {
    socket.write(`HTTP/1.1 ${status} Status\r\n${lines(given)}\r\n`);
    socket.write(bytes);
  };
}

/** The head of an event stream in chunked framing; what follows goes through `chunk`. */
export const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
export const lastChunk = '0\r\n\r\n';

export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** A stream that sends these events at once and ends well. */
export function stream(...events: readonly string[]): Behaviour {
  return ({ socket }) => void socket.write(streamHead + events.map(chunk).join('') + lastChunk);
}

/** Bytes as they are. */
export function bytes(text: string, then: 'keep' | 'end' | 'reset' = 'keep'): Behaviour {
  return ({ socket }) => {
    socket.write(text, () => {
      // Late enough for what was written to be read first: Bun's fetch drops what it holds when the connection fails.
      if (then === 'end') setTimeout(() => socket.end(), 30);
      else if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 30);
    });
  };
}

/** What a good provider does: a stream has usage only when it is asked for. */
const plain: Behaviour = (received) => {
  const asked = JSON.parse(received.body === '' ? '{}' : received.body) as {
    stream?: boolean;
    stream_options?: { include_usage?: boolean };
  };
  if (asked.stream !== true) return answer(200, completion('Hello'))(received);
  const tail = asked.stream_options?.include_usage === true ? [usageEvent, done] : [done];
  return stream(event('Hel'), event('lo'), ...tail)(received);
};

function lines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
