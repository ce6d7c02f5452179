/** Errors of Google's API, both ways: an upstream's refusal read, and ola's own written. Pure: the gateway decides what follows. */
import type { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import { parsed, withoutFrame } from '../failure-words.ts';
import { failureIn, failureOfBody, namedFailure, type StatusesOfCodes, usualStatuses } from '../failures.ts';
import type { Fields } from './names.ts';

/** Statuses of Google's codes (https://ai.google.dev/gemini-api/docs/troubleshooting), for an error inside of an answer of status 200. */
const statuses: StatusesOfCodes = [
  { code: /FAILED_PRECONDITION|OUT_OF_RANGE/, status: 400 },
  { code: /ALREADY_EXISTS|ABORTED/, status: 409 },
  { code: /\bINTERNAL\b|DATA_LOSS/, status: 500 },
  { code: /DEADLINE_EXCEEDED/, status: 504 },
  ...usualStatuses,
];

export function readFailure(status: number, _header: ReadHeader, body: string): UpstreamFailure {
  return sharpened(failureOfBody(status, body), parsed(withoutFrame(body)));
}

/** The failure that an event or an answer of status 200 tells; null: it tells none. */
export function failureInside(answer: Fields, text: string): UpstreamFailure | null {
  const failure = failureIn(answer, text, null, statuses);
  return failure === null ? null : sharpened(failure, answer);
}

/** The failure that an event named `error` tells. */
export function failureNamed(data: string): UpstreamFailure {
  return sharpened(namedFailure(data, statuses), parsed(data));
}

/** Google's words for a prompt that is too long. */
const tooManyTokens = /input token count.*exceeds the maximum/i;

/** What Google says in its own words: keys, quotas, and the length of a prompt. */
function sharpened(failure: UpstreamFailure, body: unknown): UpstreamFailure {
  const details = detailsIn(body);
  const { status, message } = failure;
  // AI Studio answers 400 to a key that it does not know.
  if (status === 400 && reasonsIn(details).some((reason) => /^API_KEY_/.test(reason))) return { ...failure, kind: 'auth' };
  if (status === 400 && tooManyTokens.test(message ?? '')) return { ...failure, kind: 'context_overflow' };
  if (status !== 429) return failure;
  // The words are the same for all quotas ("You exceeded your current quota"): only the quota's id tells a day from a minute.
  // The delay that stands beside it is that of the minute.
  return isDayQuota(details) ? { ...failure, kind: 'billing', retryAfterMs: null } : { ...failure, kind: 'rate_limit' };
}

function detailsIn(body: unknown): readonly Fields[] {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const error = isObject(first) ? first['error'] : null;
  const details = isObject(error) ? error['details'] : null;
  return Array.isArray(details) ? details.filter(isObject) : [];
}

function reasonsIn(details: readonly Fields[]): string[] {
  return details.map(({ reason }) => (typeof reason === 'string' ? reason : ''));
}

function isDayQuota(details: readonly Fields[]): boolean {
  const violations = details.flatMap(({ violations: list }) => (Array.isArray(list) ? list.filter(isObject) : []));
  return violations.some(({ quotaId }) => typeof quotaId === 'string' && /PerDay/.test(quotaId));
}

/** Google's name for the status that is sent. */
const names: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  529: 'UNAVAILABLE',
};

export function statusName(status: number): string {
  return names[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT');
}

/** The domain of ola's codes in an ErrorInfo (https://google.aip.dev/193). */
const domain = 'open-llm-auth';

/** ola's code and its details stand in one ErrorInfo, where Google's clients look for a reason. */
export function errorBody({ message, status, code, facts }: OlaError): string {
  const { param, wireCode, details } = facts;
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: (wireCode ?? code).toUpperCase(),
    domain,
    metadata: {
      ...(param === undefined ? {} : { param }),
      ...(details === undefined ? {} : { details: JSON.stringify(details) }),
    },
  };
  return JSON.stringify({ error: { code: status, message, status: statusName(status), details: [info] } });
}

const encoder = new TextEncoder();

export function errorEvent(error: OlaError): Uint8Array {
  return encoder.encode(`data: ${errorBody(error)}\n\n`);
}
