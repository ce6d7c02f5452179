/** Reading an upstream's whole body without trusting its length. */
import { joinBytes } from '../core/bytes.ts';
import type { Reply } from '../core/ports.ts';

const decoder = new TextDecoder();

/**
 * @param milliseconds after which the answer is given up, as if its connection had broken
 * @returns the text, or null when there is more of it than `limit` bytes
 */
export async function readAtMost(reply: Reply, limit: number, milliseconds?: number): Promise<string | null> {
  if (milliseconds === undefined) return readText(reply, limit);
  const late = setTimeout(reply.cancel, milliseconds);
  try {
    return await readText(reply, limit);
  } finally {
    clearTimeout(late);
  }
}

async function readText(reply: Reply, limit: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const next = reply.read();
    const bytes = next instanceof Promise ? await next : next;
    if (bytes === null) break;
    length += bytes.length;
    if (length > limit) {
      reply.cancel();
      return null;
    }
    chunks.push(bytes);
  }
  return decoder.decode(joinBytes(chunks));
}
