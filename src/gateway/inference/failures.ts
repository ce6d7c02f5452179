/** Failures of an attempt: the words that the client gets, and whether another attempt may follow. Pure. */
import { asOlaError, type ErrorOptions, OlaError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { HeaderMap, Reply } from '../../core/ports.ts';
import type { FailureKind, ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import type { Redact } from '../../core/redaction.ts';
import type { CooldownCause } from '../routing/windows.ts';
import { interrupted } from './relay.ts';
import { retryAfterSeconds, usualRetryAfter } from './retry-after.ts';

/** An attempt that came to nothing, as a value. */
export interface AttemptFailure {
  readonly error: OlaError;
  /** The upstream's status, null when there was none. */
  readonly status: number | null;
  /** `other`: another credential or provider may do better. */
  readonly next: 'same' | 'other' | 'stop';
  /** The fault of the credential or of the upstream; null: it says nothing about either. */
  readonly fault: Fault | null;
}

export type Fault =
  /** The upstream limits or refuses the credential. @see CooldownCause */
  | { readonly of: 'credential'; readonly reason: CooldownCause['reason']; readonly waitMs: number | null }
  | { readonly of: 'upstream' };

const upstreamFault: Fault = { of: 'upstream' };

function faultOf(kind: FailureKind, waitMs: number | null): Fault | null {
  if (kind === 'rate_limit' || kind === 'entitlement' || kind === 'billing' || kind === 'auth')
    return { of: 'credential', reason: kind, waitMs };
  return upstreamKinds.includes(kind) ? upstreamFault : null;
}

const upstreamKinds: readonly FailureKind[] = ['timeout', 'overloaded', 'server_error'];

/** Another credential or provider may do better; a client's mistake stays one wherever it is sent. */
const worthAnotherAttempt: Readonly<Record<FailureKind, boolean>> = {
  invalid_request: false,
  context_overflow: false,
  content_filter: false,
  auth: true,
  billing: true,
  entitlement: true,
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
  const next = afterBroken(error);
  return { error, status: typeof status === 'number' ? status : null, next, fault: next === 'other' ? upstreamFault : null };
}

function afterBroken({ code, facts }: OlaError): AttemptFailure['next'] {
  // A kept connection that had ended before the request came: the upstream has seen nothing of it.
  if (facts.details?.['reason'] === staleConnection) return 'same';
  if (facts.details?.['reason'] === withoutAnswer) return 'other';
  return code === 'upstream_unreachable' || code === 'upstream_timeout' ? 'other' : 'stop';
}

/** The reasons that egress gives: a kept connection had ended before; a connection ended before the first byte of an answer. */
export const staleConnection = 'stale_connection';
const withoutAnswer = 'no_answer';

/** The upstream had begun to answer, and will charge for it: no other one is asked. */
export function brokenOff(provider: string, cause: unknown): AttemptFailure {
  return { error: interrupted(provider, cause), status: null, next: 'stop', fault: upstreamFault };
}

/** @param reply an answer that will not be read: its connection is given up */
export function unexpected(message: string, reply?: Reply): AttemptFailure {
  reply?.cancel();
  return { error: new OlaError('provider_error', message), status: null, next: 'stop', fault: null };
}

/** The upstream's protocol cannot say what the client asked for: another one may. */
export function untold(thrown: unknown): AttemptFailure {
  return { error: asOlaError(thrown), status: null, next: 'other', fault: null };
}

/** The failure that an upstream told, by a status or inside an answer of status 200. */
export function refused(refusal: Refusal): AttemptFailure {
  const { failure, provider } = refusal;
  if (failure.kind === 'malformed') return unexpected(`Provider '${provider}' ${failure.message ?? 'broke the protocol'}.`);
  const seconds = retryAfterSeconds(refusal.header, waitOf(failure, refusal.now), refusal.now);
  const fault = faultOf(failure.kind, seconds === null ? null : seconds * 1000);
  return { error: upstreamError(refusal), status: failure.status, next: isWorthAnother(refusal) ? 'other' : 'stop', fault };
}

function waitOf({ retryAfterMs, retryAt }: UpstreamFailure, now: number): number | null {
  return retryAfterMs ?? (retryAt === undefined ? null : retryAt - now);
}

/** A refused credential is always worth another one; after an upstream's own fault the configuration decides by the status. */
function isWorthAnother({ failure: { kind, status }, retryStatuses }: Refusal): boolean {
  if (!worthAnotherAttempt[kind]) return false;
  return kind === 'auth' || kind === 'entitlement' || kind === 'billing' || retryStatuses === null || retryStatuses.has(status);
}

/**
 * Statuses whose JSON body a client of the same protocol gets as it came: clients recover by its words. Every other status is told
 * in ola's own words.
 */
const passedStatuses: readonly number[] = [400, 404, 408, 409, 413, 422, 429, 503, 529];
/** Statuses of an upstream that refuses the credential, or wants it paid for. */
const credentialStatuses: readonly number[] = [401, 402, 403];
/** Statuses of a client's own mistake: they stay, whether or not the upstream said a word. */
const wordedStatuses: readonly number[] = [400, 404, 409, 413, 422];
/** Statuses that say when to come back, whether or not the upstream does. */
const waitingStatuses: readonly number[] = [429, 503, 529];
/** Characters. */
const longestMessage = 500;

/** A refusal and the facts around it. */
export interface Refusal {
  readonly provider: string;
  /** The path behind the provider's base URL. */
  readonly path: string;
  /** The base URL has no version and may need one. */
  readonly lacksVersion: boolean;
  /** Models of the provider that the one of the call may have meant; none when it lists that one. */
  readonly nearest: () => readonly string[];
  readonly failure: UpstreamFailure;
  /** Headers of the upstream's answer that go down with the error; null: none. */
  readonly passed: HeaderMap | null;
  /** The failure stands in an answer of status 200. */
  readonly inside: boolean;
  /** The headers of the answer. */
  readonly header: ReadHeader;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly redact: Redact;
  /** Statuses after which another attempt is made; null: all that are an upstream's own fault. */
  readonly retryStatuses: ReadonlySet<number> | null;
}

const versionHint = 'most servers have the API under /v1, and an administrator can add that to the base URL.';

export function upstreamError(refusal: Refusal): OlaError {
  const { provider, path, failure, inside, redact } = refusal;
  const { status } = failure;
  const hint = status === 404 && !inside ? hintOf(refusal) : (failure.hint ?? null);
  const headers = { ...refusal.passed, ...waitHeaders(refusal), ...(hint === null ? {} : { 'x-ola-hint': hint }) };
  const options = { details: { provider, upstream_status: status }, ...(Object.keys(headers).length === 0 ? {} : { headers }) };
  const said = `Upstream provider '${provider}' ${inside ? `told a failure in its answer, as HTTP ${status}` : `returned HTTP ${status}`}`;
  const absent = `: it may not serve ${path}, or not this model`;
  if (failure.kind === 'auth' || credentialStatuses.includes(status)) {
    // Google answers 400 to a key that it does not know: its words would tell a client that its own token is wrong.
    const message = `${said}: it refuses the credential that ola holds for it. Your own token is fine; an administrator must look at the provider.`;
    return new OlaError('upstream_auth_error', message, options);
  }
  if (passedStatuses.includes(status) && failure.body !== null) {
    const message = failure.message === null ? `${said}.` : `${said}: ${shorten(redact(failure.message))}`;
    const code = status === 408 ? 'upstream_timeout' : 'upstream_http_error';
    const body = redact(failure.body);
    return new OlaError(code, message, { ...options, ...wordsOf(refusal), status, body, logged: `${said}.` });
  }
  if (wordedStatuses.includes(status) || (passedStatuses.includes(status) && failure.message !== null)) {
    const message =
      failure.message === null ? `${said}${status === 404 ? absent : ''}.` : `${said}: ${shorten(redact(failure.message))}`;
    const facts = { ...options, ...wordsOf(refusal), status, logged: `${said}.` };
    const code = status === 408 ? 'upstream_timeout' : 'upstream_http_error';
    return new OlaError(code, hint === null ? message : `${message} ${hint}`, facts);
  }
  if (status === 429) {
    const message = `${said}: it limits the rate of requests, or its quota is used up. Try again later.`;
    return new OlaError('upstream_http_error', message, { ...options, ...wordsOf(refusal), status });
  }
  if (status === 408 || status === 504) return new OlaError('upstream_timeout', `${said}: it timed out.`, options);
  const kept = status === 503 || status === 529 ? { status } : {};
  return new OlaError('upstream_http_error', `${said}${status === 405 ? absent : ''}.`, { ...options, ...kept });
}

/** What a 404 may come of, beside the words of the upstream. */
function hintOf({ provider, lacksVersion, nearest, failure }: Refusal): string | null {
  const question = didYouMean(nearest()).trim();
  if (question !== '') return `The model is not among those that ola knows of '${provider}'. ${question}`;
  if (failure.hint !== undefined) return failure.hint;
  return lacksVersion ? `The base URL of '${provider}' has no version: ${versionHint}` : null;
}

/** `param` and `code` of the upstream, which clients know. */
function wordsOf({ failure, redact }: Refusal): Pick<ErrorOptions, 'param' | 'wireCode'> {
  const { kind, status, code, param } = failure;
  const isOverflow = kind === 'context_overflow' && (status !== 413 || code === null);
  const wireCode = isOverflow ? 'context_length_exceeded' : code === null ? codeOf(failure) : shorten(redact(code));
  return {
    ...(param === null ? {} : { param: shorten(redact(param)) }),
    ...(wireCode === null ? {} : { wireCode }),
  };
}

/** The code that clients know, for a failure that names none. */
function codeOf({ status, kind }: UpstreamFailure): string | null {
  if (status !== 429) return null;
  return kind === 'billing' ? 'insufficient_quota' : 'rate_limit_exceeded';
}

/** `Retry-After` and `x-should-retry` of a refusal; a quota that is used up does not come back by waiting. */
function waitHeaders({ failure, header, now }: Refusal): HeaderMap | null {
  if (failure.kind === 'billing') return { 'x-should-retry': 'false' };
  const told = retryAfterSeconds(header, waitOf(failure, now), now);
  const seconds = told ?? (waitingStatuses.includes(failure.status) ? usualRetryAfter : null);
  const again = header('x-should-retry');
  // What is sent as 429, 502, 503 or 529; 408 and 504 are time-outs, after which a client may come back at once.
  const waits = failure.status === 429 || (failure.status >= 500 && failure.status !== 504);
  const headers = {
    ...(seconds === null || !waits ? {} : { 'retry-after': String(seconds) }),
    ...(shouldRetry.test(again ?? '') ? { 'x-should-retry': again ?? '' } : {}),
  };
  return Object.keys(headers).length === 0 ? null : headers;
}
const shouldRetry = /^(?:true|false)$/;

function shorten(text: string): string {
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
