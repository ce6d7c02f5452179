/** IP addresses as numbers, and their purpose according to the IANA special-purpose registries and the clouds. */
import type { AddressReason } from '../core/egress.ts';
import { lazy } from '../core/lazy.ts';

/** One 32-bit word for IPv4, four for IPv6. */
export type Address = readonly number[];

export interface AddressRange {
  readonly words: Address;
  readonly masks: Address;
}

const ipv4Shape = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const ipv6Group = /^[0-9a-f]{1,4}$/i;

/**
 * Reads a canonical address only: decimal IPv4 without padding, IPv6 without brackets or zone (RFC 4291, 2.2).
 * @returns null for anything else
 */
export function parseAddress(text: string): Address | null {
  if (!text.includes(':')) {
    const word = parseIPv4(text);
    return word === null ? null : [word];
  }
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return [0, 2, 4, 6].map((at) => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0);
}

function parseIPv4(text: string): number | null {
  const match = ipv4Shape.exec(text);
  if (match === null) return null;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255)) return null;
  return bytes.reduce((word, byte) => ((word << 8) | byte) >>> 0, 0);
}

/** Reads 16-bit groups between colons; the last may be a dotted IPv4 address. */
function parseGroups(text: string, mayEndDotted: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    if (ipv6Group.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const word = mayEndDotted && at === parts.length - 1 ? parseIPv4(part) : null;
      if (word === null) return null;
      groups.push(word >>> 16, word & 0xffff);
    }
  }
  return groups;
}

/** Reads `address/prefix`, or an address as a range of one. @returns null for any other text */
export function parseRange(text: string): AddressRange | null {
  const [base = '', length, ...rest] = text.trim().split('/');
  const words = parseAddress(base);
  if (words === null || rest.length > 0) return null;
  const bits = words.length * 32;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (prefix < 0 || prefix > bits) return null;
  const masks = words.map((_, at) => {
    const kept = Math.min(32, Math.max(0, prefix - at * 32));
    return kept === 0 ? 0 : (0xffffffff << (32 - kept)) >>> 0;
  });
  return { words, masks };
}

export function isWithin(range: AddressRange, address: Address): boolean {
  if (range.words.length !== address.length) return false;
  return address.every((word, at) => ((word ^ (range.words[at] ?? 0)) & (range.masks[at] ?? 0)) === 0);
}

function rangeOf(text: string): AddressRange {
  const range = parseRange(text);
  if (range === null) throw new TypeError(`not an address range: ${text}`);
  return range;
}

/** Special-purpose ranges by reason. The first row that contains an address counts; an address in no row is public. */
const special: readonly (readonly [AddressReason, ...string[]])[] = [
  ['unspecified_ip', '0.0.0.0/8', '::/128'],
  ['loopback_ip', '127.0.0.0/8', '::1/128'],
  ['private_ip', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  ['link_local_ip', '169.254.0.0/16', 'fe80::/10'],
  ['cgnat_ip', '100.64.0.0/10'],
  ['benchmark_ip', '198.18.0.0/15', '2001:2::/48'],
  ['multicast_ip', '224.0.0.0/4', 'ff00::/8'],
  ['reserved_ip', '192.0.0.0/24', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  ['reserved_ip', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.175.48.0/24', '2620:4f:8000::/48', '240.0.0.0/4'],
  ['reserved_ip', '100::/64', '100:0:0:1::/64', '2001::/23', '5f00::/16', 'fec0::/10'],
  // All IPv6 forms of IPv4 addresses are refused: the target of the inner address depends on translators that we cannot see.
  ['reserved_ip', '::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16'],
];
const specialRanges = lazy(() =>
  special.flatMap(([reason, ...ranges]) => ranges.map((text) => ({ reason, range: rangeOf(text) }))),
);

/** The reason to refuse a special-purpose address; null for a public address. */
export function classify(address: Address): AddressReason | null {
  return specialRanges().find(({ range }) => isWithin(range, address))?.reason ?? null;
}

/** Addresses of the metadata services of AWS, Azure, Google, Alibaba and Oracle. They give the machine's credentials to every caller. */
const metadata = lazy(() =>
  [
    ...['169.254.169.254', '169.254.170.2', '169.254.170.23', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
    ...['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254'],
  ].map(rangeOf),
);

/** True for a metadata address, even when it is embedded in IPv6. */
export function isMetadata(address: Address): boolean {
  return spellings(address).some((each) => metadata().some((range) => isWithin(range, each)));
}

const loopback = lazy(() => ['127.0.0.0/8', '::1/128', '0.0.0.0/8', '::/128'].map(rangeOf));

/** True when a connection to the address ends on this machine; Linux treats the unspecified address as loopback. */
export function isLoopback(address: Address): boolean {
  return spellings(address).some((each) => loopback().some((range) => isWithin(range, each)));
}

/** Parses the ranges above in advance; otherwise the first outgoing call would wait for it. */
export function prepareRanges(): void {
  specialRanges();
  metadata();
  loopback();
}

export function isUnspecified(address: Address): boolean {
  return address.every((word) => word === 0);
}

export function isSame(a: Address, b: Address): boolean {
  return spellings(a).some((each) => each.length === b.length && each.every((word, at) => word === b[at]));
}

/** The IPv6 ranges that embed IPv4 addresses, and how to extract those (RFC 4291, 6052, 3056, 4380, 5214). */
const embeddings: readonly {
  readonly range: AddressRange;
  readonly inner: (address: Address) => readonly (number | undefined)[];
}[] = [
  ...['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48'].map((text) => ({
    range: rangeOf(text),
    inner: ([, , , low]: Address) => [low],
  })),
  { range: rangeOf('2002::/16'), inner: ([first = 0, second = 0]) => [((first << 16) | (second >>> 16)) >>> 0] },
  // A Teredo address contains the server's IPv4 address as it is and the client's with all bits inverted.
  { range: rangeOf('2001::/32'), inner: ([, server, , client = 0]) => [server, ~client >>> 0] },
  { range: isatap('0:5efe'), inner: ([, , , low]) => [low] },
  { range: isatap('200:5efe'), inner: ([, , , low]) => [low] },
];

function isatap(marker: string): AddressRange {
  const { words } = rangeOf(`::${marker}:0:0`);
  return { words, masks: [0, 0, 0xffffffff, 0] };
}

/** The address itself and every IPv4 address that it embeds. */
function spellings(address: Address): Address[] {
  if (address.length === 1) return [address];
  const inner = embeddings.flatMap((each) => (isWithin(each.range, address) ? each.inner(address) : []));
  return [address, ...inner.map((word) => [word ?? 0])];
}
