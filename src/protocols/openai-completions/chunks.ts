/** The chunks of a streamed chat or completion: what has come of each choice. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts } from '../../core/usage.ts';
import type { Reading } from '../event-reading.ts';
import { readUsage } from './usage.ts';

/** @param usageAsked false: a chunk with usage and no choice is withheld, as ola asked for it, not the client */
export function createChunkReading(usageAsked: boolean): Reading {
  return new ChunkReading(usageAsked);
}

class ChunkReading implements Reading {
  answered = false;
  begun = false;
  readonly last = false;
  tokens = noTokenCounts;
  private readonly usageAsked: boolean;
  /** By index: whether a choice has had its finish. Some servers send chunks without one behind it. */
  private readonly finished = new Map<unknown, boolean>();

  constructor(usageAsked: boolean) {
    this.usageAsked = usageAsked;
  }

  get ended(): boolean {
    return this.answered && ![...this.finished.values()].includes(false);
  }

  take(chunk: Readonly<Record<string, unknown>>): boolean {
    const choices = Array.isArray(chunk['choices']) ? chunk['choices'].filter(isObject) : [];
    for (const choice of choices) this.takeChoice(choice);
    if (!isObject(chunk['usage'])) return true;
    this.tokens = readUsage(chunk['usage']);
    // Events of another protocol have a usage, too.
    this.begun ||= Array.isArray(chunk['choices']);
    return this.usageAsked || choices.length > 0;
  }

  /** The fields of a choice that the SDKs read. */
  private takeChoice(choice: Readonly<Record<string, unknown>>): void {
    const index = choice['index'] ?? 0;
    const ends = typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '';
    if (ends || !this.finished.has(index)) this.finished.set(index, ends);
    this.answered = true;
    if (ends || hasContent(choice)) this.begun = true;
  }
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
