/** What the inputs of this folder are made of: rows, pieces of streams, and how they are sent. */
import type { Call, Outcome } from '../player.ts';
import { answer, type Behaviour, bytes, chunk, completion, event, lastChunk, usage } from '../upstream.ts';

/** The call's outcome through ola. */
export type Through =
  /** What it is without ola. */
  | 'same'
  /** A good outcome with these facts, where it is a worse one without ola. */
  | { readonly better: Partial<Outcome> }
  | Told
  /** The error that it is without ola, with these headers. */
  | { readonly headers: Readonly<Record<string, string | null>> };

/** An error of ola's: without ola it is an error too, or a silently short answer, or one without anything in it. */
export interface Told {
  /** Ola's code. */
  readonly told: string;
  /** Absent for one that comes behind the head of a stream. */
  readonly status?: number;
  /** The code on the wire, where it is another one. */
  readonly code?: string;
  /** Words of the body. */
  readonly says?: RegExp;
  /** The text that came before it. */
  readonly after?: string;
}

export type Row = readonly [what: string, call: Call, sends: Behaviour, through: Through];

export const chunkOf = (choice: object, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [choice], ...more })}\n\n`;
export const said = event('Hel') + event('lo');
export const finish = (reason: string | null, more: object = {}) =>
  chunkOf({ index: 0, delta: {}, finish_reason: reason, ...more });
export const stop = finish('stop');
export const done = 'data: [DONE]\n\n';
export const usageChunk = event('', { choices: [], usage });
export const hello = { text: 'Hello', finish: 'stop' } as const;
export const whole = JSON.stringify(completion('Hello'));
export const withoutBlank = (text: string) => text.replace(/\n+$/, '');

export type Framing = 'in chunks' | 'by length' | 'by close';
export const framings: readonly Framing[] = ['in chunks', 'by length', 'by close'];
export interface Head {
  readonly type?: string | null;
  readonly lines?: string;
  readonly status?: string;
}

export function framed(text: string, framing: Framing = 'in chunks', head: Head = {}): string {
  const { type = 'text/event-stream', lines = '', status = '200 OK' } = head;
  const label = type === null ? '' : `content-type: ${type}\r\n`;
  const start = `HTTP/1.1 ${status}\r\n${label}${lines}`;
  if (framing === 'by length') return `${start}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  if (framing === 'by close') return `${start}connection: close\r\n\r\n${text}`;
  return `${start}transfer-encoding: chunked\r\n\r\n${text === '' ? '' : chunk(text)}${lastChunk}`;
}

export const sends = (text: string, framing: Framing = 'in chunks', head: Head = {}): Behaviour =>
  bytes(framed(text, framing, head), framing === 'by close' ? 'end' : 'keep');
/** Without the last chunk: what comes then is the connection's end. */
export const cut = (text: string, how: 'end' | 'reset' = 'end'): Behaviour =>
  bytes(framed(text).slice(0, -lastChunk.length), how);
export const json = (body: object | string, status = 200, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  answer(status, body, headers);

export const inEachFraming = (what: string, call: Call, text: string, through: Through): readonly Row[] =>
  framings.map((framing) => [`${what}, ${framing}`, call, sends(text, framing), through]);

export const truncated = { told: 'upstream_truncated', after: 'Hello' } as const;

export const tool = (index: number, name: string | undefined, args: string, id?: string) =>
  chunkOf({
    index: 0,
    delta: {
      tool_calls: [{ index, ...(id === undefined ? {} : { id, type: 'function' }), function: { name, arguments: args } }],
    },
  });
/** In chunks, each of them a write of its own. Bytes are given as Latin-1. */
export function piecewise(...pieces: readonly string[]): Behaviour {
  return async ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    for (const piece of pieces) {
      await new Promise((resolve) => socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`, 'latin1', resolve));
      await Bun.sleep(1);
    }
    socket.write(lastChunk);
  };
}

export function bytesOf(raw: Buffer): Behaviour {
  return ({ socket }) => void socket.write(raw);
}

export const good = said + stop + done;
