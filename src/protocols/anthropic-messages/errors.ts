/** Errors of Anthropic's API, both ways: an upstream's refusal read, and ola's own written. Pure: the gateway decides what follows. */
import type { OlaError } from '../../core/errors.ts';
import type { ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import { failureIn, failureOfBody, namedFailure, type StatusesOfCodes, usualStatuses } from '../failures.ts';

/** Statuses of Anthropic's error types (https://docs.anthropic.com/en/api/errors), for an error inside of an answer of status 200. */
const statuses: StatusesOfCodes = [
  { code: /billing_error/i, status: 402 },
  { code: /conflict_error/i, status: 409 },
  { code: /request_too_large/i, status: 413 },
  { code: /\bapi_error/i, status: 500 },
  { code: /timeout_error/i, status: 504 },
  { code: /overloaded_error/i, status: 529 },
  { code: /spend_limit/i, status: 429 },
  ...usualStatuses,
];

/** The code of a spend limit of the account, which the next month or an administrator lifts. */
const spendLimit = 'enforced_spend_limit_reached';

export function readFailure(status: number, header: ReadHeader, body: string): UpstreamFailure {
  const failure = failureOfBody(status, body);
  // A limit that says when to come back is one of rate, whatever its code.
  const comesBack = failure.code === spendLimit && status === 429 && header('retry-after') !== null;
  return comesBack ? { ...failure, kind: 'rate_limit' } : failure;
}

/** The failure that an event or an answer of status 200 tells; null: it tells none. */
export function failureInside(answer: Readonly<Record<string, unknown>>, text: string): UpstreamFailure | null {
  return failureIn(answer, text, null, statuses);
}

/** The failure that an event named `error` tells. */
export function failureNamed(data: string): UpstreamFailure {
  return namedFailure(data, statuses);
}

/** Anthropic's `error.type` for the status that is sent. */
const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function errorType(status: number): string {
  return types[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

/** Claude Code makes its conversation shorter when an error has these words. */
const tooLong = 'prompt is too long';

/** `code`, `param` and `details` are additions of ola's. */
export function errorBody({ message, status, code, facts }: OlaError): string {
  const { param, wireCode, details } = facts;
  const lacksWords = wireCode === 'context_length_exceeded' && !message.toLowerCase().includes(tooLong);
  return JSON.stringify({
    type: 'error',
    error: {
      type: errorType(status),
      message: lacksWords ? `${tooLong}: ${message}` : message,
      code: wireCode ?? code,
      ...(param === undefined ? {} : { param }),
      ...(details === undefined ? {} : { details }),
    },
  });
}

const encoder = new TextEncoder();

export function errorEvent(error: OlaError): Uint8Array {
  return encoder.encode(`event: error\ndata: ${errorBody(error)}\n\n`);
}
