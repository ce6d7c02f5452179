/** Reading an upstream's whole body without trusting its length. */
import { joinBytes } from '../../core/bytes.ts';
import type { Reply } from '../../core/ports.ts';

const decoder = new TextDecoder();

export interface Reading {
  /** Bytes. */
  readonly limit: number;
  /** The bytes that were read already. */
  readonly first: Uint8Array | null;
  /** The time after which the answer is given up, as if its connection had broken. */
  readonly milliseconds?: number;
}

/** @returns the text, or null when there is more of it than `limit` bytes; at once when all of it is there */
export function readAtMost(reply: Reply, { limit, first, milliseconds }: Reading): string | null | Promise<string | null> {
  const text = readText(reply, { limit, pieces: first === null ? [] : [first], length: first?.length ?? 0 });
  if (milliseconds === undefined || !(text instanceof Promise)) return text;
  const late = setTimeout(reply.cancel, milliseconds);
  return text.finally(() => clearTimeout(late));
}

/** What has come of a body. */
interface Gathered {
  readonly limit: number;
  readonly pieces: Uint8Array[];
  length: number;
}

function readText(reply: Reply, gathered: Gathered): string | null | Promise<string | null> {
  for (;;) {
    const next = reply.read();
    if (next instanceof Promise) return readRest(reply, gathered, next);
    const text = gather(reply, gathered, next);
    if (text !== undefined) return text;
  }
}

async function readRest(reply: Reply, gathered: Gathered, begun: Promise<Uint8Array | null>): Promise<string | null> {
  for (let next: Uint8Array | null | Promise<Uint8Array | null> = begun; ; next = reply.read()) {
    const text = gather(reply, gathered, next instanceof Promise ? await next : next);
    if (text !== undefined) return text;
  }
}

/** @returns undefined while there may be more */
function gather(reply: Reply, gathered: Gathered, bytes: Uint8Array | null): string | null | undefined {
  if (bytes === null) return decoder.decode(joinBytes(gathered.pieces));
  gathered.length += bytes.length;
  gathered.pieces.push(bytes);
  if (gathered.length <= gathered.limit) return undefined;
  reply.cancel();
  return null;
}

/** Bytes behind the blanks in front that tell what an answer is: a page, a name of a field, an opening brace. */
const telling = 32;
/** Bytes. Some servers send blanks as a sign of life while they work. */
const mostBlanks = 64 * 1024;

/** @returns the first bytes of a body: enough to tell what it is, or all that there are; null when there are none */
export async function readBeginning(reply: Reply): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let blanks = 0;
  let told = 0;
  while (told < telling && blanks < mostBlanks) {
    const next = await reply.read();
    if (next === null) break;
    pieces.push(next);
    const blank = told > 0 ? 0 : next.findIndex((byte) => !isBlank(byte));
    blanks += blank < 0 ? next.length : blank;
    if (blank >= 0) told += next.length - blank;
  }
  return pieces.length === 0 ? null : joinBytes(pieces);
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
