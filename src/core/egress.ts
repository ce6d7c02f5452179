/** Outgoing calls: the form of the egress policy, its reason codes, and the port that sends every call. */

import type { Reply, Timeouts } from './ports.ts';

/** The configuration's `egressPolicy`, complete with defaults. */
export interface EgressPolicy {
  readonly enabled: boolean;
  readonly mode: 'off' | 'observe' | 'enforce';
  /** False skips the resolution of names when a configuration is written. A call always resolves. */
  readonly resolveDns: boolean;
  /** True refuses a configuration write whose host name does not resolve. */
  readonly failClosed: boolean;
  readonly enforceHttps: boolean;
  readonly allowLocalProviders: readonly string[];
  readonly allowedPorts: readonly number[];
  /** Host names; a leading `*.` matches every subdomain. */
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

/** Reasons to refuse an address. With the prefix `resolved_` the reason is for an address that a name resolved to. */
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

/** A destination of outgoing calls: a provider, an issuer, a webhook or a backend. */
export interface Destination {
  /** Name of the destination in errors and logs: a provider id, `webhook`, ... */
  readonly name: string;
  /** Base URL; requests append a path to it. It has no user info, query or fragment. */
  readonly baseUrl: string;
  /** Put behind the path of each request, with its `?`: `?api-version=2024-10-21`. */
  readonly query?: string;
  /** Allows loopback, private, link-local and CGNAT addresses, any port, http and local names. */
  readonly allowLocal: boolean;
  /** Allowed ports in addition to the policy's. */
  readonly ports?: readonly number[];
  /** PEM of the only certificate authorities to trust, in place of the system's. */
  readonly ca?: string;
  /** Time limits of a call; default `defaultTimeouts`. */
  readonly timeouts?: Timeouts;
  /**
   * Set by the AWS credential client alone, never by a configuration: the fixed addresses at which a container or an instance
   * of AWS is told its credentials may be called.
   */
  readonly awsMetadata?: true;
}

/** Time limits in milliseconds. They are long, because a model may think for minutes before its first byte and between two bytes. */
export const defaultTimeouts: Timeouts = { connect: 10_000, firstByte: 300_000, idle: 300_000 };

/** The denial of a call, as clients may see it: without the resolved address and without text of the other side. */
export interface EgressDenial {
  readonly provider: string;
  readonly scheme: string;
  readonly host: string;
  readonly reason: EgressReason;
  readonly phase: 'write' | 'dial';
  /** The refused port; only with `port_forbidden`. */
  readonly port?: number;
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path below the destination's base URL; begins with `/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  readonly signal?: AbortSignal;
  /** The request gets a new connection: it is the repetition of one whose kept connection had ended. */
  readonly fresh?: true;
}

/** The port through which all outgoing calls go. */
export interface Egress {
  /**
   * Checks a destination before it is written into the configuration.
   * @returns the denial, or null when the destination may be stored
   */
  check(destination: Destination): Promise<EgressDenial | null>;
  /**
   * Checks the destination, resolves its name, checks the address, and sends the request to exactly that address.
   * @throws OlaError `egress_destination_blocked`, `upstream_unreachable` (nothing was sent), `upstream_timeout`,
   *   `provider_error` (the head of the answer is not HTTP/1.1), `upstream_truncated` (the connection broke). The details of
   *   the last have the reason `stale_connection` when the connection was kept from an earlier request and ended at once: the
   *   request may be sent once more with `fresh`. An abort of `signal` rejects with its reason
   */
  send(destination: Destination, request: OutboundRequest): Promise<Reply>;
  /** The reason of a denial and the remedy: the rest of a sentence that begins with the host. */
  explain(denial: EgressDenial): string;
}
