/**
 * Forms in `multipart/form-data` (RFC 7578, RFC 2046 section 5.1.1) as bytes. The offsets of the parts are known, so that one
 * field can be replaced while every other byte stays. The reader is strict: it refuses forms that two readers could read
 * differently (bare line feeds, a boundary inside a value, names with escapes), because the upstream might otherwise read
 * another field than the one that was checked here.
 */
import { OlaError } from './errors.ts';
import { find } from './sse.ts';

export interface FormPart {
  readonly name: string;
  /** True when the part has a file name. ola does not read its value. */
  readonly file: boolean;
  /** The charset that the part names, in lower case; null for none, and for UTF-8 and ASCII. */
  readonly charset: string | null;
  /** Offsets of the value: of its first byte, and after its last. */
  readonly start: number;
  readonly end: number;
}

export interface Form {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly boundary: string;
  readonly parts: readonly FormPart[];
}

/** Parts that a form may have. */
const maxParts = 64;
/** Longest head of a part, in bytes. */
const maxHeadBytes = 4096;

const boundaryShape = /^[0-9A-Za-z'()+_,./:=?-](?:[0-9A-Za-z'()+_,./:=? -]{0,68}[0-9A-Za-z'()+_,./:=?-])?$/;
const tokenShape = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** @returns the boundary in a `Content-Type`; null unless it is `multipart/form-data` with exactly one boundary */
export function boundaryOf(contentType: string): string | null {
  // A boundary cannot contain a semicolon, so quotes need no special care.
  const [type = '', ...parameters] = contentType.split(';');
  if (type.trim().toLowerCase() !== 'multipart/form-data') return null;
  let boundary: string | null = null;
  for (const parameter of parameters) {
    const [, name = '', value = ''] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(parameter) ?? [];
    if (!tokenShape.test(name)) return null;
    if (name.toLowerCase() !== 'boundary') continue;
    if (boundary !== null) return null;
    boundary = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return boundary !== null && boundaryShape.test(boundary) ? boundary : null;
}

export function formContentType(boundary: string): string {
  return `multipart/form-data; boundary=${tokenShape.test(boundary) ? boundary : `"${boundary}"`}`;
}

const encoder = new TextEncoder();
const headDecoder = new TextDecoder();
const CR = 13;
const LF = 10;
const dash = 0x2d;
const headEndBytes = encoder.encode('\r\n\r\n');

/** @throws OlaError `invalid_request` for a malformed form, and for more parts than any form of OpenAI's API has */
export function readForm(sent: Uint8Array<ArrayBuffer>, boundary: string): Form {
  // One line end is an empty preamble (RFC 2046, 5.1.1), which some clients write; it is not sent on.
  const bytes = isLineEnd(sent, 0) ? sent.subarray(2) : sent;
  const delimiter = encoder.encode(`--${boundary}`);
  const parts: FormPart[] = [];
  if (find(bytes.subarray(0, delimiter.length), delimiter) !== 0) throw malformed('does not begin with its boundary');
  for (let at = delimiter.length; ; ) {
    if (bytes[at] === dash && bytes[at + 1] === dash) {
      if (!isSpace(bytes, at + 2)) throw malformed('continues after its last boundary');
      if (parts.length === 0) throw malformed('has no parts');
      return { bytes, boundary, parts };
    }
    if (!isLineEnd(bytes, at)) throw malformed('has a boundary that is not a line of its own, or does not end');
    if (parts.length === maxParts) throw malformed(`has more than ${maxParts} parts`);
    const start = at + 2;
    const length = find(bytes.subarray(start, start + maxHeadBytes), headEndBytes);
    if (length < 0) throw malformed(`has a part whose head does not end within ${maxHeadBytes} bytes`);
    const head = headDecoder.decode(bytes.subarray(start, start + length));
    if (head.includes(`--${boundary}`)) throw malformed('has a boundary in the head of a part');
    const value = start + length + headEndBytes.length;
    const next = find(bytes, delimiter, value);
    if (next < 0) throw malformed('does not end with its boundary');
    if (next < value + 2 || !isLineEnd(bytes, next - 2)) throw malformed('has a boundary inside a part');
    parts.push({ ...readHead(head), start: value, end: next - 2 });
    at = next + delimiter.length;
  }
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

function isSpace(bytes: Uint8Array, from: number): boolean {
  return bytes.subarray(from).every((byte) => byte === CR || byte === LF || byte === 0x20 || byte === 0x09);
}

const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\p{Cc}]*)$/u;
const dispositionShape =
  /^form-data((?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+=(?:"(?:[^"\\]|\\.)*"|[^\s";]+))*)[ \t]*;?[ \t]*$/iu;
const parameterShape = /;[ \t]*([^=\s]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))/gu;

function readHead(head: string): Pick<FormPart, 'name' | 'file' | 'charset'> {
  const headers = new Map<string, string>();
  for (const line of head.split('\r\n')) {
    const [, name, value = ''] = headerLine.exec(line) ?? [];
    if (name === undefined || headers.has(name.toLowerCase())) throw malformed('has a part whose head cannot be read');
    headers.set(name.toLowerCase(), value.trimEnd());
  }
  const type = headers.get('content-type') ?? '';
  if (/^multipart\//i.test(type)) throw malformed('has a form inside a part');
  if (!/^(?:7bit|8bit|binary)$/i.test(headers.get('content-transfer-encoding') ?? 'binary'))
    throw malformed('has a part with a transfer encoding');
  const [, parameters] = dispositionShape.exec(headers.get('content-disposition') ?? '') ?? [];
  if (parameters === undefined) throw malformed('has a part without a readable name');
  const names: string[] = [];
  let file = false;
  for (const [, key = '', quoted, token = ''] of parameters.matchAll(parameterShape)) {
    if (/^filename\*?$/i.test(key)) file = true;
    // `name*` is a second name in an encoding that not every reader knows (RFC 7578, 4.2).
    else if (/^name\*?/i.test(key)) names.push(key.toLowerCase() === 'name' ? (quoted ?? token) : '\\');
  }
  const [name] = names;
  if (name === undefined || names.length > 1 || name.includes('\\')) throw malformed('has a part without a readable name');
  return { name, file, charset: charsetOf(type) };
}

/** A type with several charsets gets a name that no charset has. */
function charsetOf(type: string): string | null {
  const named = [...type.matchAll(/;[ \t]*charset[ \t]*=[ \t]*"?([^";]*)/gi)].map(([, value = '']) => value.trim().toLowerCase());
  const [charset = 'utf-8', ...more] = named;
  if (more.length > 0) return named.join(';');
  return /^(?:utf-?8|us-ascii|ascii)$/.test(charset) ? null : charset;
}

function malformed(what: string): OlaError {
  return new OlaError('invalid_request', `The form ${what}. Send it as multipart/form-data (RFC 7578).`);
}

const fieldDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of the only part with this name, whatever its type (RFC 7578, 4.4); null when there is none.
 * @throws OlaError `invalid_request` with the field as `param` when it is repeated, is a file, is longer than `maxBytes`, or is
 *   another text in the charset that it names than in UTF-8
 */
export function fieldOf({ bytes, parts }: Form, name: string, maxBytes: number): string | null {
  const [part, ...more] = parts.filter((each) => each.name === name);
  if (part === undefined) return null;
  const wrong = (what: string) => new OlaError('invalid_request', `'${name}' ${what}.`, { param: name });
  if (more.length > 0) throw wrong('is more than once in the form');
  if (part.file) throw wrong('must be a plain field of the form, not a file');
  if (part.end - part.start > maxBytes) throw wrong(`is longer than ${maxBytes} bytes`);
  const value = bytes.subarray(part.start, part.end);
  const text = decoded(fieldDecoder, value);
  if (text === null) throw wrong('is not UTF-8');
  if (part.charset === null || decoded(decoderOf(part.charset), value) === text) return text;
  throw wrong('is in a charset in which servers may read another text; send it as UTF-8');
}

function decoded(decoder: TextDecoder | null, value: Uint8Array): string | null {
  try {
    return decoder === null ? null : decoder.decode(value);
  } catch {
    return null;
  }
}

/** Null for a charset that the platform does not know. */
function decoderOf(charset: string): TextDecoder | null {
  try {
    return new TextDecoder(charset as 'utf-8', { fatal: true });
  } catch {
    return null;
  }
}

/**
 * The form with the value of a field replaced; a missing field is added at the beginning.
 * @throws OlaError `invalid_request` for a value that contains the boundary, and for one that is not ASCII in the place of a
 *   value of another charset
 */
export function withField({ bytes, boundary, parts }: Form, name: string, value: string): Uint8Array<ArrayBuffer> {
  if (value.includes(`--${boundary}`)) throw malformed('has a boundary that is part of a value');
  const part = parts.find((each) => each.name === name);
  if ((part?.charset ?? null) !== null && !/^[\x20-\x7e]*$/.test(value))
    throw malformed(`names a charset for '${name}' that is not UTF-8`);
  const start = part?.start ?? 0;
  const text = part === undefined ? `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n` : value;
  const put = encoder.encode(text);
  const behind = bytes.subarray(part?.end ?? 0);
  const whole = new Uint8Array(start + put.length + behind.length);
  whole.set(bytes.subarray(0, start));
  whole.set(put, start);
  whole.set(behind, start + put.length);
  return whole;
}
