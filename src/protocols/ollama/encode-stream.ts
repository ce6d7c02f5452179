/** Steps of the hub as lines for Ollama's clients. A call is a line of its own: its arguments are an object, so it waits until it is whole. */
import type { AnswerEnd, Part, Step, ToolCallPart } from '../../core/conversation.ts';
import type { Making, StreamEncoder } from '../../core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { writeEnd } from './done-reasons.ts';
import { headOf, line, membersOf, type Said, saidMembers, writeCall } from './encode-answer.ts';
import { writeUsage } from './usage.ts';

export function streamEncoder(making: Making): StreamEncoder {
  return new Encoder(making);
}

const nothing: Said = { text: '', thinking: '', calls: [] };

/** A call that is not told yet. */
interface Waiting {
  readonly part: ToolCallPart;
  readonly pieces: string[];
  /** All of its arguments have come. */
  whole: boolean;
}

class Encoder implements StreamEncoder {
  private readonly making: Making;
  private head: ReturnType<typeof headOf>;
  private readonly open = new Map<number, Part['type']>();
  private readonly waiting = new Map<number, Waiting>();
  private tokens: TokenCounts = noTokenCounts;
  private refused = false;
  /** Half of a surrogate pair at the end of a piece: each line is a text of its own, so it waits for the other half. */
  private half = '';

  constructor(making: Making) {
    this.making = making;
    this.head = headOf(null, making);
  }

  encode(step: Step): string {
    if (step.type === 'partDelta') return this.text(step.index, step.text);
    if (step.type === 'partBegin') return this.begin(step.index, step.part);
    if (step.type === 'partEnd') return this.endPart(step.index);
    if (step.type === 'end') return this.end(step.end);
    if (step.type === 'begin') this.head = headOf(step.model, this.making);
    else this.tokens = step.tokens;
    return '';
  }

  private begin(index: number, part: Part): string {
    if (part.type === 'toolCall') {
      this.waiting.set(index, { part, pieces: [part.arguments], whole: false });
      return '';
    }
    this.refused ||= part.type === 'refusal';
    this.open.set(index, part.type);
    return 'text' in part ? this.text(index, part.text) : '';
  }

  private text(index: number, piece: string): string {
    const waiting = this.waiting.get(index);
    if (waiting !== undefined) waiting.pieces.push(piece);
    const type = this.open.get(index);
    if (waiting !== undefined || type === undefined || piece === '') return '';
    const text = this.half + piece;
    this.half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : '';
    return this.words(type, this.half === '' ? text : text.slice(0, -1));
  }

  private words(type: Part['type'], text: string): string {
    if (text === '') return '';
    if (type === 'text' || type === 'refusal') return this.say({ ...nothing, text });
    return type === 'reasoning' ? this.say({ ...nothing, thinking: text }) : '';
  }

  private say(said: Said): string {
    return `${line(this.head, [...saidMembers(said, this.making), ['done', 'false']])}\n`;
  }

  private endPart(index: number): string {
    const waiting = this.waiting.get(index);
    if (waiting === undefined) return this.endText(index);
    waiting.whole = true;
    return this.release();
  }

  private endText(index: number): string {
    const type = this.open.get(index);
    this.open.delete(index);
    const { half } = this;
    this.half = '';
    return type === undefined ? '' : this.words(type, half);
  }

  /** The calls that are whole, in their order. Arguments that are no object may have been cut by the length limit, which the end tells. */
  private release(): string {
    const lines: string[] = [];
    for (const [index, waiting] of this.waiting) {
      const calls = waiting.whole ? writeCall(wholeOf(waiting), true) : [];
      if (calls.length === 0) break;
      this.waiting.delete(index);
      lines.push(this.say({ ...nothing, calls }));
    }
    return lines.join('');
  }

  private end(end: AnswerEnd): string {
    const calls = [...this.waiting.values()].flatMap((waiting) => writeCall(wholeOf(waiting), end.reason === 'length'));
    const last = line(this.head, [
      ...saidMembers(nothing, this.making),
      ['done', 'true'],
      ['done_reason', JSON.stringify(writeEnd(end, this.refused))],
      ...membersOf(writeUsage(this.tokens)),
    ]);
    return `${calls.length === 0 ? '' : this.say({ ...nothing, calls })}${last}\n`;
  }
}

function wholeOf({ part, pieces }: Waiting): ToolCallPart {
  return { ...part, arguments: pieces.join('') };
}
