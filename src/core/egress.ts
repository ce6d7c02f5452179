/** Where calls may go: the policy's shape, its reason codes, and the one door out as a port. */

import type { Reply, Timeouts } from './ports.ts';

/** The configuration's `egressPolicy`, complete with defaults. */
export interface EgressPolicy {
  readonly enabled: boolean;
  readonly mode: 'off' | 'observe' | 'enforce';
  /** false skips resolution when a configuration is written; a dial always resolves. */
  readonly resolveDns: boolean;
  /** Whether a name that does not resolve refuses a configuration write. */
  readonly failClosed: boolean;
  readonly enforceHttps: boolean;
  readonly allowLocalProviders: readonly string[];
  readonly allowedPorts: readonly number[];
  /** Host names; a leading `*.` matches every name below. */
  readonly denyHosts: readonly string[];
  readonly denyCidrs: readonly string[];
}

export const defaultEgressPolicy: EgressPolicy = {
  enabled: true,
  mode: 'enforce',
  resolveDns: true,
  failClosed: true,
  enforceHttps: true,
  allowLocalProviders: ['agent_bridge', 'agent', 'ollama', 'vllm', 'litellm'],
  allowedPorts: [80, 443, 8080, 8443],
  denyHosts: [],
  denyCidrs: [],
};

/** Why an address is refused; with `resolved_` before it when a name resolved there. */
export const addressReasons = [
  'denylisted_cidr',
  'loopback_ip',
  'private_ip',
  'link_local_ip',
  'cgnat_ip',
  'benchmark_ip',
  'multicast_ip',
  'unspecified_ip',
  'reserved_ip',
  'metadata_ip',
] as const;
export type AddressReason = (typeof addressReasons)[number];

export type EgressReason =
  | AddressReason
  | `resolved_${AddressReason}`
  | 'malformed_url'
  | 'unsupported_scheme'
  | 'userinfo_forbidden'
  | 'missing_host'
  | 'insecure_http_forbidden'
  | 'denylisted_host'
  | 'localhost_forbidden'
  | 'metadata_host'
  | 'single_label_host'
  | 'special_use_host'
  | 'port_forbidden'
  | 'self_connection'
  | 'dns_resolution_failed'
  | 'dns_no_answers'
  | 'redirect_forbidden';

/** A place outside that something of ours wants to call; not only providers: issuers, webhooks, backends too. */
export interface Destination {
  /** What it is for, in errors and logs: a provider id, `webhook`, ... */
  readonly name: string;
  /** Base URL; requests append a path to it. No user info, query or fragment. */
  readonly baseUrl: string;
  /** May reach loopback, private, link-local and CGNAT addresses, any port, http and local names. */
  readonly allowLocal: boolean;
  /** Ports allowed besides the policy's. */
  readonly ports?: readonly number[];
  /** PEM of the only certificate authorities to trust, in place of the system's. */
  readonly ca?: string;
  /** Default `defaultTimeouts`. */
  readonly timeouts?: Timeouts;
}

/** A model may think for minutes before its first byte, and between two of them. */
export const defaultTimeouts: Timeouts = { connect: 10_000, firstByte: 300_000, idle: 300_000 };

/** What an egress denial tells a client: no resolved address, no text of the other side. */
export interface EgressDenial {
  readonly provider: string;
  readonly scheme: string;
  readonly host: string;
  readonly reason: EgressReason;
  readonly phase: 'write' | 'dial';
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Appended to the destination's base URL, beginning with `/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  readonly signal?: AbortSignal;
}

/** The only door out. */
export interface Egress {
  /**
   * The verdict when a destination is written into the configuration.
   * @returns the denial, or null when it may be saved
   */
  check(destination: Destination): Promise<EgressDenial | null>;
  /**
   * Judges, resolves, pins and sends.
   * @throws OlaError `egress_destination_blocked`, `upstream_unreachable` (nothing was sent), `upstream_timeout`;
   *   an abort of `signal` rejects with its reason
   */
  send(destination: Destination, request: OutboundRequest): Promise<Reply>;
}
