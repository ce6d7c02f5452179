/** Messages of refused calls: the provider, the host, the reason and the remedy. They never contain a resolved address, a path or a query. */
import type { AddressReason, EgressDenial, EgressReason } from '../core/egress.ts';
import { OlaError } from '../core/errors.ts';

type NamedReason = Exclude<EgressReason, `resolved_${AddressReason}`>;

const allowLocal = 'If it is on your own machine or network, set "allowLocal": true for it.';
const publicOnly = 'Use a public address.';
const isLocal = (what: string) => `is ${what}. ${allowLocal}`;
const isNoPublic = (what: string) => `is ${what}. ${publicOnly}`;

/** The second half of the sentence that begins with `Provider 'x' may not be called: host`. */
const words: Readonly<Record<NamedReason, string>> = {
  malformed_url: 'has no valid base URL. Write https://host/path without spaces, query or fragment.',
  unsupported_scheme: 'is reached by a scheme other than https and http. Use https.',
  userinfo_forbidden: 'has a user name or password in its URL. Remove them and store the secret as a key or header.',
  missing_host: 'is missing from the base URL. Write https://host/path.',
  insecure_http_forbidden: `is reached by plain http. Use https. ${allowLocal}`,
  denylisted_host: 'is in denyHosts of the egress policy. Remove it there if calls to it are intended.',
  denylisted_cidr: 'is in a range of denyCidrs of the egress policy. Change the range if calls to it are intended.',
  localhost_forbidden: isLocal('this machine'),
  loopback_ip: isLocal('this machine'),
  private_ip: isLocal('in a private network'),
  link_local_ip: isLocal('on the local link'),
  cgnat_ip: isLocal('in a carrier-grade NAT network'),
  single_label_host: isLocal('a name without a dot'),
  special_use_host: isLocal('a name for internal networks'),
  benchmark_ip: isNoPublic('in a range for benchmarks'),
  multicast_ip: isNoPublic('a multicast address'),
  unspecified_ip: isNoPublic('the unspecified address'),
  reserved_ip: isNoPublic('in a reserved range'),
  metadata_ip: 'serves the credentials of this machine. No setting allows it; use another base URL.',
  metadata_host: 'serves the credentials of this machine. No setting allows it; use another base URL.',
  port_forbidden:
    'has a port that is not allowed. Add the port to "ports" of the provider or to allowedPorts of the egress policy.',
  self_connection: 'is ola itself, so the request would go round in a circle. Use the address of the real provider.',
  dns_resolution_failed: 'does not resolve. Check the spelling and the DNS of this machine.',
  dns_no_answers: 'has no address. Check the spelling and the DNS of this machine.',
  redirect_forbidden: 'answered with a redirect, which is not followed. Use the final base URL.',
};

/** @returns OlaError `egress_destination_blocked`, the denial in its details */
export function denied(denial: EgressDenial): OlaError {
  const host = denial.host === '' ? 'the host' : denial.host;
  const message = `Provider '${denial.provider}' may not be called: ${host} ${wordsFor(denial.reason)} (${denial.reason})`;
  return new OlaError('egress_destination_blocked', message, { details: { ...denial } });
}

/** The end of a sentence that begins with the host's name. */
export function wordsFor(reason: EgressReason): string {
  return reason.startsWith('resolved_') ? words[reason.slice('resolved_'.length) as AddressReason] : words[reason as NamedReason];
}
