/**
 * The turns of one run as one answer. A model that asks for a tool is told that there is none, and answers again: such a call
 * is no part of the answer. Any other end of a turn is the end of the answer, as the program would go on after a length limit.
 */
import type { Step } from '../../core/conversation.ts';
import type { StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';

type Take = (step: Step) => void;
type Fields = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();

export class Turns {
  ended = false;
  private readonly events: () => StreamDecoder;
  private decoder: StreamDecoder;
  private begun = false;
  /** The number of parts of the answer so far. */
  private parts = 0;
  /** The place in the answer of each part of this turn that is one of the answer. */
  private places = new Map<number, number>();
  /** The tokens of the turns before, and of this one. */
  private before: TokenCounts = noTokenCounts;
  private tokens: TokenCounts = noTokenCounts;

  constructor(events: () => StreamDecoder) {
    this.events = events;
    this.decoder = events();
  }

  get fault(): StreamFault | null {
    return this.decoder.fault;
  }

  get failure(): UpstreamFailure | null {
    return this.decoder.failure;
  }

  push(event: Fields, take: Take): void {
    const text = `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`;
    this.decoder.push(encoder.encode(text), (step) => this.take(step, take));
  }

  close(): void {
    this.decoder.close();
  }

  private take(step: Step, take: Take): void {
    if (step.type === 'begin') {
      if (!this.begun) take(step);
      this.begun = true;
    } else if (step.type === 'usage') {
      this.tokens = sum(this.before, step.tokens);
      take({ type: 'usage', tokens: this.tokens });
    } else if (step.type === 'end') this.end(step, take);
    else this.part(step, take);
  }

  private part(step: Extract<Step, { type: 'partBegin' | 'partDelta' | 'partEnd' }>, take: Take): void {
    if (step.type === 'partBegin') {
      if (step.part.type !== 'text' && step.part.type !== 'reasoning') return;
      this.places.set(step.index, this.parts++);
    }
    const index = this.places.get(step.index);
    if (index === undefined) return;
    // A signature is worth something to an API that takes reasoning back: the program takes none.
    if (step.type === 'partEnd') take({ type: 'partEnd', index });
    else if (step.type === 'partDelta') take({ ...step, index });
    else take({ type: 'partBegin', index, part: unsigned(step.part) });
  }

  private end(step: Extract<Step, { type: 'end' }>, take: Take): void {
    if (step.end.reason === 'toolCalls') {
      this.decoder.close();
      this.decoder = this.events();
      this.places = new Map();
      this.before = this.tokens;
      return;
    }
    this.ended = true;
    take(step);
  }
}

function unsigned(part: Extract<Step, { type: 'partBegin' }>['part']): Extract<Step, { type: 'partBegin' }>['part'] {
  if (part.type !== 'reasoning') return part;
  return { type: 'reasoning', text: part.text };
}

/** A count that neither side knows stays unknown. */
function sum(one: TokenCounts, other: TokenCounts): TokenCounts {
  const names = Object.keys({ ...one, ...other }) as (keyof TokenCounts)[];
  const added = names.map((name) => {
    const [left, right] = [one[name] ?? null, other[name] ?? null];
    return [name, left === null && right === null ? null : (left ?? 0) + (right ?? 0)] as const;
  });
  return Object.fromEntries(added) as unknown as TokenCounts;
}
