/** The chunks of a streamed chat or completion: what has come of each choice. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts } from '../../core/usage.ts';
import type { Reading } from './reading.ts';
import { readUsage } from './usage.ts';

/** @param usageAsked false: a chunk with usage and no choice is withheld, as ola asked for it, not the client */
export function createChunkReading(usageAsked: boolean): Reading {
  /** By index: whether a choice has had its finish. Some servers send chunks without one behind it. */
  const finished = new Map<unknown, boolean>();
  let answered = false;
  let begun = false;
  let tokens = noTokenCounts;

  /** The fields of a choice that the SDKs read. */
  function takeChoice(choice: Readonly<Record<string, unknown>>): void {
    const index = choice['index'] ?? 0;
    const ends = typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '';
    if (ends || !finished.has(index)) finished.set(index, ends);
    answered = true;
    if (ends || hasContent(choice)) begun = true;
  }

  return {
    take(chunk) {
      const choices = Array.isArray(chunk['choices']) ? chunk['choices'].filter(isObject) : [];
      for (const choice of choices) takeChoice(choice);
      if (!isObject(chunk['usage'])) return true;
      tokens = readUsage(chunk['usage']);
      begun = true;
      return usageAsked || choices.length > 0;
    },
    get begun() {
      return begun;
    },
    get answered() {
      return answered;
    },
    get ended() {
      return answered && ![...finished.values()].includes(false);
    },
    get tokens() {
      return tokens;
    },
  };
}

/** Text, reasoning, a tool call, audio: anything but a role and empty fields. */
function hasContent({ text, delta }: Readonly<Record<string, unknown>>): boolean {
  if (typeof text === 'string' && text !== '') return true;
  if (!isObject(delta)) return false;
  for (const name in delta) if (name !== 'role' && isFilled(delta[name])) return true;
  return false;
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== null && value !== undefined && value !== '';
}
