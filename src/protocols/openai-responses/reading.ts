/** The meaning of a response's events: what has begun, the tokens, and the end. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import type { Reading } from '../event-reading.ts';
import { readUsage } from './usage.ts';

export function createResponseReading(): Reading {
  return new ResponseReading();
}

/** Types of events that begin a response and bring nothing. */
const beginnings: ReadonlySet<unknown> = new Set(['response.created', 'response.in_progress', 'response.queued']);
const ends: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete', 'response.done']);
/** Types of items that begin empty. */
const emptyItems: ReadonlySet<unknown> = new Set(['message', 'reasoning']);

class ResponseReading implements Reading {
  answered = false;
  begun = false;
  last = false;
  tokens: TokenCounts = noTokenCounts;
  /** A response is complete with its last event alone. */
  readonly ended = false;

  /** Every event goes on, those of unknown types too. */
  take(event: Readonly<Record<string, unknown>>): boolean {
    const { type, response } = event;
    if (beginnings.has(type)) this.answered = true;
    else if (ends.has(type)) {
      this.answered ||= isObject(response);
      this.begun = true;
      this.last = true;
      if (isObject(response)) this.tokens = readUsage(response['usage']);
    } else if (!this.begun) this.begun = carriesContent(event);
    return true;
  }
}

/** A message begins empty; a call says its name at once. Events of unknown types may be signs of life. */
function carriesContent({ type, item, delta }: Readonly<Record<string, unknown>>): boolean {
  if (type === 'response.output_item.added') return isObject(item) && !emptyItems.has(item['type']);
  if (type === 'response.output_item.done') return true;
  return typeof type === 'string' && type.endsWith('.delta') && delta !== '';
}
