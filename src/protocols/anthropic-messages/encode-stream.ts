/**
 * Steps of the hub as events for Anthropic's clients. Their blocks come one behind the other: the steps of
 * a second part wait until the open block has ended.
 */
import type { AnswerEnd, Part, Step } from '../../core/conversation.ts';
import type { Making, StreamEncoder } from '../../core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { type BlockWriting, createBlockWriting } from './block-writing.ts';
import { messageId } from './encode-answer.ts';
import { writeEnd } from './end-reasons.ts';
import { writeUsage } from './usage.ts';
import { writeEvent } from './write-event.ts';

/** Characters of all parts that wait; a whole answer may be as long. */
const mostWaiting = 64 * 1024 * 1024;

export function streamEncoder(making: Making): StreamEncoder {
  return new Encoder(making);
}

type PartStep = Extract<Step, { index: number }>;

/** The steps of a part that waits. */
interface Waiting {
  readonly begin: Extract<Step, { type: 'partBegin' }>;
  readonly texts: string[];
  end: Extract<Step, { type: 'partEnd' }> | null;
}

class Encoder implements StreamEncoder {
  private readonly making: Making;
  private readonly blocks: BlockWriting = createBlockWriting();
  /** The head of the message, until the step behind it: the counts of the prompt belong into it. */
  private head: Extract<Step, { type: 'begin' }> | null = null;
  private started = false;
  private tokens: TokenCounts = noTokenCounts;
  private refused = false;
  /** The index of the part whose block is open. */
  private current: number | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private waitingLength = 0;

  constructor(making: Making) {
    this.making = making;
  }

  /** @throws RangeError when the parts that wait are longer than an answer may be */
  encode(step: Step): string {
    // The usual step: a piece for the block that is open.
    if (step.type === 'partDelta' && step.index === this.current) return this.blocks.text(step.text);
    if (step.type === 'begin') {
      this.head = step;
      return '';
    }
    if (step.type === 'usage') {
      this.tokens = step.tokens;
      return this.head === null ? '' : this.start();
    }
    const head = this.started ? '' : this.start();
    return head + (step.type === 'end' ? this.end(step.end) : this.part(step));
  }

  private start(): string {
    this.started = true;
    const message = {
      id: this.head?.id ?? messageId(this.making),
      type: 'message',
      role: 'assistant',
      model: this.head?.model ?? this.making.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeUsage(this.tokens),
    };
    this.head = null;
    return writeEvent({ type: 'message_start', message });
  }

  private part(step: PartStep): string {
    if (step.type === 'partBegin') return this.current === null ? this.open(step) : this.wait(step);
    if (step.index !== this.current) return this.hold(step);
    if (step.type === 'partDelta') return this.blocks.text(step.text);
    this.current = null;
    return this.blocks.end(step) + this.release();
  }

  private open({ index, part }: Extract<Step, { type: 'partBegin' }>): string {
    this.refused ||= part.type === 'refusal';
    this.current = index;
    return this.blocks.begin(part);
  }

  private wait(begin: Waiting['begin']): string {
    this.waiting.set(begin.index, { begin, texts: [], end: null });
    this.grow(lengthOf(begin.part));
    return '';
  }

  private hold(step: Exclude<PartStep, { type: 'partBegin' }>): string {
    const waiting = this.waiting.get(step.index);
    if (waiting === undefined) return '';
    if (step.type === 'partEnd') waiting.end = step;
    else {
      waiting.texts.push(step.text);
      this.grow(step.text.length);
    }
    return '';
  }

  private grow(length: number): void {
    this.waitingLength += length;
    if (this.waitingLength > mostWaiting) throw new RangeError('the parts of an answer that wait for another one are too long');
  }

  /** The parts that waited, up to the first one that has not ended: it becomes the open one. */
  private release(): string {
    const texts: string[] = [];
    for (const [index, { begin, texts: held, end }] of this.waiting) {
      this.waiting.delete(index);
      const text = held.join('');
      this.waitingLength -= lengthOf(begin.part) + text.length;
      texts.push(this.open(begin), text === '' ? '' : this.blocks.text(text));
      if (end === null) return texts.join('');
      this.current = null;
      texts.push(this.blocks.end(end));
    }
    return texts.join('');
  }

  /** Parts that were never ended end with the answer. */
  private end(end: AnswerEnd): string {
    const texts: string[] = [];
    while (this.current !== null) {
      const index = this.current;
      this.current = null;
      texts.push(this.blocks.end({ type: 'partEnd', index }), this.release());
    }
    const delta = writeEnd(end, this.refused);
    texts.push(
      writeEvent({ type: 'message_delta', delta, usage: writeUsage(this.tokens) }),
      writeEvent({ type: 'message_stop' }),
    );
    return texts.join('');
  }
}

function lengthOf(part: Part): number {
  if (part.type === 'text' || part.type === 'refusal') return part.text.length;
  if (part.type === 'reasoning') return part.text.length + (part.redacted?.length ?? 0);
  return part.type === 'toolCall' ? part.arguments.length : 0;
}
