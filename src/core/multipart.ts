/**
 * Forms in `multipart/form-data` (RFC 7578, RFC 2046 section 5.1.1) as bytes: where each part stands, so that one field
 * can be replaced and every other byte goes on as it came. Strict on purpose: what two readers could read in two ways
 * (bare line feeds, a boundary inside a value, names spelt with escapes) is refused, or the upstream might find another
 * field than was judged here.
 */
import { OlaError } from './errors.ts';
import { find } from './sse.ts';

export interface FormPart {
  readonly name: string;
  /** It has a file name, or a type that is not plain text: a value nobody reads here. */
  readonly file: boolean;
  /** Offsets of its value. */
  readonly start: number;
  readonly end: number;
}

export interface Form {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly boundary: string;
  readonly parts: readonly FormPart[];
}

const mostParts = 64;
const longestHead = 4096;

const boundaryShape = /^[0-9A-Za-z'()+_,./:=?-](?:[0-9A-Za-z'()+_,./:=? -]{0,68}[0-9A-Za-z'()+_,./:=?-])?$/;
const tokenShape = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** @returns the boundary that a `Content-Type` names; null for what is no `multipart/form-data` with exactly one */
export function boundaryOf(contentType: string): string | null {
  // No character of a boundary is a semicolon, so quotes need no care here.
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

/** @throws OlaError `invalid_request` for what is malformed, and for more parts than any form of OpenAI's API has */
export function readForm(bytes: Uint8Array<ArrayBuffer>, boundary: string): Form {
  const delimiter = encoder.encode(`--${boundary}`);
  const parts: FormPart[] = [];
  if (find(bytes.subarray(0, delimiter.length), delimiter) !== 0) throw malformed('does not begin with its boundary');
  for (let at = delimiter.length; ; ) {
    if (bytes[at] === dash && bytes[at + 1] === dash) {
      if (!isSpace(bytes, at + 2)) throw malformed('goes on behind its last boundary');
      if (parts.length === 0) throw malformed('has no parts');
      return { bytes, boundary, parts };
    }
    if (!isLineEnd(bytes, at)) throw malformed('has a boundary that is not a line of its own, or does not end');
    if (parts.length === mostParts) throw malformed(`has more than ${mostParts} parts`);
    const start = at + 2;
    const length = find(bytes.subarray(start, start + longestHead), headEndBytes);
    if (length < 0) throw malformed(`has a part whose head does not end within ${longestHead} bytes`);
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
const plainText = /^text\/plain[ \t]*(?:;[ \t]*charset="?(?:utf-8|us-ascii)"?[ \t]*)?$/i;

function readHead(head: string): Pick<FormPart, 'name' | 'file'> {
  const headers = new Map<string, string>();
  for (const line of head.split('\r\n')) {
    const [, name, value = ''] = headerLine.exec(line) ?? [];
    if (name === undefined || headers.has(name.toLowerCase())) throw malformed('has a part whose head cannot be read');
    headers.set(name.toLowerCase(), value.trimEnd());
  }
  const type = headers.get('content-type') ?? 'text/plain';
  if (/^multipart\//i.test(type)) throw malformed('has a form inside a part');
  if (!/^(?:7bit|8bit|binary)$/i.test(headers.get('content-transfer-encoding') ?? 'binary'))
    throw malformed('has a part with a transfer encoding');
  const [, parameters] = dispositionShape.exec(headers.get('content-disposition') ?? '') ?? [];
  if (parameters === undefined) throw malformed('has a part without a name of its own');
  const names: string[] = [];
  let file = !plainText.test(type);
  for (const [, key = '', quoted, token = ''] of parameters.matchAll(parameterShape)) {
    if (/^filename\*?$/i.test(key)) file = true;
    // `name*` is the same name once more, in an encoding that not everybody knows (RFC 7578, 4.2).
    else if (/^name\*?/i.test(key)) names.push(key.toLowerCase() === 'name' ? (quoted ?? token) : '\\');
  }
  const [name] = names;
  if (name === undefined || names.length > 1 || name.includes('\\')) throw malformed('has a part without a name of its own');
  return { name, file };
}

function malformed(what: string): OlaError {
  return new OlaError('invalid_request', `The form ${what}; send it as multipart/form-data (RFC 7578).`);
}

const fieldDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of the one part with this name; null when there is none.
 * @throws OlaError `invalid_request`, `param` naming the field, when it stands twice, is a file, or is longer than `longest` bytes
 */
export function fieldOf({ bytes, parts }: Form, name: string, longest: number): string | null {
  const [part, ...more] = parts.filter((each) => each.name === name);
  if (part === undefined) return null;
  const wrong = (what: string) => new OlaError('invalid_request', `'${name}' ${what}.`, { param: name });
  if (more.length > 0) throw wrong('stands more than once in the form');
  if (part.file) throw wrong('must be a plain field of the form, not a file');
  if (part.end - part.start > longest) throw wrong(`is longer than ${longest} bytes`);
  try {
    return fieldDecoder.decode(bytes.subarray(part.start, part.end));
  } catch {
    throw wrong('is not UTF-8');
  }
}

/**
 * The form with a field's value replaced, or with the field in front of it when it has none of this name.
 * @throws OlaError `invalid_request` for a value that would end its part
 */
export function withField({ bytes, boundary, parts }: Form, name: string, value: string): Uint8Array<ArrayBuffer> {
  if (value.includes(`--${boundary}`)) throw malformed('has a boundary that stands in a value');
  const part = parts.find((each) => each.name === name);
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
