/** The words of a refused call: the provider, the host, the reason, and what to do. They name no resolved address, path or query. */
import type { AddressReason, EgressDenial, EgressReason } from '../core/egress.ts';
import { OlaError } from '../core/errors.ts';
import { parseAddress } from './addresses.ts';

type BaseReason = Exclude<EgressReason, `resolved_${AddressReason}`>;

interface Row {
  /** The rest of a sentence that begins with the host. */
  readonly words: string;
  /** What the user should do. */
  readonly advice: string;
}

/** Only for places that `allowLocal` opens. */
const allowLocal = 'If it is on your own machine or network, set "allowLocal": true for this provider.';
const publicAddress = 'Use a public address.';
const never = 'No setting allows that.';
const spelling = 'Check the spelling of the name, and the network and DNS of this machine.';

export const denialRows: Readonly<Record<BaseReason, Row>> = {
  malformed_url: {
    words: 'is not in a plain base URL.',
    advice: 'Write https://host/path without spaces, query and fragment.',
  },
  unsupported_scheme: { words: 'is to be called by a scheme other than https and http.', advice: 'Write https://.' },
  userinfo_forbidden: {
    words: 'has a user name or password in its URL.',
    advice: 'Remove them, and store the secret as a key or header.',
  },
  missing_host: { words: 'is missing from the base URL.', advice: 'Write https://host/path.' },
  insecure_http_forbidden: { words: 'is to be called over plain http.', advice: 'Write https:// in its base URL.' },
  denylisted_host: {
    words: 'is in denyHosts of the egress policy.',
    advice: 'Remove it from denyHosts if it is meant to be called.',
  },
  denylisted_cidr: {
    words: 'is in a range of denyCidrs of the egress policy.',
    advice: 'Change the range if it is meant to be called.',
  },
  localhost_forbidden: { words: 'is this machine.', advice: allowLocal },
  loopback_ip: { words: 'is this machine.', advice: allowLocal },
  private_ip: { words: 'is in a private network.', advice: allowLocal },
  link_local_ip: { words: 'is on the local link.', advice: allowLocal },
  cgnat_ip: { words: 'is in a carrier-grade NAT network.', advice: allowLocal },
  single_label_host: { words: 'is a name without a dot, which only a local network knows.', advice: allowLocal },
  special_use_host: { words: 'is a name that only a local network knows.', advice: allowLocal },
  benchmark_ip: { words: 'is in a range for benchmarks.', advice: publicAddress },
  multicast_ip: { words: 'is a multicast address.', advice: publicAddress },
  unspecified_ip: { words: 'is the unspecified address.', advice: publicAddress },
  reserved_ip: { words: 'is in a reserved range.', advice: publicAddress },
  metadata_ip: { words: 'serves the credentials of this machine to whoever asks.', advice: `${never} Use another base URL.` },
  metadata_host: { words: 'serves the credentials of this machine to whoever asks.', advice: `${never} Use another base URL.` },
  port_forbidden: {
    words: 'is to be called on a port that the egress policy does not allow.',
    advice: 'Add the port to "ports" of this provider.',
  },
  self_connection: {
    words: 'is ola itself, so that the request would go round in circles.',
    advice: `${never} Write the address of the real provider.`,
  },
  dns_resolution_failed: { words: 'does not resolve to an address.', advice: spelling },
  dns_no_answers: { words: 'has no address.', advice: spelling },
  redirect_forbidden: {
    words: 'answered with a redirect, which is not followed.',
    advice: 'Write the address that it redirects to as the base URL.',
  },
};

/** @returns OlaError `egress_destination_blocked`, the denial in its details */
export function denied(denial: EgressDenial): OlaError {
  const host = denial.host === '' ? 'the host' : denial.host;
  const message = `Provider '${denial.provider}' may not be called: ${host} ${explain(denial)} (${denial.reason})`;
  return new OlaError('egress_destination_blocked', message, { details: { ...denial } });
}

/** The words and the advice of a denial: the rest of a sentence that begins with the host. */
export function explain({ reason, host, port }: Pick<EgressDenial, 'reason' | 'host' | 'port'>): string {
  if (!isResolved(reason)) return `${denialRows[reason].words} ${adviceFor(reason, host, port)}`;
  const row = denialRows[reason.slice('resolved_'.length) as AddressReason];
  return `resolves to an address that ${row.words} ${row.advice}`;
}

function isResolved(reason: EgressReason): reason is `resolved_${AddressReason}` {
  return reason.startsWith('resolved_');
}

function adviceFor(reason: BaseReason, host: string, port: number | undefined): string {
  const { advice } = denialRows[reason];
  if (reason === 'port_forbidden' && port !== undefined) return `Set "ports": [${port}] for this provider.`;
  // A name may stand for a machine of the user's own network, a public address does not.
  if (reason === 'insecure_http_forbidden' && parseAddress(host) === null) return `${advice} ${allowLocal}`;
  return advice;
}
