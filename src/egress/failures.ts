/** The words of a call that failed outside. They hold no text of the other side and no address. */
import { OlaError } from '../core/errors.ts';
import { type DialDetail, DialError, type HeadFlaw, headLimits, type TlsFlaw } from '../core/ports.ts';

/** The place that was called. */
export interface Called {
  readonly provider: string;
  readonly hostname: string;
  readonly secure: boolean;
}

/** The rest of `answered with a head that is not HTTP/1.1: `. */
export const headWords: Readonly<Record<HeadFlaw, string>> = {
  no_status_line: 'it does not begin with a status line',
  control_character: 'it has a control character',
  too_many_lines: `more than ${headLimits.lines} header lines`,
  too_long: `more than ${headLimits.bytes / 1024} KiB`,
  folded_line: 'a header line is folded',
  nameless_line: 'a header line has no name',
  length_and_coding: 'it has a Content-Length and a Transfer-Encoding',
  several_codings: 'it has more than one transfer coding',
  unknown_coding: 'its transfer coding is not chunked',
  several_lengths: 'it has two different values of Content-Length',
  bad_length: 'its Content-Length is not a number',
  protocol_change: 'it changes the protocol (101), which was not asked for',
  too_many_interim: `more than ${headLimits.interim} interim answers came before it`,
  early_answer: 'it came before the request was completely sent',
};

/** The rest of `cannot be reached: `. */
export const tlsWords: Readonly<Record<TlsFlaw, string>> = {
  no_tls: 'it does not speak TLS. Is its address http://...?',
  closed: 'it closed the connection during the TLS handshake. Check that it speaks TLS on this port.',
  unsupported_version: 'it offers no version of TLS from 1.2 on. Update its TLS settings.',
  wrong_name: 'its TLS certificate is for another name. Check the host in the base URL.',
  expired: 'its TLS certificate has expired. Renew the certificate, and check the clock of this machine.',
  not_yet_valid: 'its TLS certificate is not valid yet. Check the clock of this machine.',
  self_signed: 'its TLS certificate is self-signed. If you trust it, set it as "ca" of this provider.',
  unknown_authority:
    'its TLS certificate is from an authority that this machine does not trust. For a private authority, set its certificate as "ca" of this provider.',
};

const unreachableWords = {
  dns_resolution_failed: 'its name does not resolve. Check the spelling of the name, and the network and DNS of this machine.',
  connect_failed: 'nothing accepts connections there. Check the base URL and that the provider is running.',
  tls_failed: 'its TLS certificate could not be verified. Check the base URL, and the authority of a private certificate.',
  request_failed: 'the request could not be written. Check the configured headers for line breaks.',
} as const;

/** @returns the error of a call that came to nothing; `details.sent` is false when nothing was sent */
export function failed(called: Called, error: unknown): OlaError {
  const { provider, hostname } = called;
  const who = `Provider '${provider}' (${hostname})`;
  const details = { provider, sent: true };
  if (!(error instanceof DialError)) {
    return error instanceof Error && error.name === 'TimeoutError'
      ? new OlaError('upstream_timeout', `${who} did not answer in time.`, { details, cause: error })
      : lost(who, details, error);
  }
  const { failure, detail } = error;
  if (failure === 'malformed') {
    const reason = detail !== null && isIn(headWords, detail) ? headWords[detail] : 'ola cannot read it';
    const message = `${who} answered with a head that is not HTTP/1.1: ${reason}.`;
    return new OlaError('provider_error', message, { details: { ...details, reason: 'malformed_head' }, cause: error });
  }
  if (failure === 'stale') {
    const message = `${who} closed the connection, which was kept from an earlier request, before it answered.`;
    return new OlaError('upstream_truncated', message, { details: { ...details, reason: 'stale_connection' }, cause: error });
  }
  if (failure === 'lost') return lost(who, detail === 'silent' ? { ...details, reason: 'no_answer' } : details, error);
  return unreachable(called, `${failure}_failed`, error);
}

function lost(who: string, details: Readonly<Record<string, unknown>>, cause: unknown): OlaError {
  return new OlaError('upstream_truncated', `${who} closed the connection before it answered.`, { details, cause });
}

/** @returns the error of a call of which nothing was sent */
export function unreachable(called: Called, reason: keyof typeof unreachableWords, cause: unknown): OlaError {
  const { provider, hostname } = called;
  const detail = cause instanceof DialError ? cause.detail : null;
  const message = `Provider '${provider}' (${hostname}) cannot be reached: ${wordsFor(called, reason, detail)}`;
  return new OlaError('upstream_unreachable', message, { details: { provider, reason, sent: false }, cause });
}

function wordsFor({ secure }: Called, reason: keyof typeof unreachableWords, detail: DialDetail | null): string {
  if (detail === 'timed_out') {
    return secure
      ? 'the connection and its TLS handshake took too long. Check that the provider is running and speaks TLS on this port.'
      : 'the connection took too long. Check the base URL, the network, and that the provider is running.';
  }
  return detail !== null && isIn(tlsWords, detail) ? tlsWords[detail] : unreachableWords[reason];
}

function isIn<K extends string>(table: Readonly<Record<K, string>>, key: string): key is K {
  return Object.hasOwn(table, key);
}
