/** The content blocks of a Converse stream as parts: their begin, their increments, their end. */
import type { Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';

type Fields = Readonly<Record<string, unknown>>;
type Take = (step: Step) => void;
type Kind = 'text' | 'toolCall' | 'reasoning' | 'redacted';

/** A block that has begun. Parts are counted apart: indexes may have gaps, or repeat. */
interface Open {
  readonly index: number;
  readonly kind: Kind;
  /** A piece of the arguments came. */
  pieces: boolean;
  signature: string;
  /** Bytes of encrypted reasoning. A part begins with all of them. */
  redacted: string;
}

/** The block events of one stream, in the order in which they came. `false`: the event has no meaning in its place. */
export class BlockReading {
  /** A call has begun. */
  called = false;
  private next = 0;
  private readonly open = new Map<unknown, Open>();
  /** The call that ended last without any arguments. Its meaning depends on the event behind it. */
  private bare: Open | null = null;

  /** A text and reasoning have no begin of their own: the first delta is it. */
  start({ contentBlockIndex: at, start }: Fields, take: Take): boolean {
    this.settle(false, take);
    const call: unknown = isObject(start) ? start['toolUse'] : null;
    // A begin of an unknown kind is one of a newer version of the API.
    if (!isObject(call)) return true;
    const { toolUseId: id, name } = call;
    if (typeof id !== 'string' || typeof name !== 'string') return false;
    this.stop({ contentBlockIndex: at }, take);
    this.settle(false, take);
    this.called = true;
    const { index } = this.begin(at, 'toolCall');
    take({ type: 'partBegin', index, part: { type: 'toolCall', id, name, kind: 'function', arguments: '' } });
    return true;
  }

  delta({ contentBlockIndex: at, delta }: Fields, take: Take): boolean {
    if (!isObject(delta)) return false;
    const { text, toolUse, reasoningContent } = delta;
    if (text !== undefined) return this.text(at, 'text', text, take);
    if (isObject(reasoningContent)) return this.reasoning(at, reasoningContent, take);
    return isObject(toolUse) ? this.arguments(at, toolUse, take) : true;
  }

  stop({ contentBlockIndex: at }: Fields, take: Take): void {
    const open = this.open.get(at);
    if (open === undefined) return;
    this.open.delete(at);
    if (open.kind === 'toolCall' && !open.pieces) this.bare = open;
    else end(open, take);
  }

  /** Ends all blocks that are open. @param cut the length limit ended the answer: a call without a piece of arguments stays without */
  finish(cut: boolean, take: Take): void {
    for (const [at] of [...this.open]) this.stop({ contentBlockIndex: at }, take);
    this.settle(cut, take);
  }

  private text(at: unknown, kind: 'text' | 'reasoning', text: unknown, take: Take): boolean {
    if (typeof text !== 'string') return false;
    const { index } = this.blockOf(at, kind, take);
    if (text !== '') take({ type: 'partDelta', index, text });
    return true;
  }

  private reasoning(at: unknown, { text, signature, redactedContent }: Fields, take: Take): boolean {
    if (typeof redactedContent === 'string') {
      const bytes = bytesOf(redactedContent);
      if (bytes !== null) this.blockOf(at, 'redacted', take).redacted += bytes;
      return bytes !== null;
    }
    if (typeof signature === 'string') this.blockOf(at, 'reasoning', take).signature += signature;
    return text === undefined || this.text(at, 'reasoning', text, take);
  }

  private arguments(at: unknown, { input }: Fields, take: Take): boolean {
    const open = this.open.get(at);
    if (open?.kind !== 'toolCall' || typeof input !== 'string') return false;
    if (input !== '') {
      open.pieces = true;
      take({ type: 'partDelta', index: open.index, text: input });
    }
    return true;
  }

  private blockOf(at: unknown, kind: 'text' | 'reasoning' | 'redacted', take: Take): Open {
    const open = this.open.get(at);
    if (open?.kind === kind) return open;
    this.stop({ contentBlockIndex: at }, take);
    this.settle(false, take);
    const begun = this.begin(at, kind);
    if (kind !== 'redacted') take({ type: 'partBegin', index: begun.index, part: { type: kind, text: '' } });
    return begun;
  }

  private begin(at: unknown, kind: Kind): Open {
    const open: Open = { index: this.next++, kind, pieces: false, signature: '', redacted: '' };
    this.open.set(at, open);
    return open;
  }

  /** A call without arguments is one with none, unless the length limit came before them. */
  private settle(cut: boolean, take: Take): void {
    if (this.bare === null) return;
    const { index } = this.bare;
    this.bare = null;
    if (!cut) take({ type: 'partDelta', index, text: '{}' });
    take({ type: 'partEnd', index });
  }
}

function end({ index, kind, signature, redacted }: Open, take: Take): void {
  if (kind === 'redacted') {
    take({ type: 'partBegin', index, part: { type: 'reasoning', text: '', redacted: btoa(redacted) } });
  }
  take({ type: 'partEnd', index, ...(signature === '' ? {} : { signature }) });
}

/** Pieces of encrypted reasoning are encoded one by one: only their bytes can be joined. @returns null for what is not base64 */
function bytesOf(text: string): string | null {
  try {
    return atob(text);
  } catch {
    return null;
  }
}
