/** The content blocks of a stream of Anthropic's API as parts: their begin, their increments, their end. */
import type { Part, Step } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import { createDistinctIds } from '../../core/tool-ids.ts';
import { decodeBlock, extrasOf, protocolId } from './decode-blocks.ts';

type Fields = Readonly<Record<string, unknown>>;
type Take = (step: Step) => void;

/** The block events of one stream, in the order in which they came. `false`: the event has no meaning in its place. */
export interface BlockReading {
  start(event: Fields, take: Take): boolean;
  delta(event: Fields, take: Take): boolean;
  /** An increment of text in its usual spelling. @see TakeUnparsed */
  text(events: string, at: number, take: Take): number;
  stop(index: unknown, take: Take): void;
  /** Ends all blocks that are open. @param cut the length limit ended the answer: a call without a piece of arguments stays without */
  finish(cut: boolean, take: Take): void;
}

export function createBlockReading(): BlockReading {
  return new Reading();
}

/** The beginning of an increment of text, as Anthropic spells it, and its end. */
const usualHead = (index: unknown): string =>
  `event: content_block_delta\ndata: {"type":"content_block_delta","index":${JSON.stringify(index)},"delta":{"type":"text_delta","text":"`;
const usualTail = '"}}\n\n';
/** Characters of a JSON string that are not themselves, or that no JSON string has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const spelled = /[\\\u0000-\u001f]/;

/** A block that has begun. Parts are counted apart: the indexes of some hosts have gaps, or repeat. */
interface Open {
  readonly index: number;
  readonly part: Part;
  /** A piece of the arguments came. */
  pieces: boolean;
  signature: string;
  citations: unknown[];
  /** Arguments of a block that only Anthropic knows: it goes on whole. */
  input: string;
}

class Reading implements BlockReading {
  private next = 0;
  private readonly distinct = createDistinctIds();
  private readonly open = new Map<unknown, Open>();
  /** The call that ended last without any arguments. Its meaning depends on the event behind it. */
  private bare: Open | null = null;
  /** The block of text that began last, and how its increments begin as long as it is open. */
  private usual: { readonly index: number; readonly head: string } | null = null;

  start({ index, content_block: block }: Fields, take: Take): boolean {
    this.settle(false, take);
    if (!isObject(block)) return false;
    if (this.open.has(index)) this.stop(index, take);
    this.settle(false, take);
    const part = partOf(block);
    if (part === null) return false;
    this.begin(index, part.type === 'toolCall' ? { ...part, id: this.distinct(part.id, null) } : part, take);
    return true;
  }

  delta({ index, delta }: Fields, take: Take): boolean {
    if (!isObject(delta)) return false;
    const type = delta['type'];
    const apply = typeof type === 'string' && Object.hasOwn(deltas, type) ? deltas[type] : undefined;
    // A delta of an unknown type is one of a newer version of the API.
    if (apply === undefined) return true;
    const open = this.open.get(index) ?? this.implied(index, delta, take);
    return open !== null && apply(open, delta, take);
  }

  text(events: string, at: number, take: Take): number {
    const { usual } = this;
    if (usual === null || !events.startsWith(usual.head, at)) return -1;
    const from = at + usual.head.length;
    const end = events.indexOf('"', from);
    const text = events.slice(from, end);
    if (text === '' || !events.startsWith(usualTail, end) || spelled.test(text)) return -1;
    take({ type: 'partDelta', index: usual.index, text });
    return end + usualTail.length;
  }

  stop(index: unknown, take: Take): void {
    const open = this.open.get(index);
    if (open === undefined) return;
    this.open.delete(index);
    if (this.usual?.index === open.index) this.usual = null;
    if (open.part.type === 'toolCall' && !open.pieces && open.part.arguments === '{}') this.bare = open;
    else endBlock(open, take);
  }

  finish(cut: boolean, take: Take): void {
    for (const [index] of [...this.open]) this.stop(index, take);
    this.settle(cut, take);
  }

  private begin(index: unknown, part: Part, take: Take): Open {
    const open: Open = { index: this.next++, part, pieces: false, signature: '', citations: [], input: '' };
    this.open.set(index, open);
    if (part.type === 'text') this.usual = { index: open.index, head: usualHead(index) };
    if (part.type !== 'opaque') take({ type: 'partBegin', index: open.index, part: withoutArguments(part) });
    return open;
  }

  /** Text and thinking name their own kind: some hosts send them without a begin. */
  private implied(index: unknown, { type }: Fields, take: Take): Open | null {
    this.settle(false, take);
    if (type === 'text_delta') return this.begin(index, { type: 'text', text: '' }, take);
    return type === 'thinking_delta' ? this.begin(index, { type: 'reasoning', text: '' }, take) : null;
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

/** Members that hosts leave out where they begin empty. */
const texts: Readonly<Record<string, string>> = { text: 'text', thinking: 'thinking', redacted_thinking: 'data', tool_use: 'id' };

/** @returns null for a block that lacks a member of its type */
function partOf(block: Fields): Part | null {
  const type = String(block['type']);
  const member = Object.hasOwn(texts, type) ? texts[type] : undefined;
  const text = member === undefined ? undefined : block[member];
  const filled = member === undefined ? {} : { [member]: typeof text === 'string' ? text : '' };
  const { citations, ...rest } = block;
  const cited = Array.isArray(citations) ? { citations } : {};
  try {
    return decodeBlock({ ...rest, ...cited, ...filled }, null);
  } catch (error) {
    if (error instanceof OlaError) return null;
    throw error;
  }
}

/** Arguments that came with the begin of a call count when no pieces follow. */
function withoutArguments(part: Part): Part {
  return part.type === 'toolCall' ? { ...part, arguments: '' } : part;
}

/** @returns false for a delta that does not belong to a block of this kind */
type ApplyDelta = (open: Open, delta: Fields, take: Take) => boolean;

const deltas: Readonly<Record<string, ApplyDelta>> = {
  text_delta: ({ part, index }, { text }, take) => {
    if (part.type !== 'text' || typeof text !== 'string') return false;
    if (text !== '') take({ type: 'partDelta', index, text });
    return true;
  },
  thinking_delta: ({ part, index }, { thinking }, take) => {
    if (part.type !== 'reasoning' || typeof thinking !== 'string') return false;
    if (thinking !== '') take({ type: 'partDelta', index, text: thinking });
    return true;
  },
  signature_delta: (open, { signature }) => {
    if (open.part.type !== 'reasoning' || typeof signature !== 'string') return false;
    open.signature += signature;
    return true;
  },
  citations_delta: (open, { citation }) => {
    open.citations.push(citation);
    return true;
  },
  input_json_delta: (open, { partial_json: piece }, take) => {
    if (typeof piece !== 'string') return false;
    if (open.part.type === 'opaque') open.input += piece;
    else if (open.part.type !== 'toolCall') return false;
    else if (piece !== '') {
      open.pieces = true;
      take({ type: 'partDelta', index: open.index, text: piece });
    }
    return true;
  },
};

function endBlock({ index, part, pieces, signature, citations, input }: Open, take: Take): void {
  if (part.type === 'opaque') take({ type: 'partBegin', index, part: withInput(part, input) });
  if (part.type === 'toolCall' && !pieces) take({ type: 'partDelta', index, text: part.arguments });
  const cited = citations.length === 0 ? {} : extrasOf({ fields: { citations } });
  take({ type: 'partEnd', index, ...(signature === '' ? {} : { signature }), ...cited });
}

/** A block with a tool's input that only Anthropic knows: its input comes in pieces too. */
function withInput(part: Extract<Part, { type: 'opaque' }>, input: string): Part {
  if (input.trim() === '' || part.protocol !== protocolId || !isObject(part.value)) return part;
  try {
    return { ...part, value: { ...part.value, input: JSON.parse(input) as unknown } };
  } catch {
    return part;
  }
}
