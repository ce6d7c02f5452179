/**
 * Reads HTTP/1.1 responses (RFC 9112) as a client. The code is pure and is fed with bytes as they arrive. A response that two
 * readers could frame in two ways is refused, because its connection is used again.
 */

import { type HeadFlaw, headLimits } from '../core/ports.ts';

export interface Head {
  readonly status: number;
  /** By lower-case name; several of one name are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether the other side leaves the connection open after this response. */
  readonly persistent: boolean;
  readonly framing: Framing;
}

/** How a body ends: after a number of bytes, which may be 0, with its last chunk, or with the connection. */
export interface Framing {
  readonly kind: 'length' | 'chunked' | 'close';
  /** The length of the body; 0 for the other kinds and for no body. */
  readonly bytes: number;
}

/** The received head is refused. The error quotes nothing of it. */
export class MalformedHead extends Error {
  readonly flaw: HeadFlaw;

  constructor(flaw: HeadFlaw) {
    super(`malformed head: ${flaw}`);
    this.name = 'MalformedHead';
    this.flaw = flaw;
  }
}

/** The received body is framed wrongly. The message quotes nothing of it. */
export class MalformedBody extends Error {
  constructor(what: string) {
    super(`malformed body: ${what}`);
    this.name = 'MalformedBody';
  }
}

/** Bytes of all trailers of a chunked body. */
const mostTrailerBytes = 64 * 1024;
/** Bytes of the line with a chunk's size. */
const mostChunkLine = 4096;
const lineFeed = 10;
const carriageReturn = 13;

/**
 * The offset behind the first empty line; -1 while there is none. Lines end in CRLF; a bare LF is accepted (RFC 9112, 2.2).
 * @param from the offset to search from: two bytes before the end of the bytes that were searched already
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
 * @param method of the request: the answer to HEAD has no body, whatever its headers say
 * @throws MalformedHead
 */
export function parseHead(text: string, method: string): Head {
  // A carriage return alone ends a line for some readers and not for others (RFC 9112, 2.2); NUL cuts one short.
  if (/\0|\r(?!\n)/.test(text)) throw new MalformedHead('control_character');
  const lines = text.split('\n');
  const match = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r]*)?\r?$/.exec(lines[0] ?? '');
  if (match === null) throw new MalformedHead('no_status_line');
  const status = Number(match[2]);
  const headers = parseHeaders(lines);
  return {
    status,
    headers,
    persistent: isPersistent(match[1] === '1', status, headers),
    framing: framingOf(status, headers, method),
  };
}

/** A connection is not used again where the two sides could frame the answer differently (RFC 9112, 6.1 and 6.3). */
function isPersistent(current: boolean, status: number, headers: ReadonlyMap<string, string>): boolean {
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  if (connection.includes('close')) return false;
  const encoded = headers.has('transfer-encoding');
  if (!current) return connection.includes('keep-alive') && !encoded;
  // A 204 has no body. A body that follows all the same would be read as the next answer.
  return status !== 204 || (!encoded && (headers.get('content-length') ?? '0') === '0');
}

/** 1 for the characters of a header's name in lower case (RFC 9110, 5.6.2): a look-up, as there are many names. */
const nameCharacters = new Uint8Array(128);
for (const character of "!#$%&'*+.^_`|~0123456789abcdefghijklmnopqrstuvwxyz-") nameCharacters[character.charCodeAt(0)] = 1;

function isName(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (nameCharacters[text.charCodeAt(at)] !== 1) return false;
  return text !== '';
}

/** Names in lower case, by their spelling: servers use few. */
const knownNames = new Map<string, string>();
const mostKnownNames = 256;

/** @returns null for text that is no name */
function nameOf(text: string): string | null {
  const known = knownNames.get(text);
  if (known !== undefined) return known;
  const name = text.toLowerCase();
  if (!isName(name)) return null;
  if (knownNames.size < mostKnownNames && text.length <= 64) knownNames.set(text, name);
  return name;
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  // The status line and the two pieces around the empty line are no header lines.
  if (lines.length > headLimits.lines + 3) throw new MalformedHead('too_many_lines');
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line === '' || line === '\r') break;
    const colon = line.indexOf(':');
    const name = colon < 0 ? null : nameOf(line.slice(0, colon));
    if (name === null) throw new MalformedHead(/^[ \t]/.test(line) ? 'folded_line' : 'nameless_line');
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** RFC 9112, 6.3. A length beside a coding, or two lengths that differ, are how responses are smuggled: they are refused. */
function framingOf(status: number, headers: ReadonlyMap<string, string>, method: string): Framing {
  const coding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (coding !== undefined && length !== undefined) throw new MalformedHead('length_and_coding');
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new MalformedHead(coding.includes(',') ? 'several_codings' : 'unknown_coding');
  }
  const bytes = length === undefined ? 0 : lengthOf(length);
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'length', bytes: 0 };
  if (coding !== undefined) return { kind: 'chunked', bytes: 0 };
  return length === undefined ? { kind: 'close', bytes: 0 } : { kind: 'length', bytes };
}

const lengthForm = /^\d{1,15}$/;

/** A length may be repeated, in several lines or in one list, if it is the same each time (RFC 9110, 8.6). */
function lengthOf(value: string): number {
  if (lengthForm.test(value)) return Number(value);
  const [first = '', ...others] = value.split(',').map((each) => each.trim());
  if (!lengthForm.test(first)) throw new MalformedHead('bad_length');
  if (others.some((other) => other !== first)) throw new MalformedHead('several_lengths');
  return Number(first);
}

export interface BodyReader {
  /**
   * @param bytes the received bytes; the reader may overwrite them
   * @returns the content in them, in place, possibly empty
   * @throws MalformedBody
   */
  take(bytes: Buffer): Buffer;
  /** The body is complete. */
  readonly done: boolean;
  /** Bytes came after the end of the body, which no request asked for. */
  readonly surplus: boolean;
  /** Tells that the connection has ended. @returns whether the body is complete by that */
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

/** The part of a chunked body that the next byte belongs to (RFC 9112, 7.1). */
type ChunkState = 'size' | 'blank' | 'extension' | 'data' | 'dataEnd' | 'trailer';

function chunkedReader(): BodyReader {
  let place: ChunkState = 'size';
  /** Bytes of the current chunk that have not arrived. */
  let rest = 0;
  /** Digits of the current chunk's size. */
  let digits = 0;
  /** Bytes of the current line, or of all trailers. */
  let line = 0;
  let blank = true;
  let returned = false;

  function readSize(byte: number): void {
    const digit = hexValue(byte);
    if (digit >= 0 && place === 'size') {
      if (++digits > 12) throw new MalformedBody('a chunk that is too large');
      rest = rest * 16 + digit;
      return;
    }
    if (digits === 0) throw new MalformedBody('a chunk without a size');
    if (++line > mostChunkLine) throw new MalformedBody('a chunk size that is too long');
    // A semicolon begins an extension. Some old servers put blanks before it or before the end of the line.
    if (byte === 59) place = 'extension';
    else if (byte === 32 || byte === 9) place = 'blank';
    else throw new MalformedBody('a chunk size that is no number');
  }

  function readByte(byte: number): void {
    if (place === 'size' || place === 'blank') readSize(byte);
    else if (place === 'extension') {
      if (++line > mostChunkLine) throw new MalformedBody('a chunk extension that is too long');
    } else if (place === 'dataEnd') throw new MalformedBody('a chunk that is longer than its size');
    else {
      blank = false;
      if (++line > mostTrailerBytes) throw new MalformedBody('trailers that are too long');
    }
  }

  function endLine(): void {
    if (place === 'dataEnd') place = 'size';
    else if (place === 'trailer') {
      line += 2;
      reader.done = blank;
      blank = true;
    } else {
      if (digits === 0) throw new MalformedBody('a chunk without a size');
      place = rest === 0 ? 'trailer' : 'data';
      digits = 0;
      line = 0;
      blank = true;
    }
  }

  /** Lines end in CRLF alone: an ending that one reader accepts and another does not is how responses are smuggled. */
  function readFraming(byte: number): void {
    if (returned !== (byte === lineFeed)) throw new MalformedBody('a line that does not end in CRLF');
    if (returned) endLine();
    else if (byte !== carriageReturn) readByte(byte);
    returned = byte === carriageReturn;
  }

  /**
   * The end of a chunk and the size of the next in one step, as nearly all servers send them.
   * @returns the offset of the next chunk's data; -1 for anything else, which is then read byte by byte
   */
  function usualFraming(bytes: Buffer, from: number): number {
    let at = from;
    if (returned || digits > 0) return -1;
    if (place === 'dataEnd' && bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) at += 2;
    else if (place !== 'size') return -1;
    let size = 0;
    const first = at;
    for (let digit = hexValue(bytes[at] ?? 0); digit >= 0 && at - first < 6; digit = hexValue(bytes[++at] ?? 0)) {
      size = size * 16 + digit;
    }
    if (size === 0 || bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) return -1;
    rest = size;
    place = 'data';
    return at + 2;
  }

  const reader = {
    done: false,
    surplus: false,
    take(bytes: Buffer): Buffer {
      let at = 0;
      let written = 0;
      while (at < bytes.length && !reader.done) {
        if (place !== 'data') {
          const data = usualFraming(bytes, at);
          if (data < 0) readFraming(bytes[at++] as number);
          else at = data;
          continue;
        }
        const end = Math.min(bytes.length, at + rest);
        // The content of several chunks is moved together, so that the bytes of one read stay one piece.
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
