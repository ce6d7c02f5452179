/** An answer as steps, and steps as an answer: one implementation for all protocols. Pure. */
import type { Answer, AnswerEnd, Part, Step } from './conversation.ts';
import { noTokenCounts } from './usage.ts';

const noEnd: AnswerEnd = { reason: 'stop', sequence: null, unknown: null };

/** @returns the answer that the steps build; without an `end` step it ends as `stop` */
export function fold(steps: Iterable<Step>): Answer {
  const parts: Part[] = [];
  const texts: string[][] = [];
  let answer: Omit<Answer, 'parts'> = { id: null, model: null, tokens: noTokenCounts, end: noEnd };
  for (const step of steps) {
    if (step.type === 'begin') answer = { ...answer, id: step.id, model: step.model };
    else if (step.type === 'partBegin') {
      parts[step.index] = step.part;
      texts[step.index] = [];
    } else if (step.type === 'partDelta') texts[step.index]?.push(step.text);
    else if (step.type === 'partEnd') endPart(parts, step);
    else if (step.type === 'usage') answer = { ...answer, tokens: step.tokens };
    else answer = { ...answer, end: step.end };
  }
  const whole = parts.flatMap((part, index) => (part === undefined ? [] : [withText(part, texts[index]?.join('') ?? '')]));
  return { ...answer, parts: whole };
}

function endPart(parts: Part[], { index, signature, extras }: Extract<Step, { type: 'partEnd' }>): void {
  const part = parts[index];
  if (part === undefined) return;
  const signed = signature !== undefined && part.type === 'reasoning' ? { ...part, signature } : part;
  parts[index] = extras === undefined ? signed : { ...signed, extras: { ...part.extras, ...extras } };
}

/** The part with a text behind its own. */
function withText(part: Part, more: string): Part {
  if (more === '') return part;
  if (part.type === 'toolCall') return { ...part, arguments: part.arguments + more };
  if (part.type === 'text' || part.type === 'reasoning' || part.type === 'refusal') return { ...part, text: part.text + more };
  return part;
}

/** The steps of an answer that came whole. */
export function* unfold({ id, model, parts, tokens, end }: Answer): Generator<Step> {
  yield { type: 'begin', id, model };
  for (const [index, part] of parts.entries()) {
    yield { type: 'partBegin', index, part };
    yield { type: 'partEnd', index };
  }
  yield { type: 'usage', tokens };
  yield { type: 'end', end };
}
