/** Reasoning of an answer on its way to a client: wrapped with its maker, and remembered with the tool call that it led to. */
import type { Part, ReasoningPart, Step, ToolCallPart } from '../core/conversation.ts';
import type { ReasoningMemory } from '../core/protocol.ts';
import { wrapReasoning } from '../core/signed-reasoning.ts';

export interface AnswerReasoning {
  /** @returns the step as the client's encoder takes it */
  take(step: Step): Step;
  /** A part has begun whose increments must be taken. */
  readonly isOpen: boolean;
}

interface Maker {
  readonly maker: string;
  readonly memory: ReasoningMemory | null;
}

export function createAnswerReasoning(of: Maker): AnswerReasoning {
  return new Reasoning(of);
}

/** A part that is being told, with the pieces of its text. */
interface Open {
  readonly part: ReasoningPart | ToolCallPart;
  readonly pieces: string[];
}

class Reasoning implements AnswerReasoning {
  private readonly maker: string;
  private readonly memory: ReasoningMemory | null;
  private readonly open = new Map<number, Open>();
  /** Since the last tool call. */
  private beforeText: ReasoningPart[] = [];
  private behindText: ReasoningPart[] = [];
  private sawText = false;

  constructor({ maker, memory }: Maker) {
    this.maker = maker;
    this.memory = memory;
  }

  get isOpen(): boolean {
    return this.open.size > 0;
  }

  take(step: Step): Step {
    if (step.type === 'partDelta') {
      if (this.open.size > 0) this.open.get(step.index)?.pieces.push(step.text);
      return step;
    }
    if (step.type === 'partBegin') return this.begin(step);
    return step.type === 'partEnd' ? this.end(step) : step;
  }

  private begin(step: Extract<Step, { type: 'partBegin' }>): Step {
    const { part, index } = step;
    if (part.type === 'reasoning') {
      this.open.set(index, { part, pieces: [] });
      return { ...step, part: this.wrapped(part) };
    }
    if (part.type === 'toolCall' && this.memory !== null) this.open.set(index, { part, pieces: [] });
    if (part.type === 'text') this.sawText = true;
    return step;
  }

  /** The signature of a part may come at its beginning or behind it; the client gets it behind it. */
  private wrapped(part: ReasoningPart): Part {
    const { signature: _, redacted, ...rest } = part;
    return redacted === undefined ? rest : { ...rest, redacted: wrapReasoning(redacted, this.maker) };
  }

  private end(step: Extract<Step, { type: 'partEnd' }>): Step {
    const open = this.open.get(step.index);
    if (open === undefined) return step;
    this.open.delete(step.index);
    const { part, pieces } = open;
    if (part.type === 'toolCall') {
      this.remember({ ...part, arguments: part.arguments + pieces.join('') });
      return step;
    }
    const signature = step.signature ?? part.signature;
    const text = part.text + pieces.join('');
    const whole: ReasoningPart = { ...part, text, ...(signature === undefined ? {} : { signature }) };
    (this.sawText ? this.behindText : this.beforeText).push(whole);
    return part.redacted === undefined ? { ...step, signature: wrapReasoning(signature ?? '', this.maker) } : step;
  }

  private remember(call: ToolCallPart): void {
    const { beforeText, behindText } = this;
    if (beforeText.length + behindText.length === 0) return;
    this.memory?.keep(call, { beforeText, behindText });
    this.beforeText = [];
    this.behindText = [];
  }
}
