/** Parts one behind the other, as the vendor's items come: the steps of a second part wait until the open one has ended. */
import type { Part, Step } from '../../core/conversation.ts';

/** Characters of all parts that wait; a whole answer may be as long. */
const mostWaiting = 64 * 1024 * 1024;

type PartStep = Extract<Step, { index: number }>;
type Tell = (step: PartStep) => void;

/** The steps of a part that waits. */
interface Waiting {
  readonly begin: Extract<Step, { type: 'partBegin' }>;
  readonly texts: string[];
  end: Extract<Step, { type: 'partEnd' }> | null;
}

export class PartOrder {
  /** The index of the open part. */
  private current: number | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private length = 0;

  /** @throws RangeError when the parts that wait are longer than an answer may be */
  take(step: PartStep, tell: Tell): void {
    if (step.index === this.current) {
      tell(step);
      if (step.type === 'partEnd') this.release(tell);
    } else if (step.type !== 'partBegin') this.hold(step);
    else if (this.current === null) {
      this.current = step.index;
      tell(step);
    } else {
      this.waiting.set(step.index, { begin: step, texts: [], end: null });
      this.grow(lengthOf(step.part));
    }
  }

  /** Parts that were never ended end with the answer. */
  finish(tell: Tell): void {
    while (this.current !== null) {
      tell({ type: 'partEnd', index: this.current });
      this.release(tell);
    }
  }

  private hold(step: Exclude<PartStep, { type: 'partBegin' }>): void {
    const waiting = this.waiting.get(step.index);
    if (waiting === undefined) return;
    if (step.type === 'partEnd') waiting.end = step;
    else {
      waiting.texts.push(step.text);
      this.grow(step.text.length);
    }
  }

  private grow(length: number): void {
    this.length += length;
    if (this.length > mostWaiting) throw new RangeError('the parts of an answer that wait for another one are too long');
  }

  /** The parts that waited, up to the first one that has not ended: it becomes the open one. */
  private release(tell: Tell): void {
    this.current = null;
    for (const [index, { begin, texts, end }] of this.waiting) {
      this.waiting.delete(index);
      const text = texts.join('');
      this.length -= lengthOf(begin.part) + text.length;
      tell(begin);
      if (text !== '') tell({ type: 'partDelta', index, text });
      if (end === null) {
        this.current = index;
        return;
      }
      tell(end);
    }
  }
}

function lengthOf(part: Part): number {
  if (part.type === 'text' || part.type === 'refusal' || part.type === 'reasoning') return part.text.length;
  return part.type === 'toolCall' ? part.arguments.length : 0;
}
