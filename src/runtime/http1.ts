/**
 * Reads HTTP/1.1 responses (RFC 9112) as a client: pure, fed with bytes as they come. Strict where a connection is used
 * again: what two readers could frame in two ways is refused, not guessed.
 */

export interface Head {
  readonly status: number;
  /** By lower-case name; several of one name are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether the other side leaves the connection open after this response. */
  readonly persistent: boolean;
  readonly framing: Framing;
}

/** How a body ends: after so many bytes (none at all among them), with its last chunk, or with the connection. */
export interface Framing {
  readonly kind: 'length' | 'chunked' | 'close';
  /** Of a body with a length; 0 for the others, and where there is no body. */
  readonly bytes: number;
}

/** What was received is no response; the message quotes nothing of it. */
export class MalformedResponse extends Error {
  constructor(what: string) {
    super(`malformed response: ${what}`);
    this.name = 'MalformedResponse';
  }
}

/** Of status line and all headers, and of the trailers of a chunked body. */
export const mostHeadBytes = 64 * 1024;
const mostHeaders = 256;
const mostChunkLine = 4096;
const lineFeed = 10;
const carriageReturn = 13;

/**
 * Where the first empty line ends; -1 while it is not there. Lines end in CRLF (a bare LF is taken too, RFC 9112, 2.2).
 * @param from where to begin: two bytes before the end of what was searched already
 */
export function headEnd(bytes: Buffer, from = 0): number {
  let at = bytes.indexOf(lineFeed, from);
  while (at >= 0) {
    const next = bytes[at + 1];
    if (next === lineFeed) return at + 2;
    if (next === carriageReturn && bytes[at + 2] === lineFeed) return at + 3;
    at = bytes.indexOf(lineFeed, at + 1);
  }
  return -1;
}

/**
 * @param text status line and headers, one character a byte, up to the empty line
 * @param method of the request: the answer to HEAD has no body whatever it says
 * @throws MalformedResponse
 */
export function parseHead(text: string, method: string): Head {
  // A carriage return alone ends a line for some readers and not for others (RFC 9112, 2.2); NUL cuts one short.
  if (/\0|\r(?!\n)/.test(text)) throw new MalformedResponse('a control character in the head');
  const lines = text.split('\n');
  const match = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r]*)?\r?$/.exec(lines[0] ?? '');
  if (match === null) throw new MalformedResponse('no status line');
  const status = Number(match[2]);
  const headers = parseHeaders(lines);
  return {
    status,
    headers,
    persistent: isPersistent(match[1] === '1', status, headers),
    framing: framingOf(status, headers, method),
  };
}

/** Where the sides could differ over how it is framed, a connection is not used again (RFC 9112, 6.1 and 6.3). */
function isPersistent(current: boolean, status: number, headers: ReadonlyMap<string, string>): boolean {
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  if (connection.includes('close')) return false;
  const encoded = headers.has('transfer-encoding');
  if (!current) return connection.includes('keep-alive') && !encoded;
  // No body follows whatever it says; one that does would be read as the next answer.
  return status !== 204 || (!encoded && (headers.get('content-length') ?? '0') === '0');
}

/** 1 for the characters of a header's name in lower case (RFC 9110, 5.6.2): a look-up, as there are many names. */
const nameCharacters = new Uint8Array(128);
for (const character of "!#$%&'*+.^_`|~0123456789abcdefghijklmnopqrstuvwxyz-") nameCharacters[character.charCodeAt(0)] = 1;

function isName(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (nameCharacters[text.charCodeAt(at)] !== 1) return false;
  return text !== '';
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  if (lines.length > mostHeaders) throw new MalformedResponse('too many headers');
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line === '' || line === '\r') break;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    // A folded line begins with a space, which no name has.
    if (colon < 0 || !isName(name)) throw new MalformedResponse('a header without a name');
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** RFC 9112, 6.3. Both a length and an encoding, or several lengths, are how responses are smuggled: refused. */
function framingOf(status: number, headers: ReadonlyMap<string, string>, method: string): Framing {
  const encoding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (encoding !== undefined && length !== undefined) throw new MalformedResponse('a length and a transfer encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') throw new MalformedResponse('an unknown transfer encoding');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new MalformedResponse('a content length that is no number');
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'length', bytes: 0 };
  if (encoding !== undefined) return { kind: 'chunked', bytes: 0 };
  return length === undefined ? { kind: 'close', bytes: 0 } : { kind: 'length', bytes: Number(length) };
}

export interface BodyReader {
  /**
   * @param bytes what came; it may be written to
   * @returns the content in it, in place, possibly empty
   * @throws MalformedResponse
   */
  take(bytes: Buffer): Buffer;
  /** Whether the body is whole. */
  readonly done: boolean;
  /** Bytes after the end of the body: nobody asked for them. */
  readonly surplus: boolean;
  /** The connection has ended. @returns whether that ends the body too */
  end(): boolean;
}

const empty = Buffer.alloc(0);

export function createBodyReader(framing: Framing): BodyReader {
  if (framing.kind === 'chunked') return chunkedReader();
  if (framing.kind === 'close') return { take: (bytes) => bytes, done: false, surplus: false, end: () => true };
  return lengthReader(framing.bytes);
}

function lengthReader(length: number): BodyReader {
  let rest = length;
  const reader = {
    done: rest === 0,
    surplus: false,
    take(bytes: Buffer): Buffer {
      const content = bytes.length <= rest ? bytes : bytes.subarray(0, rest);
      reader.surplus ||= bytes.length > rest;
      rest -= content.length;
      reader.done = rest === 0;
      return content;
    },
    end: () => reader.done,
  };
  return reader;
}

/** Where in a chunked body the next byte stands (RFC 9112, 7.1). */
type ChunkState = 'size' | 'blank' | 'extension' | 'data' | 'dataEnd' | 'trailer';

function chunkedReader(): BodyReader {
  let place: ChunkState = 'size';
  /** Of the chunk at hand, bytes that are still to come. */
  let rest = 0;
  let digits = 0;
  /** Bytes of the line at hand, or of all trailers. */
  let line = 0;
  let blank = true;
  let returned = false;

  function readSize(byte: number): void {
    const digit = hexValue(byte);
    if (digit >= 0 && place === 'size') {
      if (++digits > 12) throw new MalformedResponse('a chunk that is too large');
      rest = rest * 16 + digit;
      return;
    }
    if (digits === 0) throw new MalformedResponse('a chunk without a size');
    if (++line > mostChunkLine) throw new MalformedResponse('a chunk size that is too long');
    // Semicolon: an extension, which nobody uses. Blanks before it or the line's end are an old habit.
    if (byte === 59) place = 'extension';
    else if (byte === 32 || byte === 9) place = 'blank';
    else throw new MalformedResponse('a chunk size that is no number');
  }

  function readByte(byte: number): void {
    if (place === 'size' || place === 'blank') readSize(byte);
    else if (place === 'extension') {
      if (++line > mostChunkLine) throw new MalformedResponse('a chunk extension that is too long');
    } else if (place === 'dataEnd') throw new MalformedResponse('a chunk that is longer than its size');
    else {
      blank = false;
      if (++line > mostHeadBytes) throw new MalformedResponse('trailers that are too long');
    }
  }

  function endLine(): void {
    if (place === 'dataEnd') place = 'size';
    else if (place === 'trailer') {
      line += 2;
      reader.done = blank;
      blank = true;
    } else {
      if (digits === 0) throw new MalformedResponse('a chunk without a size');
      place = rest === 0 ? 'trailer' : 'data';
      digits = 0;
      line = 0;
      blank = true;
    }
  }

  /** Lines end in CRLF and nothing else: what ends one for a reader and not for another is how responses are smuggled. */
  function readFraming(byte: number): void {
    if (returned !== (byte === lineFeed)) throw new MalformedResponse('a line that does not end in CRLF');
    if (returned) endLine();
    else if (byte !== carriageReturn) readByte(byte);
    returned = byte === carriageReturn;
  }

  const reader = {
    done: false,
    surplus: false,
    take(bytes: Buffer): Buffer {
      let at = 0;
      let written = 0;
      while (at < bytes.length && !reader.done) {
        if (place !== 'data') {
          readFraming(bytes[at++] as number);
          continue;
        }
        const end = Math.min(bytes.length, at + rest);
        // Content moves down over the sizes between, so that a piece of the stream stays one piece.
        if (written !== at) bytes.copyWithin(written, at, end);
        written += end - at;
        rest -= end - at;
        at = end;
        if (rest === 0) place = 'dataEnd';
      }
      reader.surplus ||= at < bytes.length;
      return written === 0 ? empty : bytes.subarray(0, written);
    },
    end: () => reader.done,
  };
  return reader;
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
