/** The reasons for which an answer of Ollama's is done, both ways (`done_reason` of https://docs.ollama.com/api/chat). */
import type { AnswerEnd, EndReason } from '../../core/conversation.ts';

const reasons: Readonly<Record<string, EndReason>> = {
  stop: 'stop',
  length: 'length',
  // Answers to requests that only load a model into memory, or take it out.
  load: 'stop',
  unload: 'stop',
  tool_calls: 'toolCalls',
  content_filter: 'contentFilter',
  refusal: 'refusal',
};

/** Ollama has no word of its own for a filter or a refusal: `stop` would pass for a complete answer. */
const words: Readonly<Record<EndReason, string>> = {
  stop: 'stop',
  length: 'length',
  toolCalls: 'stop',
  contentFilter: 'content_filter',
  refusal: 'refusal',
  pause: 'stop',
};

/** @param hasCalls the answer calls tools: Ollama says `stop` then too */
export function readEnd(reason: unknown, hasCalls: boolean): AnswerEnd {
  const word = typeof reason === 'string' && reason !== '' ? reason : 'stop';
  const known = Object.hasOwn(reasons, word) ? reasons[word] : undefined;
  const read = known ?? 'stop';
  return {
    reason: read === 'stop' && hasCalls ? 'toolCalls' : read,
    sequence: null,
    unknown: known === undefined ? word : null,
  };
}

/** @param refused the answer has a refusal in it, whatever reason its upstream gave */
export function writeEnd({ reason }: AnswerEnd, refused: boolean): string {
  return refused ? words.refusal : words[reason];
}
