/** The items of a stream as parts of the hub: each event type is one small function over the item that it belongs to. */
import type { Extras, Part, Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { type Fields, nonEmpty, withoutNull } from './members.ts';
import { callPart, contentPart, type DistinctId, partsOfItem, textOfValue } from './output-parts.ts';
import { reasoningTexts, summaryJoint } from './reasoning-item.ts';
import { TextSpelling } from './text-spelling.ts';

type Take = (step: Step) => void;

/** An event before it was parsed. */
export interface EventSource {
  readonly data: string;
  readonly name: string;
}

/** A part that has begun. */
interface OpenPart {
  readonly index: number;
  /** Some of its text has been told. */
  told: boolean;
  ended: boolean;
  /** What came with the item as a whole: notes to a text. */
  extras?: Extras;
}

/** An item that has begun. */
interface OpenItem {
  readonly type: unknown;
  /** By `content_index`; calls and reasoning have one part. */
  readonly parts: Map<number, OpenPart>;
  /** The kind and number of the reasoning text that came last. */
  section: string | null;
  done: boolean;
}

export class ItemReading {
  /** Kinds of all parts that have begun. */
  readonly kinds = new Set<Part['type']>();
  private readonly items = new Map<string, OpenItem>();
  private readonly distinct: DistinctId;
  private next = 0;
  /** The text that came last, and how its pieces are spelled. */
  private usual: { readonly part: OpenPart; readonly spelling: TextSpelling } | null = null;

  constructor(distinct: DistinctId) {
    this.distinct = distinct;
  }

  added(event: Fields, take: Take): void {
    const { item } = event;
    const key = keyOf(event);
    if (!isObject(item) || this.items.has(key)) return;
    const open = this.open(key, item['type']);
    if (isCall(item['type'])) this.begin(open, 0, callPart(item, this.distinct), take);
  }

  /** A piece of a text or a refusal. @param source the event before it was parsed; absent: its spelling is not learned */
  text(event: Fields, type: 'text' | 'refusal', take: Take, source?: EventSource): void {
    const open = this.itemOf(event, 'message');
    const at = numberOf(event['content_index']);
    const part = open.parts.get(at) ?? this.begin(open, at, { type, text: '' }, take);
    this.tell(part, textOfValue(event['delta']), take);
    if (source === undefined || (this.usual?.part === part && !part.ended)) return;
    const spelling = TextSpelling.of(source.data, event, source.name);
    this.usual = spelling === null ? null : { part, spelling };
  }

  /** A piece of text in the spelling of the piece before. @see TakeUnparsed */
  unparsed(events: string, at: number, take: Take): number {
    const { usual } = this;
    if (usual === null || usual.part.ended) return -1;
    const piece = usual.spelling.read(events, at);
    if (piece === null) return -1;
    take({ type: 'partDelta', index: usual.part.index, text: piece.text });
    return piece.end;
  }

  /** All of a text: it is told where no piece of it came before. */
  textDone(event: Fields, part: Part, take: Take): void {
    const open = this.itemOf(event, 'message');
    this.complete(open, numberOf(event['content_index']), part, take);
  }

  /** A piece of a call's arguments, or of the input of a free-form one. */
  input(event: Fields, take: Take): void {
    const part = this.items.get(keyOf(event))?.parts.get(0);
    if (part !== undefined) this.tell(part, textOfValue(event['delta']), take);
  }

  inputDone(event: Fields, take: Take): void {
    const part = this.items.get(keyOf(event))?.parts.get(0);
    if (part !== undefined && !part.told) this.tell(part, textOfValue(event['arguments'] ?? event['input']), take);
  }

  /** A part of a summary begins, be it an empty one. */
  summaryPart(event: Fields, take: Take): void {
    const open = this.itemOf(event, 'reasoning');
    if (!open.parts.has(0)) this.begin(open, 0, { type: 'reasoning', text: '' }, take);
  }

  /** @param kind a model shows its reasoning or a summary; where both come, the first one is told */
  reasoning(event: Fields, kind: 'summary' | 'content', take: Take): void {
    const open = this.itemOf(event, 'reasoning');
    const section = `${kind} ${numberOf(event['summary_index'] ?? event['content_index'])}`;
    if (open.section !== null && !open.section.startsWith(kind)) return;
    const part = open.parts.get(0) ?? this.begin(open, 0, { type: 'reasoning', text: '' }, take);
    if (open.section !== null && open.section !== section && part.told) this.tell(part, summaryJoint, take);
    open.section = section;
    this.tell(part, textOfValue(event['delta']), take);
  }

  /** The item as a whole: what has not been told of it is told now. */
  done(event: Fields, take: Take): void {
    const { item } = event;
    if (!isObject(item)) return;
    const key = keyOf(event);
    const known = this.items.get(key);
    if (known?.done === true) return;
    const open = known ?? this.open(key, item['type']);
    open.done = true;
    if (item['type'] === 'reasoning') this.reasoningDone(open, item, take);
    else if (isCall(item['type'])) this.callDone(open, item, take);
    else this.messageDone(open, item, take);
    endAll(open, take);
  }

  /** The items of a response that came without events of their own. */
  whole(output: unknown, take: Take): void {
    if (this.items.size > 0 || !Array.isArray(output)) return;
    for (const [index, item] of (output as readonly unknown[]).entries()) this.done({ output_index: index, item }, take);
  }

  /** Parts that have not ended do so now. */
  finish(take: Take): void {
    for (const open of this.items.values()) endAll(open, take);
  }

  private messageDone(open: OpenItem, item: Fields, take: Take): void {
    if (item['type'] !== 'message') {
      for (const part of partsOfItem(item, this.distinct)) this.begin(open, open.parts.size, part, take);
      return;
    }
    const content: unknown = item['content'];
    for (const [at, value] of (Array.isArray(content) ? (content as readonly unknown[]) : []).entries()) {
      const [part] = isObject(value) ? contentPart(value) : [];
      if (part !== undefined) this.complete(open, at, part, take);
    }
  }

  private callDone(open: OpenItem, item: Fields, take: Take): void {
    const known = open.parts.get(0);
    if (known === undefined) this.begin(open, 0, callPart(item, this.distinct), take);
    else if (!known.told) this.tell(known, callPart(item, (id) => id).arguments, take);
  }

  private reasoningDone(open: OpenItem, item: Fields, take: Take): void {
    const known = open.parts.get(0);
    if (known === undefined) {
      for (const part of partsOfItem(item, this.distinct)) this.begin(open, 0, part, take);
      return;
    }
    if (!known.told) this.tell(known, reasoningTexts(item).join(summaryJoint), take);
    const signature = nonEmpty(item['encrypted_content']);
    known.ended = true;
    take({ type: 'partEnd', index: known.index, ...(signature === null ? {} : { signature }) });
  }

  private complete(open: OpenItem, at: number, part: Part, take: Take): void {
    const known = open.parts.get(at);
    if (known === undefined) {
      this.begin(open, at, part, take);
      return;
    }
    if (part.extras !== undefined) known.extras = part.extras;
    if (!known.told && (part.type === 'text' || part.type === 'refusal')) this.tell(known, part.text, take);
  }

  private begin(open: OpenItem, at: number, part: Part, take: Take): OpenPart {
    const begun: OpenPart = { index: this.next++, told: isTold(part), ended: false };
    open.parts.set(at, begun);
    this.kinds.add(part.type);
    take({ type: 'partBegin', index: begun.index, part });
    return begun;
  }

  private tell(part: OpenPart, text: string, take: Take): void {
    if (text === '' || part.ended) return;
    part.told = true;
    take({ type: 'partDelta', index: part.index, text });
  }

  /** Some servers leave out that an item begins. */
  private itemOf(event: Fields, type: string): OpenItem {
    const key = keyOf(event);
    return this.items.get(key) ?? this.open(key, type);
  }

  private open(key: string, type: unknown): OpenItem {
    const open: OpenItem = { type, parts: new Map(), section: null, done: false };
    this.items.set(key, open);
    return open;
  }
}

const isCall = (type: unknown): boolean => type === 'function_call' || type === 'custom_tool_call';
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Some hosts give an item another id in each event: its place counts where it is told. */
function keyOf({ output_index: index, item_id: id, item }: Fields): string {
  if (typeof index === 'number') return String(index);
  return `id ${textOfValue(id ?? (isObject(item) ? item['id'] : null))}`;
}

function isTold(part: Part): boolean {
  if (part.type === 'toolCall') return part.arguments !== '';
  return part.type === 'text' || part.type === 'refusal' || part.type === 'reasoning' ? part.text !== '' : true;
}

function endAll(open: OpenItem, take: Take): void {
  for (const part of open.parts.values()) {
    if (part.ended) continue;
    part.ended = true;
    take({ type: 'partEnd', index: part.index, ...(part.extras === undefined ? {} : { extras: part.extras }) });
  }
}

/** The part of an event that has all of a text. */
export function donePart(event: Fields): Part | null {
  const { text, refusal } = withoutNull(event);
  if (typeof refusal === 'string') return { type: 'refusal', text: refusal };
  return typeof text === 'string' ? { type: 'text', text } : null;
}
