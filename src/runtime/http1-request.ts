/** Writes HTTP/1.1 requests (RFC 9112). The code is pure, except that the text that many requests share is built once. */
import { DialError, type DialRequest } from '../core/ports.ts';

/** Headers that say how the request is framed and where it goes. Only this module writes them. */
const framingHeader = /^(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade|te|trailer|expect)$/i;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const target = /^[A-Z]+ \/[\x21-\x7e]*$/;

/** The text before the length of the body; all calls of a provider with one credential share it. */
interface Preamble extends Pick<DialRequest, 'method' | 'path' | 'hostname' | 'port' | 'secure'> {
  readonly text: string;
}

/** Preambles by their object of headers, which is made once for many calls. */
const preambles = new WeakMap<DialRequest['headers'], Preamble>();

/** Request line, Host and headers. @throws DialError `request` */
function preambleOf(request: DialRequest): string {
  const { method, path, hostname, port, secure, headers } = request;
  const known = preambles.get(headers);
  if (known !== undefined && isSameTarget(known, request)) return known.text;
  const line = `${method} ${path}`;
  if (!target.test(line)) throw unsendable('the method or the path has');
  let text = `${line} HTTP/1.1\r\nhost: ${hostOf(request)}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (framingHeader.test(name)) continue;
    if (!headerName.test(name) || !headerValue.test(value)) throw unsendable('a header has');
    text += `${name}: ${value}\r\n`;
  }
  preambles.set(headers, { method, path, hostname, port, secure, text });
  return text;
}

function isSameTarget(one: Omit<Preamble, 'text'>, other: DialRequest): boolean {
  return (
    one.path === other.path &&
    one.hostname === other.hostname &&
    one.port === other.port &&
    one.secure === other.secure &&
    one.method === other.method
  );
}

function unsendable(what: string): DialError {
  return new DialError('request', new Error(`${what} characters that cannot be sent`));
}

/** The complete request in bytes. @throws DialError `request` when it has characters that cannot be sent */
export function requestBytes(request: DialRequest): Buffer {
  const { method, body } = request;
  const head = preambleOf(request);
  if (body === null) return Buffer.from(method === 'GET' ? `${head}\r\n` : `${head}content-length: 0\r\n\r\n`, 'latin1');
  if (typeof body !== 'string')
    return Buffer.concat([Buffer.from(`${head}content-length: ${body.length}\r\n\r\n`, 'latin1'), body]);
  const length = Buffer.byteLength(body);
  const start = `${head}content-length: ${length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(start.length + length);
  bytes.write(start, 0, 'latin1');
  bytes.write(body, start.length, 'utf8');
  return bytes;
}

function hostOf({ hostname, port, secure }: DialRequest): string {
  const name = hostname.includes(':') ? `[${hostname}]` : hostname;
  return port === (secure ? 443 : 80) ? name : `${name}:${port}`;
}
