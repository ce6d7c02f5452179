/** The verdict on a destination, by its URL, an address that it resolved to, and the current policy. Pure. */
import type { AddressReason, EgressPolicy, EgressReason } from '../core/egress.ts';
import { type AddressRange, classify, isMetadata, isWithin, parseAddress, parseRange } from './addresses.ts';

export interface ParsedUrl {
  /** The URL, parsed once. The raw text is not parsed again, because parsers differ. */
  readonly url: URL;
  /** Host in lower case, without a trailing dot or brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The hostname when it is an IP address, else null. */
  readonly literal: string | null;
}

/** `observed` is the reason that enforcing would refuse for, when the policy does not enforce. */
export type Verdict =
  | { readonly ok: true; readonly target: ParsedUrl; readonly observed: EgressReason | null }
  | {
      readonly ok: false;
      readonly reason: EgressReason;
      readonly scheme: string;
      readonly host: string;
      /** Null when the URL cannot be read. */
      readonly port: number | null;
    };

export interface Exceptions {
  readonly allowLocal: boolean;
  /** Allowed ports in addition to the policy's. */
  readonly ports?: readonly number[] | undefined;
  /** The fixed addresses of AWS's credentials may be called. */
  readonly awsMetadata?: true | undefined;
}

/** Reasons that refuse a call in every mode and for every destination. */
const absolute: ReadonlySet<EgressReason> = new Set([
  ...(['malformed_url', 'missing_host', 'unsupported_scheme', 'userinfo_forbidden'] as const),
  ...(['metadata_host', 'metadata_ip', 'resolved_metadata_ip', 'self_connection', 'dns_no_answers'] as const),
]);

export function enforces(policy: EgressPolicy): boolean {
  return policy.enabled && policy.mode === 'enforce';
}

export function observes(policy: EgressPolicy): boolean {
  return policy.enabled && policy.mode === 'observe';
}

/** True when a reason refuses a call under this policy; false when it is only logged. */
export function refuses(policy: EgressPolicy, reason: EgressReason): boolean {
  return absolute.has(reason) || enforces(policy);
}

/** Checks a base URL without resolving its host name. */
export function judge(baseUrl: string, policy: EgressPolicy, exceptions: Exceptions): Verdict {
  const parsed = parseTarget(baseUrl);
  if (!('target' in parsed)) return { ok: false, port: null, ...parsed };
  const { target } = parsed;
  const reason = judgeTarget(target, policy, exceptions);
  if (reason === null || !refuses(policy, reason)) return { ok: true, target, observed: reason };
  return { ok: false, reason, scheme: schemeOf(target.url), host: target.hostname, port: target.port };
}

/**
 * Checks an address before it is dialled.
 * @param address canonical, without brackets or zone; an unreadable one is refused
 * @returns the reason that enforcing would refuse it for, or null; `refuses` says whether this policy does
 */
export function judgeAddress(
  address: string,
  policy: EgressPolicy,
  exceptions: Pick<Exceptions, 'allowLocal'>,
): AddressReason | null {
  const parsed = parseAddress(address);
  if (parsed === null) return 'reserved_ip';
  if (isMetadata(parsed)) return 'metadata_ip';
  if (compiled(policy).denyRanges.some((range) => isWithin(range, parsed))) return 'denylisted_cidr';
  const reason = classify(parsed);
  return reason !== null && exceptions.allowLocal && localReasons.has(reason) ? null : reason;
}

/**
 * Instance, container of ECS, pod of EKS
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html): literals, so that no name leads there.
 */
const awsMetadataHosts: ReadonlySet<string> = new Set(['169.254.169.254', '169.254.170.2', '169.254.170.23']);

const localReasons: ReadonlySet<AddressReason> = new Set(['loopback_ip', 'private_ip', 'link_local_ip', 'cgnat_ip']);

interface Refusal {
  readonly reason: EgressReason;
  readonly scheme: string;
  readonly host: string;
}

/** Longest base URL, in bytes. */
const maxUrlBytes = 2048;
/** Control characters and spaces. The URL parser drops some of them, so the stored URL would differ from the dialled one. */
const unprintable = /[\p{Cc}\p{Z}]/u;
/** `scheme://authority/rest`. The URL parser also accepts backslashes, and one slash, none or three; other parsers read those forms differently. */
const absoluteForm = /^[a-z][a-z0-9+.-]*:\/\/([^/\\?#]*)(.*)$/is;
const schemeForm = /^([a-z][a-z0-9+.-]*):/i;

/** Checks that apply in every mode: the URL can be dialled and has only one reading. */
function parseTarget(baseUrl: string): { readonly target: ParsedUrl } | Refusal {
  const refuse = (reason: EgressReason, scheme = '', host = ''): Refusal => ({ reason, scheme, host });
  if (unprintable.test(baseUrl) || Buffer.byteLength(baseUrl) > maxUrlBytes) return refuse('malformed_url');
  const scheme = schemeForm.exec(baseUrl)?.[1]?.toLowerCase();
  if (scheme === undefined) return refuse('malformed_url');
  if (scheme !== 'https' && scheme !== 'http') return refuse('unsupported_scheme', scheme);
  const [, authority, rest = ''] = absoluteForm.exec(baseUrl) ?? [];
  if (authority === undefined) return refuse('malformed_url', scheme);
  if (authority.includes('@')) return refuse('userinfo_forbidden', scheme);
  if (authority === '' || authority.startsWith(':')) return refuse('missing_host', scheme);
  const url = URL.parse(baseUrl);
  if (url === null || authority.includes('%') || /[\\?#]/.test(rest)) return refuse('malformed_url', scheme);
  const hostname = (url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname).replace(/\.$/, '');
  const literal = parseAddress(hostname) === null ? null : hostname;
  if (literal === null && !isName(hostname)) return refuse('malformed_url', scheme, hostname);
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  return { target: { url, hostname, port, literal } };
}

/** Host names by RFC 1035, 2.3.4, plus the underscore that some hosts have. The URL parser has converted international names to ASCII. */
function isName(hostname: string): boolean {
  return hostname.length <= 253 && hostname.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
}

const metadataHosts: ReadonlySet<string> = new Set(['metadata.google.internal', 'metadata.goog', 'metadata', 'instance-data']);
const localhostLabels: ReadonlySet<string> = new Set(['localhost', 'localdomain']);
/** Top-level labels of RFC 6761 and of internal networks: their names mean something different on every machine. */
const specialUseLabels: ReadonlySet<string> = new Set([
  ...['local', 'internal', 'intranet', 'lan', 'home', 'corp', 'private', 'test', 'invalid', 'onion', 'svc', 'arpa'],
]);

/** The reason that enforcing refuses for. Absolute reasons are checked first, so that no other reason hides them in the other modes. */
function judgeTarget(target: ParsedUrl, policy: EgressPolicy, exceptions: Exceptions): EgressReason | null {
  const { hostname, literal, port } = target;
  if (literal !== null && exceptions.awsMetadata === true && awsMetadataHosts.has(literal)) {
    return isDeniedHost(hostname, policy) ? 'denylisted_host' : null;
  }
  const address = literal === null ? null : judgeAddress(literal, policy, exceptions);
  if (address === 'metadata_ip') return address;
  if (metadataHosts.has(hostname)) return 'metadata_host';
  if (isDeniedHost(hostname, policy)) return 'denylisted_host';
  if (address !== null) return address;
  if (exceptions.allowLocal) return null;
  if (literal === null) {
    const name = judgeName(hostname);
    if (name !== null) return name;
  }
  if (schemeOf(target.url) === 'http' && policy.enforceHttps) return 'insecure_http_forbidden';
  return policy.allowedPorts.includes(port) || exceptions.ports?.includes(port) ? null : 'port_forbidden';
}

function judgeName(hostname: string): EgressReason | null {
  const last = hostname.slice(hostname.lastIndexOf('.') + 1);
  if (localhostLabels.has(last)) return 'localhost_forbidden';
  if (!hostname.includes('.')) return 'single_label_host';
  return specialUseLabels.has(last) ? 'special_use_host' : null;
}

interface DenyLists {
  readonly denyHosts: readonly string[];
  readonly denyRanges: readonly AddressRange[];
}

/** Parsed deny lists by policy. A policy object never changes: a new configuration has a new one. */
const denyLists = new WeakMap<EgressPolicy, DenyLists>();

function compiled(policy: EgressPolicy): DenyLists {
  const known = denyLists.get(policy);
  if (known !== undefined) return known;
  const lists = {
    denyHosts: policy.denyHosts.map((host) => host.trim().toLowerCase().replace(/\.$/, '')),
    denyRanges: policy.denyCidrs.flatMap((text) => parseRange(text) ?? []),
  };
  denyLists.set(policy, lists);
  return lists;
}

function isDeniedHost(hostname: string, policy: EgressPolicy): boolean {
  return compiled(policy).denyHosts.some((host) => {
    if (host === '*') return true;
    return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host;
  });
}

/** Entries of `denyCidrs` that are not address ranges and therefore deny nothing. */
export function unreadableRanges(policy: EgressPolicy): readonly string[] {
  return policy.denyCidrs.filter((text) => parseRange(text) === null);
}

function schemeOf(url: URL): string {
  return url.protocol.slice(0, -1);
}
