/**
 * One part after the other as the events of an item: the item begins, its text comes in pieces, then all of the text, then the
 * item as a whole (https://platform.openai.com/docs/api-reference/responses-streaming).
 */
import type { Part, ReasoningPart, Step, ToolCallPart } from '../../core/conversation.ts';
import type { Making } from '../../core/protocol.ts';
import type { Fields } from './members.ts';
import { contentOf, type ItemStatus, itemId, itemOf, itemType } from './output-items.ts';

/** Writes events, each with its number. */
export interface EventWriting {
  event(type: string, fields: Fields): string;
  /** The hot path of a stream: only the piece is made anew. @param before and `after`: members around it, as JSON text */
  delta(type: string, before: string, piece: string, after: string): string;
}

/** Characters of an output, which the last event repeats: as long as a whole answer may be. */
const longestOutput = 64 * 1024 * 1024;

/** The part that is being told. */
interface Open {
  readonly part: Part;
  readonly pieces: string[];
  /** Half of a surrogate pair, whose other half is in the next piece: strict parsers of JSON refuse it alone. */
  half: string;
  readonly place: { readonly item_id: string; readonly output_index: number };
  /** The type of the events that bring its pieces, and their members around a piece. */
  readonly delta: readonly [type: string, before: string, after: string];
}

const endsInHalf = /[\ud800-\udbff]$/;
const wordOf = { text: 'output_text', refusal: 'refusal' } as const;

export class ItemWriting {
  /** The items that are complete, in order. */
  readonly output: Fields[] = [];
  private open: Open | null = null;
  private length = 0;
  private readonly making: Making;
  private readonly events: EventWriting;

  constructor(making: Making, events: EventWriting) {
    this.making = making;
    this.events = events;
  }

  begin(part: Part): string {
    const type = itemType(part);
    if (type === null) return '';
    const index = this.output.length;
    const place = { item_id: itemId(type, index, this.making), output_index: index };
    this.open = { part, pieces: [], half: '', place, delta: deltaOf(part, place) };
    const first = firstText(part);
    const item = itemOf(first === '' ? part : emptied(part), index, this.making, 'in_progress');
    const head = this.events.event('response.output_item.added', { output_index: index, item: atFirst(item) });
    return head + this.opening(part, this.open) + (first === '' ? '' : this.text(first));
  }

  private opening(part: Part, { place }: Open): string {
    if (part.type !== 'text' && part.type !== 'refusal') return '';
    return this.events.event('response.content_part.added', {
      ...place,
      content_index: 0,
      part: contentOf({ ...part, text: '' }),
    });
  }

  /** @throws RangeError when the output is longer than an answer may be */
  text(piece: string): string {
    const { open } = this;
    if (open === null) return '';
    const all = open.half + piece;
    open.half = endsInHalf.exec(all)?.[0] ?? '';
    const delta = open.half === '' ? all : all.slice(0, -1);
    return delta === '' ? '' : this.delta(open, delta);
  }

  private delta(open: Open, delta: string): string {
    this.length += delta.length;
    if (this.length > longestOutput) throw new RangeError('the output of a response is too long');
    const { part, pieces } = open;
    pieces.push(delta);
    const [type, before, after] = open.delta;
    const head = part.type === 'reasoning' && pieces.length === 1 ? this.summaryBegin(open) : '';
    return head + this.events.delta(type, before, delta, after);
  }

  private summaryBegin({ place }: Open): string {
    const part = { type: 'summary_text', text: '' };
    return this.events.event('response.reasoning_summary_part.added', { ...place, summary_index: 0, part });
  }

  /** @param isCut the answer ended by the length limit in the middle of the part */
  end({ signature, extras }: Partial<Extract<Step, { type: 'partEnd' }>>, isCut = false): string {
    const { open } = this;
    if (open === null) return '';
    const rest = open.half === '' ? '' : this.delta(open, open.half);
    this.open = null;
    const text = open.pieces.join('');
    const part = { ...withText(open.part, text, signature), ...(extras === undefined ? {} : { extras }) } as Part;
    const { place } = open;
    const status: ItemStatus = isCut ? 'incomplete' : 'completed';
    const item = itemOf(part, place.output_index, this.making, status) ?? {};
    this.output.push(item);
    return (
      rest +
      this.ending(part, open, item) +
      this.events.event('response.output_item.done', { output_index: place.output_index, item })
    );
  }

  private ending(part: Part, open: Open, item: Fields): string {
    const { place } = open;
    if (part.type === 'text' || part.type === 'refusal') {
      const all = part.type === 'text' ? { text: part.text, logprobs: [] } : { refusal: part.text };
      const at = { ...place, content_index: 0 };
      return (
        this.events.event(`response.${wordOf[part.type]}.done`, { ...at, ...all }) +
        this.events.event('response.content_part.done', { ...at, part: contentOf(part) })
      );
    }
    if (part.type === 'toolCall') {
      const all = part.kind === 'custom' ? { input: item['input'] } : { arguments: item['arguments'], name: part.name };
      return this.events.event(`${inputEvent(part)}.done`, { ...place, ...all });
    }
    return part.type === 'reasoning' ? this.summaryEnd(part, open, item) : '';
  }

  /** A summary of one empty text is told too: it says that the encrypted value is a signature. */
  private summaryEnd({ text }: ReasoningPart, open: Open, { summary }: Fields): string {
    if (!Array.isArray(summary) || summary.length === 0) return '';
    const at = { ...open.place, summary_index: 0 };
    return (
      (open.pieces.length > 0 ? '' : this.summaryBegin(open)) +
      this.events.event('response.reasoning_summary_text.done', { ...at, text }) +
      this.events.event('response.reasoning_summary_part.done', { ...at, part: { type: 'summary_text', text } })
    );
  }
}

function deltaOf(part: Part, place: Open['place']): Open['delta'] {
  const at = JSON.stringify(place).slice(1, -1);
  if (part.type === 'text') return ['response.output_text.delta', `${at},"content_index":0`, ',"logprobs":[]'];
  if (part.type === 'refusal') return ['response.refusal.delta', `${at},"content_index":0`, ''];
  if (part.type === 'toolCall') return [`${inputEvent(part)}.delta`, at, ''];
  return ['response.reasoning_summary_text.delta', `${at},"summary_index":0`, ''];
}

function inputEvent({ kind }: ToolCallPart): string {
  return kind === 'custom' ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
}

/** The text that a part begins with. */
function firstText(part: Part): string {
  if (part.type === 'toolCall') return part.arguments;
  return part.type === 'text' || part.type === 'refusal' || part.type === 'reasoning' ? part.text : '';
}

function emptied(part: Part): Part {
  return withText(part, '', undefined);
}

function withText(part: Part, text: string, signature: string | undefined): Part {
  if (part.type === 'toolCall') return { ...part, arguments: text };
  if (part.type === 'reasoning') return { ...part, text, ...(signature === undefined ? {} : { signature }) };
  return part.type === 'text' || part.type === 'refusal' ? { ...part, text } : part;
}

/** An item of reasoning begins without its summary, which has events of its own. */
function atFirst(item: Fields | null): Fields | null {
  return item?.['type'] === 'reasoning' ? { ...item, summary: [] } : item;
}
