/** Errors of OpenAI's responses, both ways: an upstream's refusal read, and ola's own written. Pure: the gateway decides what follows. */
import { errorEnvelope, type OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import { told } from '../failure-words.ts';
import { failureIn, failureOfBody, namedFailure, type StatusesOfCodes, usualStatuses } from '../failures.ts';
import type { Fields } from './members.ts';

/** Statuses of the codes of a response that failed (https://platform.openai.com/docs/api-reference/responses/object). */
const statuses: StatusesOfCodes = [
  { code: /invalid_prompt|image|_policy|data_residency|previous_response/i, status: 400 },
  { code: /usage_limit|usage_not_included|insufficient_quota|slow_down/i, status: 429 },
  { code: /server_error|vector_store_timeout/i, status: 500 },
  ...usualStatuses,
];

export function readFailure(status: number, _header: ReadHeader, body: string): UpstreamFailure {
  return failureOfBody(status, body);
}

/**
 * The failure that an answer of status 200 or an event tells; null: it tells none. A response that failed has its error inside,
 * and so has the event that brings it.
 */
export function failureInside(answer: Fields, text: string): UpstreamFailure | null {
  const response = isObject(answer['response']) ? answer['response'] : answer;
  const failure = failureIn(answer, text, errorOf(response), statuses);
  // A response that failed is no error envelope, which is what clients read of a refused call.
  return failure === null || told(answer['error']) !== null ? failure : { ...failure, body: null };
}

function errorOf(response: Fields): unknown {
  const error = told(response['error']);
  if (error !== null) return error;
  const { status } = response;
  return status === 'failed' || status === 'cancelled' ? { code: 'server_error', message: null } : null;
}

/** The failure that an event named `error` tells. */
export function failureNamed(data: string): UpstreamFailure {
  return namedFailure(data, statuses);
}

/** OpenAI's error object is ola's own envelope too. */
export function errorBody(error: OlaError): string {
  return JSON.stringify(errorEnvelope(error));
}

const encoder = new TextEncoder();

/**
 * One event that all clients understand: Codex knows `response.failed` alone, and OpenAI's SDKs throw at an event that has
 * `error` at its top.
 */
export function errorEvent(error: OlaError): Uint8Array {
  const { error: inner } = errorEnvelope(error);
  const { code, message } = inner;
  const response = { object: 'response', status: 'failed', error: { code, message }, incomplete_details: null, output: [] };
  const event = { type: 'response.failed', sequence_number: 0, response, error: inner };
  return encoder.encode(`event: response.failed\ndata: ${JSON.stringify(event)}\n\n`);
}
