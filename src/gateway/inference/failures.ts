/** Failures of an attempt: the words that the client gets, and whether another attempt may follow. Pure. */
import { asOlaError, OlaError } from '../../core/errors.ts';
import type { Reply } from '../../core/ports.ts';
import type { FailureKind, UpstreamFailure } from '../../core/protocol.ts';
import type { Redact } from '../../core/redaction.ts';
import { interrupted } from './relay.ts';

/** An attempt that came to nothing, as a value. */
export interface AttemptFailure {
  readonly error: OlaError;
  /** The upstream's status, null when there was none. */
  readonly status: number | null;
  /** `other`: another credential or provider may do better. */
  readonly next: 'same' | 'other' | 'stop';
}

/** Another credential or provider may do better; a client's mistake stays one wherever it is sent. */
const worthAnotherAttempt: Readonly<Record<FailureKind, boolean>> = {
  invalid_request: false,
  context_overflow: false,
  content_filter: false,
  auth: true,
  billing: true,
  rate_limit: true,
  timeout: true,
  overloaded: true,
  server_error: true,
  malformed: false,
};

/** Nothing came of the request: no connection, no answer in time, a refusal of egress. */
export function broken(thrown: unknown): AttemptFailure {
  const error = asOlaError(thrown);
  const status = error.facts.details?.['upstream_status'];
  const again = error.code === 'upstream_unreachable' || error.code === 'upstream_timeout';
  return { error, status: typeof status === 'number' ? status : null, next: again ? 'other' : 'stop' };
}

/** The upstream had begun to answer, and will charge for it: no other one is asked. */
export function brokenOff(provider: string, cause: unknown): AttemptFailure {
  return { error: interrupted(provider, cause), status: null, next: 'stop' };
}

/** @param reply an answer that will not be read: its connection is given up */
export function unexpected(message: string, reply?: Reply): AttemptFailure {
  reply?.cancel();
  return { error: new OlaError('provider_error', message), status: null, next: 'stop' };
}

/** A whole answer that breaks the protocol. */
export function malformed(provider: string, { message }: UpstreamFailure): AttemptFailure {
  return unexpected(`Provider '${provider}' ${message ?? 'broke the protocol'}.`);
}

export function refused(refusal: Refusal): AttemptFailure {
  const { failure } = refusal;
  return { error: upstreamError(refusal), status: failure.status, next: worthAnotherAttempt[failure.kind] ? 'other' : 'stop' };
}

/** Statuses that are the client's to act on: they keep their number and the upstream's own words. */
const clientStatuses: readonly number[] = [400, 404, 413, 422];
const longestMessage = 500;

/** A refusal and what is known around it. */
export interface Refusal {
  readonly provider: string;
  /** What was asked for, behind the provider's base URL. */
  readonly path: string;
  readonly failure: UpstreamFailure;
  readonly retryAfterHeader: string | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly redact: Redact;
}

function upstreamError({ provider, path, failure, retryAfterHeader, now, redact }: Refusal): OlaError {
  const { status, kind } = failure;
  const said = `Upstream provider '${provider}' returned HTTP ${status}`;
  const details = { provider, upstream_status: status };
  const absent = `: it may not serve ${path}, or not this model`;
  if (clientStatuses.includes(status)) {
    const message =
      failure.message === null ? `${said}${status === 404 ? absent : ''}.` : `${said}: ${shorten(redact(failure.message))}`;
    const code =
      kind === 'context_overflow' && (status !== 413 || failure.code === null)
        ? 'context_length_exceeded'
        : failure.code === null
          ? null
          : shorten(redact(failure.code));
    return new OlaError('upstream_http_error', message, {
      status,
      details,
      ...(failure.param === null ? {} : { param: shorten(redact(failure.param)) }),
      ...(code === null ? {} : { wireCode: code }),
    });
  }
  if (status === 429) {
    return new OlaError(
      'upstream_http_error',
      `${said}: it limits the rate of requests, or its quota is used up. Try again later.`,
      {
        status: 429,
        wireCode: kind === 'billing' ? 'insufficient_quota' : 'rate_limit_exceeded',
        details,
        headers: { 'retry-after': String(retryAfterSeconds(retryAfterHeader, now) ?? 30) },
      },
    );
  }
  if (status === 401 || status === 402 || status === 403) {
    const message = `${said}: it refuses the credential that ola holds for it. Your own token is fine; an administrator must look at the provider.`;
    return new OlaError('upstream_auth_error', message, { details });
  }
  if (status === 408 || status === 504) return new OlaError('upstream_timeout', `${said}: it timed out.`, { details });
  return new OlaError('upstream_http_error', `${said}${status === 405 ? absent : ''}.`, { details });
}

function shorten(text: string): string {
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Clients obey: a wrong clock or a slip of an upstream must not send them away for years. */
const longestRetryAfter = 86_400;

/** `Retry-After` as seconds or as a date (RFC 9110, 10.2.3), in whole seconds from one to a day; null for neither. */
export function retryAfterSeconds(header: string | null, now: number): number | null {
  if (header === null) return null;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000);
  return Number.isNaN(seconds) ? null : Math.min(longestRetryAfter, Math.max(1, seconds));
}
