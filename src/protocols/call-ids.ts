/** Ids of tool calls, for upstreams that give none. Pure. */
import type { Step } from '../core/conversation.ts';

/**
 * Gives a call without an id one of the answer's id and its place: it is the same in every turn, and no other answer has it.
 * @param answer letters, digits and hyphens
 */
export function withCallId(step: Step, answer: string): Step {
  if (step.type !== 'partBegin' || step.part.type !== 'toolCall' || step.part.id !== '') return step;
  return { ...step, part: { ...step.part, id: `call_${answer}_${step.index}` } };
}
