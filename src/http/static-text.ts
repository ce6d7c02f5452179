/** Public texts that a browser may keep and ask for again: named by a digest of what they hold, packed where that is wanted. */
import type { Call } from './call.ts';

export interface TextFile {
  readonly contentType: string;
  readonly text: string;
  /** A strong tag (RFC 9110, 8.8.3). */
  readonly etag: string;
  /** With gzip; made when it is first asked for. */
  packed(): Promise<Uint8Array<ArrayBuffer>>;
}

export async function textFile(contentType: string, text: string): Promise<TextFile> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  let packing: Promise<Uint8Array<ArrayBuffer>> | null = null;
  const packed = () => {
    packing ??= gzip(text);
    return packing;
  };
  return { contentType, text, etag: `"${new Uint8Array(digest).toHex().slice(0, 32)}"`, packed };
}

/** It is asked for again each time and sent only when it is another one: the next ola brings others under the same names. */
export async function sendFile(call: Call, file: TextFile, more: Readonly<Record<string, string>> = {}): Promise<Response> {
  const asked = call.request.headers;
  const wantsPacked =
    file.text.length > worthPacking &&
    /(?:^|[\s,])gzip(?![^,]*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(asked.get('accept-encoding') ?? '');
  // Other bytes under the same address have another tag.
  const etag = wantsPacked ? `${file.etag.slice(0, -1)}-gzip"` : file.etag;
  const headers: Record<string, string> = {
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    vary: 'Accept-Encoding',
    'x-request-id': call.requestId,
    etag,
    ...more,
  };
  if (isCurrent(asked.get('if-none-match'), etag)) return new Response(null, { status: 304, headers });
  headers['content-type'] = file.contentType;
  if (!wantsPacked) return new Response(file.text, { headers });
  return new Response(await file.packed(), { headers: { ...headers, 'content-encoding': 'gzip' } });
}

/** In characters; below, packing saves no packet. */
const worthPacking = 1400;

/** Weak comparison (RFC 9110, 13.1.2). */
function isCurrent(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
