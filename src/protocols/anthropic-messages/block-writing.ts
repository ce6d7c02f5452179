/** One part after another as content blocks of Anthropic's stream: a begin, increments, a stop. */
import type { Part, ReasoningPart, Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { ownExtras, protocolId } from './decode-blocks.ts';
import { writeEvent } from './write-event.ts';

type Fields = Readonly<Record<string, unknown>>;
type PartEnd = Extract<Step, { type: 'partEnd' }>;

/** Each method returns the text of whole events. */
export interface BlockWriting {
  begin(part: Part): string;
  /** A piece of the part that was begun last. */
  text(piece: string): string;
  end(step: PartEnd): string;
}

export function createBlockWriting(): BlockWriting {
  return new Writing();
}

const starts: Readonly<Record<string, (part: Part) => Fields | null>> = {
  text: () => ({ type: 'text', text: '' }),
  refusal: () => ({ type: 'text', text: '' }),
  reasoning: () => ({ type: 'thinking', thinking: '', signature: '' }),
  toolCall: (part) => (part.type === 'toolCall' ? { type: 'tool_use', id: part.id, name: part.name, input: {} } : null),
  opaque: (part) => (part.type === 'opaque' && part.protocol === protocolId && isObject(part.value) ? part.value : null),
};

/** The type of a delta with the member that holds its piece, by the kind of part. */
const pieces: Readonly<Record<string, readonly [type: string, member: string]>> = {
  text: ['text_delta', 'text'],
  refusal: ['text_delta', 'text'],
  reasoning: ['thinking_delta', 'thinking'],
  toolCall: ['input_json_delta', 'partial_json'],
};

class Writing implements BlockWriting {
  private part: Part | null = null;
  /** The index of the block that is open, or comes next. */
  private index = 0;
  private isOpen = false;
  /** The text of a delta event up to its piece. */
  private before = '';

  begin(part: Part): string {
    this.part = part;
    // Whether encrypted reasoning has a text too is known with its first piece.
    const opened = part.type === 'reasoning' && part.redacted !== undefined ? '' : this.open(part);
    const first = firstText(part);
    return (
      opened +
      (part.type === 'toolCall' && part.kind === 'custom' ? this.delta('{"input":"') : '') +
      (first === '' ? '' : this.text(first))
    );
  }

  text(piece: string): string {
    const { part } = this;
    if (part === null || piece === '') return '';
    const opened = this.isOpen ? '' : this.open(part);
    if (!this.isOpen) return '';
    const isCustom = part.type === 'toolCall' && part.kind === 'custom';
    return opened + this.delta(isCustom ? JSON.stringify(piece).slice(1, -1) : piece);
  }

  end(step: PartEnd): string {
    const { part } = this;
    this.part = null;
    if (part === null) return '';
    const last = this.isOpen ? this.lastDeltas(part, step) + this.close() : '';
    return part.type === 'reasoning' && part.redacted !== undefined ? last + this.redacted(part) : last;
  }

  private open(part: Part): string {
    const block = starts[part.type]?.(part) ?? null;
    // Anthropic's answers have no such block: the part is left out.
    if (block === null) return '';
    this.isOpen = true;
    const [type, member] = pieces[part.type] ?? ['', ''];
    this.before = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.index},"delta":{"type":"${type}","${member}":`;
    return writeEvent({ type: 'content_block_start', index: this.index, content_block: block });
  }

  /** The hot path of a translated stream: only the piece is made anew. */
  private delta(piece: string): string {
    return `${this.before}${JSON.stringify(piece)}}}\n\n`;
  }

  private lastDeltas(part: Part, { signature, extras }: PartEnd): string {
    if (part.type === 'toolCall' && part.kind === 'custom') return this.delta('"}');
    if (part.type === 'reasoning') {
      const signed = signature ?? part.signature ?? '';
      return signed === '' ? '' : this.named({ type: 'signature_delta', signature: signed });
    }
    const citations = ownExtras(extras).fields?.['citations'] ?? ownExtras(part.extras).fields?.['citations'];
    if (part.type !== 'text' || !Array.isArray(citations)) return '';
    return citations.map((citation: unknown) => this.named({ type: 'citations_delta', citation })).join('');
  }

  private named(delta: Fields): string {
    return writeEvent({ type: 'content_block_delta', index: this.index, delta });
  }

  private close(): string {
    this.isOpen = false;
    return writeEvent({ type: 'content_block_stop', index: this.index++ });
  }

  private redacted({ redacted }: ReasoningPart): string {
    const block = { type: 'redacted_thinking', data: redacted };
    return writeEvent({ type: 'content_block_start', index: this.index, content_block: block }) + this.close();
  }
}

function firstText(part: Part): string {
  if (part.type === 'text' || part.type === 'refusal' || part.type === 'reasoning') return part.text;
  return part.type === 'toolCall' ? part.arguments : '';
}
