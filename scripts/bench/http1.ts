/** Owns just enough HTTP/1.1 framing (RFC 9112) to find the end of a message and take its body out of the framing. */

export interface Message {
  /** Start line and header lines, as they came, without the blank line. */
  readonly head: string;
  readonly body: string;
}

const headEnd = '\r\n\r\n';
const lastChunk = '0\r\n\r\n';

/**
 * Reads one message that begins at the first character; each character stands for one byte (latin1).
 * A message without a declared length has no body: an answer that ends by closing counts as broken here.
 * @returns null while the message is not whole
 * @throws Error when the framing is wrong or bytes follow the message: on these connections nothing is sent ahead
 */
export function readMessage(text: string): Message | null {
  const end = text.indexOf(headEnd);
  if (end < 0) return null;
  const head = text.slice(0, end);
  const start = end + headEnd.length;
  if (/^transfer-encoding: *chunked/im.test(head)) {
    // The cheap test first: a stream arrives in many reads, and only the last one can end so.
    const body = text.endsWith(lastChunk) ? unchunk(text, start) : null;
    return body === null ? null : { head, body };
  }
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (text.length < start + length) return null;
  if (text.length > start + length) throw new Error('bytes after the end of the message');
  return { head, body: text.slice(start) };
}

/** Joins the chunks from `start` on (RFC 9112 section 7.1; trailers are not accepted); null while the last one is missing. */
function unchunk(text: string, start: number): string | null {
  let body = '';
  for (let at = start; at < text.length; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (!(size >= 0)) throw new Error('not a chunk size');
    const from = line + 2;
    const next = from + size + 2;
    if (next > text.length) return null;
    if (!text.startsWith('\r\n', from + size)) throw new Error('chunk longer than its size');
    if (size > 0) body += text.slice(from, from + size);
    else if (next === text.length) return body;
    else throw new Error('bytes after the end of the message');
    at = next;
  }
  return null;
}

/** A whole request with a JSON body, as bytes. */
export function encodeRequest(request: {
  readonly method: string;
  readonly path: string;
  readonly port: number;
  readonly token: string;
  /** ASCII, or empty for none. */
  readonly body: string;
}): Buffer {
  const { method, path, port, token, body } = request;
  const entity = body === '' ? '' : `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n${entity}\r\n${body}`,
  );
}
