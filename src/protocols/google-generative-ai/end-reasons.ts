/** Google's finish reasons, both ways (https://ai.google.dev/api/generate-content#FinishReason). */
import type { AnswerEnd, EndReason } from '../../core/conversation.ts';

const reasons: Readonly<Record<string, EndReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'contentFilter',
  RECITATION: 'contentFilter',
  LANGUAGE: 'contentFilter',
  BLOCKLIST: 'contentFilter',
  PROHIBITED_CONTENT: 'contentFilter',
  SPII: 'contentFilter',
  IMAGE_SAFETY: 'contentFilter',
  IMAGE_PROHIBITED_CONTENT: 'contentFilter',
  IMAGE_RECITATION: 'contentFilter',
  MODEL_ARMOR: 'contentFilter',
};

/** Reasons by which the API says that the model's words were no answer: another attempt may do better. */
const failed: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'MALFORMED_RESPONSE',
  'NO_IMAGE',
  'IMAGE_OTHER',
  'OTHER',
]);

const words: Readonly<Record<EndReason, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  // Google has no reason for calls of tools: its clients look for the calls.
  toolCalls: 'STOP',
  contentFilter: 'SAFETY',
  // Its clients take `STOP` for a complete answer.
  refusal: 'SAFETY',
  pause: 'STOP',
};

export const isFailedEnd = (word: string): boolean => failed.has(word);

/** @param calls the answer has calls of tools */
export function readEnd(word: string, calls: boolean): AnswerEnd {
  const known = Object.hasOwn(reasons, word) ? reasons[word] : undefined;
  const reason = known ?? 'stop';
  return {
    reason: reason === 'stop' && calls ? 'toolCalls' : reason,
    sequence: null,
    unknown: known === undefined ? word : null,
  };
}

export function writeEnd({ reason }: AnswerEnd): string {
  return words[reason];
}
