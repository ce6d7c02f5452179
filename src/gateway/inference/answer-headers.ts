/** The headers of an answer that are ola's own: its label, the attempt that made it, and how it may be kept. Pure. */
import type { HeaderMap } from '../../core/ports.ts';
import type { AnswerKind } from '../../core/protocol.ts';
import type { Attempt } from '../routing/routing.ts';
import type { Answer } from './call.ts';
import type { Progress } from './progress.ts';

type Headers = Record<string, string>;

/** The headers of an attempt's answers whose label is nearly always the same: they are made once. */
const usual = { whole: new WeakMap<Attempt, Headers>(), stream: new WeakMap<Attempt, Headers>() } as const;

export function headersFor(
  { failed }: Pick<Progress, 'failed'>,
  attempt: Attempt,
  kind: AnswerKind,
  contentType: string,
): Answer['headers'] {
  const known = kind === 'bytes' ? undefined : usual[kind].get(attempt);
  const headers = known?.['content-type'] === contentType ? known : makeHeaders(attempt, kind, contentType);
  if (kind !== 'bytes') usual[kind].set(attempt, headers);
  return failed.length === 0 ? headers : { ...headers, 'x-ola-attempts': String(failed.length + 1) };
}

function makeHeaders({ provider, model, candidate }: Attempt, kind: AnswerKind, contentType: string): Headers {
  const headers: Headers = {
    'content-type': contentType,
    'x-ola-provider': provider.id,
    'x-ola-model': headerSafe(model),
    ...(candidate.profile === null ? {} : { 'x-ola-profile': headerSafe(candidate.profile) }),
  };
  if (kind !== 'whole') {
    // nginx holds a whole answer back, and gzips it, unless it is told.
    headers['cache-control'] = 'no-cache, no-transform';
    headers['x-accel-buffering'] = 'no';
    // The label of bytes is the upstream's word: a browser must not look into them and find a page.
    if (kind === 'bytes') headers['x-content-type-options'] = 'nosniff';
  }
  return headers;
}

/** The headers with those that name the changes of a request. */
export function noted(headers: Answer['headers'], notes: HeaderMap | null): Answer['headers'] {
  return notes === null ? headers : { ...headers, ...notes };
}

/** A model id may have any characters; a header may not. */
export function headerSafe(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}
