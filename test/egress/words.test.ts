/** The words of refusals and failures, row by row. */
import { describe, expect, test } from 'bun:test';
import { addressReasons, type EgressDenial, type EgressReason } from '../../src/core/egress.ts';
import { DialError, type DialFailure } from '../../src/core/ports.ts';
import { denialRows, denied, explain } from '../../src/egress/denials.ts';
import { failed, headWords, tlsWords, unreachable } from '../../src/egress/failures.ts';

type NamedReason = keyof typeof denialRows;

/** What each reason advises. */
const advice: Readonly<Record<NamedReason, RegExp>> = {
  malformed_url: /Write https:\/\/host\/path/,
  unsupported_scheme: /Write https:\/\//,
  userinfo_forbidden: /as a key or header/,
  missing_host: /Write https:\/\/host\/path/,
  insecure_http_forbidden: /Write https:\/\//,
  denylisted_host: /denyHosts/,
  denylisted_cidr: /denyCidrs/,
  localhost_forbidden: /"allowLocal": true/,
  loopback_ip: /"allowLocal": true/,
  private_ip: /"allowLocal": true/,
  link_local_ip: /"allowLocal": true/,
  cgnat_ip: /"allowLocal": true/,
  single_label_host: /"allowLocal": true/,
  special_use_host: /"allowLocal": true/,
  benchmark_ip: /Use a public address/,
  multicast_ip: /Use a public address/,
  unspecified_ip: /Use a public address/,
  reserved_ip: /Use a public address/,
  metadata_ip: /No setting allows that/,
  metadata_host: /No setting allows that/,
  port_forbidden: /Set "ports": \[9999\]/,
  self_connection: /No setting allows that/,
  dns_resolution_failed: /Check the spelling/,
  dns_no_answers: /Check the spelling/,
  redirect_forbidden: /base URL/,
};
const helps: readonly string[] = [
  ...['localhost_forbidden', 'loopback_ip', 'private_ip', 'link_local_ip', 'cgnat_ip', 'single_label_host', 'special_use_host'],
];
const denial = (reason: EgressReason, more: Partial<EgressDenial> = {}): EgressDenial => {
  return { provider: 'acme', scheme: 'https', host: '203.0.114.7', reason, phase: 'dial', port: 9999, ...more };
};

describe('a denial', () => {
  for (const [reason, wanted] of Object.entries(advice) as [NamedReason, RegExp][]) {
    test(`for ${reason} says why and what to do`, () => {
      const text = explain(denial(reason));
      expect(text).toStartWith(denialRows[reason].words);
      expect(text).toMatch(wanted);
      expect(text.includes('allowLocal')).toBe(helps.includes(reason));
      expect(text).not.toContain(reason);
      expect(text).toMatch(/^[a-z].*\w\. [A-Z].*\.$/);
      expect(denied(denial(reason)).message).toBe(`Provider 'acme' may not be called: 203.0.114.7 ${text} (${reason})`);
    });
  }

  test('has a row for each reason, and one of a resolved address says what resolved', () => {
    expect(Object.keys(denialRows).sort()).toEqual(Object.keys(advice).sort());
    for (const reason of addressReasons) {
      const text = explain(denial(`resolved_${reason}`, { host: 'api.acme.example' }));
      expect(text).toBe(`resolves to an address that ${explain(denial(reason))}`);
    }
  });

  test('of plain http advises allowLocal for a name, which may be one of the own network, not for a public address', () => {
    expect(explain(denial('insecure_http_forbidden', { host: 'gpu.acme.example' }))).toContain('allowLocal');
    for (const host of ['203.0.114.7', '2600::7'])
      expect(explain(denial('insecure_http_forbidden', { host }))).not.toContain('allowLocal');
  });

  test('without a host still is a sentence', () => {
    expect(denied(denial('missing_host', { host: '' })).message).toStartWith(
      "Provider 'acme' may not be called: the host is missing from the base URL.",
    );
  });
});

describe('a failure', () => {
  const called = { provider: 'acme', hostname: 'api.acme.example', secure: true };
  const details = (reason?: string) => ({ provider: 'acme', sent: true, ...(reason === undefined ? {} : { reason }) });
  const of = (failure: DialFailure, detail: ConstructorParameters<typeof DialError>[2] = null) =>
    failed(called, new DialError(failure, new Error('10.1.2.3'), detail));

  for (const [flaw, words] of Object.entries(headWords) as [keyof typeof headWords, string][]) {
    test(`of a head with the flaw ${flaw} is told as ola's own refusal`, () => {
      const error = of('malformed', flaw);
      expect(error).toMatchObject({ code: 'provider_error', status: 502 });
      expect(error.message).toBe(`Provider 'acme' (api.acme.example) answered with a head that is not HTTP/1.1: ${words}.`);
      expect(error.facts.details).toEqual(details('malformed_head'));
    });
  }
  test('of too many header lines names the number', () => {
    expect(of('malformed', 'too_many_lines').message).toEndWith('not HTTP/1.1: more than 256 header lines.');
  });

  for (const [flaw, words] of Object.entries(tlsWords) as [keyof typeof tlsWords, string][]) {
    test(`of TLS with the flaw ${flaw} has its own words`, () => {
      const error = of('tls', flaw);
      expect(error.code).toBe('upstream_unreachable');
      expect(error.message).toBe(`Provider 'acme' (api.acme.example) cannot be reached: ${words}`);
      expect(error.facts.details).toEqual({ provider: 'acme', reason: 'tls_failed', sent: false });
    });
  }
  test('of TLS without a known flaw speaks of the certificate; of a peer without TLS it asks for http', () => {
    expect(of('tls').message).toContain('could not be verified');
    expect(of('tls', 'no_tls').message).toContain('it does not speak TLS. Is its address http://...?');
    expect(of('tls', 'no_tls').message).not.toContain('certificate');
  });

  test('of a kept connection that had ended says so to code', () => {
    const error = of('stale');
    expect(error).toMatchObject({ code: 'upstream_truncated', status: 502 });
    expect(error.facts.details).toEqual(details('stale_connection'));
  });

  test('of a broken connection, of silence, and of a connection that took too long', () => {
    expect(of('lost').facts.details).toEqual(details());
    expect(of('lost').code).toBe('upstream_truncated');
    expect(failed(called, new DOMException('', 'TimeoutError')).code).toBe('upstream_timeout');
    expect(failed(called, new Error('10.1.2.3')).code).toBe('upstream_truncated');
    expect(of('connect', 'timed_out').message).toContain('TLS handshake took too long');
    const plain = failed({ ...called, secure: false }, new DialError('connect', null, 'timed_out'));
    expect(plain.message).toContain('the connection took too long');
    expect(of('connect').message).toContain('nothing accepts connections there');
    expect(of('request').facts.details).toMatchObject({ reason: 'request_failed', sent: false });
  });

  test('of a name that does not resolve speaks of spelling and network', () => {
    const { message } = unreachable(called, 'dns_resolution_failed', new Error('ENOTFOUND'));
    expect(message).toContain('Check the spelling of the name, and the network');
  });

  test('shows nothing of its cause', () => {
    for (const failure of ['connect', 'tls', 'request', 'malformed', 'stale', 'lost'] as const)
      expect(of(failure).message).not.toContain('10.1');
  });
});
