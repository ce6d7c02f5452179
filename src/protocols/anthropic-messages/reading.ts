/** The meaning of a message's events: what has begun, the tokens, and the end. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import type { Reading } from '../event-reading.ts';
import { mergeUsage, readUsage } from './usage.ts';

export function createMessageReading(): Reading {
  return new MessageReading();
}

class MessageReading implements Reading {
  answered = false;
  begun = false;
  last = false;
  /** A message is complete with `message_stop` alone. */
  readonly ended = false;
  private usage: Readonly<Record<string, unknown>> = {};

  get tokens(): TokenCounts {
    return this.answered ? readUsage(this.usage) : noTokenCounts;
  }

  /** Every event goes on, those of unknown types too. */
  take(event: Readonly<Record<string, unknown>>): boolean {
    switch (event['type']) {
      case 'message_start':
        this.answered = true;
        if (isObject(event['message'])) this.usage = mergeUsage(this.usage, event['message']['usage']);
        break;
      case 'content_block_start':
        if (hasContent(event['content_block'])) this.begun = true;
        break;
      case 'content_block_delta':
        this.begun = true;
        break;
      case 'message_delta':
        this.usage = mergeUsage(this.usage, event['usage']);
        this.begun = true;
        break;
      case 'message_stop':
        this.last = true;
    }
    return true;
  }
}

/** A block of text or thinking begins empty; a tool call says its name at once. */
function hasContent(block: unknown): boolean {
  if (!isObject(block)) return false;
  return (block['type'] !== 'text' && block['type'] !== 'thinking') || isFilled(block['text']) || isFilled(block['thinking']);
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
