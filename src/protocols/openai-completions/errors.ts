/** Errors of OpenAI's API, both ways: an upstream's refusal read, and ola's own written. Pure: the gateway decides what follows. */
import { errorEnvelope, type OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import { told } from '../failure-words.ts';
import { failureIn, failureOfBody } from '../failures.ts';

export function readFailure(status: number, _header: ReadHeader, body: string): UpstreamFailure {
  return failureOfBody(status, body);
}

/** The failure that an answer of status 200 tells, at its top or in a choice; null: it tells none. */
export function failureInside(answer: Readonly<Record<string, unknown>>, text: string): UpstreamFailure | null {
  return failureIn(answer, text, errorOfChoice(answer['choices']));
}

function errorOfChoice(choices: unknown): unknown {
  if (!Array.isArray(choices)) return null;
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    const error = told(choice['error']) ?? (choice['finish_reason'] === 'error' ? { message: null } : null);
    if (error !== null) return error;
  }
  return null;
}

/** OpenAI's error object is ola's own envelope too. */
export function errorBody(error: OlaError): string {
  return JSON.stringify(errorEnvelope(error));
}

const encoder = new TextEncoder();

/** An error is one event, and `[DONE]` does not follow it. */
export function errorEvent(error: OlaError): Uint8Array {
  return encoder.encode(`data: ${errorBody(error)}\n\n`);
}
