/** A client that speaks bytes: for requests no proper client sends, and for readers that stop reading. */
import { connect, type Socket } from 'node:net';
import { until } from './stage.ts';

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** Chunked framing taken off; of a body that has not ended, what has come. */
  readonly text: string;
  readonly whole: boolean;
}

export interface Wire {
  readonly socket: Socket;
  send(bytes: string | Uint8Array): void;
  /** What has come so far, in latin1. */
  received(): string;
  replies(): Reply[];
  closed(): boolean;
}

export async function open(port: number): Promise<Wire> {
  const parts: Buffer[] = [];
  let closed = false;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('data', (chunk: Buffer) => parts.push(chunk));
  socket.on('close', () => {
    closed = true;
  });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  // Later errors are how the other side ends a connection.
  socket.removeAllListeners('error').on('error', () => undefined);
  const received = () => Buffer.concat(parts).toString('latin1');
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    received,
    replies: () => parseReplies(received()),
    closed: () => closed,
  };
}

/**
 * Sends bytes and waits for so many whole replies, or the end of the connection.
 * @returns what came, whole or not; an empty list when the connection was closed without a word
 */
export async function exchange(port: number, bytes: string | Uint8Array, count = 1): Promise<Reply[]> {
  const wire = await open(port);
  wire.send(bytes);
  const came = () => wire.closed() || wire.replies().filter(({ whole }) => whole).length >= count;
  await until(() => `${count} replies, but: ${wire.received().slice(0, 500)}`, came);
  wire.socket.destroy();
  return wire.replies();
}

/** A raw client that asks for a chat completion, so that it can leave, or not read. */
export async function openChat(port: number, token: string, body: object): Promise<Wire> {
  const text = JSON.stringify({ messages: [{ role: 'user', content: 'x' }], ...body });
  const wire = await open(port);
  const headers = [`Authorization: Bearer ${token}`, 'Content-Type: application/json', `Content-Length: ${text.length}`];
  wire.send(requestBytes('POST /v1/chat/completions HTTP/1.1', headers, text));
  return wire;
}

/** Waits until a socket that was full takes more, or is closed. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.on('drain', go).on('close', go);
  });
}

/** A request as bytes; headers are written as they are given, Host is this machine's. */
export function requestBytes(line: string, headers: readonly string[], body = ''): string {
  return `${[line, 'Host: 127.0.0.1', ...headers].join('\r\n')}\r\n\r\n${body}`;
}

function parseReplies(text: string): Reply[] {
  const replies: Reply[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return replies;
    const [line = '', ...headerLines] = rest.slice(0, end).split('\r\n');
    const headers = new Map(
      headerLines.map((header) => [
        header.slice(0, header.indexOf(':')).toLowerCase(),
        header.slice(header.indexOf(':') + 1).trim(),
      ]),
    );
    const body = rest.slice(end + 4);
    const length = headers.get('content-length');
    const parsed =
      headers.get('transfer-encoding') === 'chunked'
        ? unchunk(body)
        : { text: body.slice(0, Number(length ?? 0)), length: Number(length ?? 0) };
    const whole = parsed.length >= 0 && body.length >= parsed.length;
    replies.push({ status: Number(line.split(' ')[1]), headers, text: Buffer.from(parsed.text, 'latin1').toString(), whole });
    if (!whole) return replies;
    rest = body.slice(parsed.length);
  }
}

/** @returns the length of the framed body, -1 while its last chunk has not come */
function unchunk(body: string): { readonly text: string; readonly length: number } {
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf('\r\n', at);
    if (lineEnd < 0) return { text, length: -1 };
    const size = Number.parseInt(body.slice(at, lineEnd), 16);
    if (size === 0) return body.length >= lineEnd + 4 ? { text, length: lineEnd + 4 } : { text, length: -1 };
    text += body.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
    if (at > body.length) return { text, length: -1 };
  }
}
