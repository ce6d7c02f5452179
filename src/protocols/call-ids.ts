/** Ids of the calls of an answer: an upstream may give none, or one twice, and clients pair calls and results by them. Pure. */
import type { Part, Step } from '../core/conversation.ts';

export interface CallIds {
  /** @returns the step, its call with an id that no other call of the answer has */
  take(step: Step): Step;
}

/** @param answer the id of the answer: ids that are made of it differ between the turns of a conversation */
export function createCallIds(answer: string): CallIds {
  const seen = new Set<string>();
  let calls = 0;
  return {
    take(step) {
      if (step.type !== 'partBegin' || step.part.type !== 'toolCall') return step;
      const { part } = step;
      const place = calls++;
      const id = part.id === '' || seen.has(part.id) ? `call_${answer}_${place}` : part.id;
      seen.add(id);
      const named: Part = id === part.id ? part : { ...part, id };
      return { ...step, part: named };
    },
  };
}
