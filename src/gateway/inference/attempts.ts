/** What is known of one attempt: the headers it goes with, and what its failure means for the next. */
import { asOlaError, OlaError } from '../../core/errors.ts';
import { type Form, formContentType } from '../../core/multipart.ts';
import type { Reply } from '../../core/ports.ts';
import type { AttemptRecord } from '../../core/usage.ts';
import type { Attempt } from '../routing/routing.ts';
import { interrupted } from './relay.ts';

/** The same object for most calls, so that what is made of it is made once. */
export function headersOf(
  { headers }: Attempt['target'],
  via: string | null,
  content: string | Form,
): Attempt['target']['headers'] {
  if (via === null && typeof content === 'string') return headers;
  return {
    ...headers,
    ...(via === null ? {} : { via: `${via}, ${headers['via']}` }),
    ...(typeof content === 'string' ? {} : { 'content-type': formContentType(content.boundary) }),
  };
}

/** Kept beside the error, not in it: what an upstream's answer means for the next attempt. */
const retryable = new WeakMap<OlaError, boolean>();

/** Whether the next attempt may be made. */
export function mayGoOn(error: OlaError): boolean {
  return retryable.get(error) ?? (error.code === 'upstream_unreachable' || error.code === 'upstream_timeout');
}

/** @param again whether another credential may do better than the one that was refused with this */
export function judged(error: OlaError, again: boolean): OlaError {
  retryable.set(error, again);
  return error;
}

/** It had begun to answer, and will charge for it: nobody is asked a second time. */
export function brokenOff(provider: string, cause: unknown): OlaError {
  return judged(interrupted(provider, cause), false);
}

export function recordOf(attempt: Attempt, thrown: unknown, milliseconds: number): AttemptRecord {
  const error = asOlaError(thrown);
  const status = error.facts.details?.['upstream_status'];
  return {
    provider: attempt.provider.id,
    model: attempt.model,
    source: attempt.target.credential.source,
    status: typeof status === 'number' ? status : null,
    error: error.code,
    milliseconds,
  };
}

/** An answer that will not be read: its connection is given up. */
export function unexpected(reply: Reply, message: string): OlaError {
  reply.cancel();
  return new OlaError('provider_error', message);
}
