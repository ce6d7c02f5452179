/** Failures that Claude Code tells: in the line of its result, and in the line that says that it would try again. */
import type { Protocol, UpstreamFailure } from '../../core/protocol.ts';
import { brokenProtocol } from '../failures.ts';

type Fields = Readonly<Record<string, unknown>>;
type ReadFailure = Protocol['readFailure'];

/** Statuses of the words that the program uses for a failure of which it gives no status. */
const statuses: Readonly<Record<string, number>> = {
  authentication_failed: 401,
  oauth_org_not_allowed: 403,
  billing_error: 402,
  rate_limit: 429,
  invalid_request: 400,
  model_not_found: 404,
  max_output_tokens: 400,
  overloaded: 529,
  server_error: 500,
};
/** Types of Anthropic's errors, by which its classifier knows a status. */
const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};
const login = 'Log in on the host of ola, as its user: run `claude`, then /login.';

/** What the lines before a failure told of it. */
export interface Told {
  /** The program's word for the failure. */
  readonly word: string | null;
  /** When the limit that was met is lifted, in milliseconds since 1970. */
  readonly resetAt: number | null;
}

/** @param result the line of a run that failed */
export function failureOfResult(result: Fields, told: Told, read: ReadFailure): UpstreamFailure {
  const words = typeof result['result'] === 'string' ? result['result'] : null;
  const status = statusIn(result['api_error_status']) ?? statuses[told.word ?? ''] ?? (told.resetAt === null ? 502 : 429);
  return failureOf(status, words, told, read);
}

/**
 * The program would try again for minutes. ola has other providers, and a client that is told at once.
 * @returns null while the status is not known: a connection that broke may come back at once
 */
export function failureOfRetry(line: Fields, told: Told, read: ReadFailure): UpstreamFailure | null {
  const status = statusIn(line['error_status']);
  if (status === null) return null;
  return failureOf(status, null, told, read);
}

/** @param message the program's words; null: it gave none */
function failureOf(status: number, message: string | null, { resetAt }: Told, read: ReadFailure): UpstreamFailure {
  const error = { type: types[status] ?? 'api_error', ...(message === null ? {} : { message }) };
  const failure = read(status, () => null, JSON.stringify({ type: 'error', error }));
  return {
    ...failure,
    message,
    // The program wrote it, not the vendor: no client knows its form.
    body: null,
    ...(resetAt === null ? {} : { retryAt: resetAt }),
    ...(failure.kind === 'auth' ? { hint: login } : {}),
  };
}

function statusIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599 ? value : null;
}

/** A run with tools, or one that does not tell them, is given up. */
export function offersTools(): UpstreamFailure {
  return brokenProtocol('did not say that its model has no tools of this host, which ola does not allow');
}
