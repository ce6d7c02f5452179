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

/** A call whose arguments are still coming. */
interface Waiting {
  readonly part: ToolCallPart;
  readonly pieces: string[];
}

class Encoder implements StreamEncoder {
  private readonly making: Making;
  private head: ReturnType<typeof headOf>;
  private readonly open = new Map<number, Part['type']>();
  private readonly waiting = new Map<number, Waiting>();
  private tokens: TokenCounts = noTokenCounts;
  private refused = false;

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
      this.waiting.set(index, { part, pieces: [part.arguments] });
      return '';
    }
    this.refused ||= part.type === 'refusal';
    this.open.set(index, part.type);
    return 'text' in part ? this.text(index, part.text) : '';
  }

  private text(index: number, text: string): string {
    const waiting = this.waiting.get(index);
    if (waiting !== undefined) waiting.pieces.push(text);
    if (waiting !== undefined || text === '') return '';
    const type = this.open.get(index);
    if (type === 'text' || type === 'refusal') return this.say({ ...nothing, text });
    return type === 'reasoning' ? this.say({ ...nothing, thinking: text }) : '';
  }

  private say(said: Said): string {
    return `${line(this.head, [...saidMembers(said, this.making), ['done', 'false']])}\n`;
  }

  private endPart(index: number): string {
    this.open.delete(index);
    const waiting = this.waiting.get(index);
    if (waiting === undefined) return '';
    // What is no object may have been cut by the length limit, which the end tells.
    const call = writeCall(wholeOf(waiting), true);
    if (call.length === 0) return '';
    this.waiting.delete(index);
    return this.say({ ...nothing, calls: call });
  }

  private end(end: AnswerEnd): string {
    const calls = [...this.waiting.values()].flatMap((waiting) => writeCall(wholeOf(waiting), end.reason === 'length'));
    const last = line(this.head, [
      ...saidMembers({ ...nothing, calls }, this.making),
      ['done', 'true'],
      ['done_reason', JSON.stringify(writeEnd(end, this.refused))],
      ...membersOf(writeUsage(this.tokens)),
    ]);
    return `${last}\n`;
  }
}

function wholeOf({ part, pieces }: Waiting): ToolCallPart {
  return { ...part, arguments: pieces.join('') };
}
