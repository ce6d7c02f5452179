import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { defaultEgressPolicy, type EgressPolicy, type EgressReason } from '../../src/core/egress.ts';
import { judge, judgeAddress, refuses } from '../../src/egress/policy.ts';

const policy: EgressPolicy = { ...defaultEgressPolicy, enforceHttps: false };
const nobody = { allowLocal: false };
const local = { allowLocal: true };

function reasonFor(
  url: string,
  given: EgressPolicy = policy,
  exceptions: { allowLocal: boolean; ports?: number[]; awsMetadata?: true } = nobody,
): EgressReason | null {
  const verdict = judge(url, given, exceptions);
  return verdict.ok ? null : verdict.reason;
}

interface Vector {
  readonly id: string;
  readonly url: string;
  readonly expect: 'allow' | 'deny';
  readonly why: string;
  readonly whatwg: string;
}

const vectors = readFileSync(join(import.meta.dir, 'vectors.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);

describe('every vector is judged as written', () => {
  for (const { id, url, expect: expected, why, whatwg } of vectors) {
    test(`${id} ${expected}: ${why}`, () => {
      const verdict = judge(url, policy, nobody);
      expect(verdict.ok).toBe(expected === 'allow');
      if (verdict.ok) expect(verdict.target.url.hostname).toBe(whatwg);
    });
  }
  test('there are vectors of both kinds', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(97);
    expect(new Set(vectors.map((vector) => vector.expect)).size).toBe(2);
  });
});

test('the fixed addresses of AWS’s credentials are for the client that asks for them, and no other address is', () => {
  const aws = { allowLocal: false, awsMetadata: true } as const;
  for (const host of ['169.254.169.254', '169.254.170.2', '169.254.170.23']) {
    expect(reasonFor(`http://${host}`, defaultEgressPolicy, aws)).toBeNull();
    expect(reasonFor(`http://${host}`, defaultEgressPolicy, local)).not.toBeNull();
    expect(reasonFor(`http://${host}`, { ...policy, denyHosts: [host] }, aws)).toBe('denylisted_host');
  }
  for (const url of ['http://169.254.169.253', 'http://169.254.1.1', 'http://metadata.google.internal', 'http://100.100.100.200'])
    expect(reasonFor(url, defaultEgressPolicy, aws)).not.toBeNull();
  // A name that leads there is a name that somebody else owns.
  expect(judgeAddress('169.254.169.254', policy, aws)).toBe('metadata_ip');
});

describe('each way to be refused has its reason', () => {
  const rows: readonly [string, EgressReason][] = [
    ['https://example.com/\t', 'malformed_url'],
    [`https://example.com/${'a'.repeat(2040)}`, 'malformed_url'],
    ['https://example.com/\u2028', 'malformed_url'],
    ['example.com', 'malformed_url'],
    ['https:example.com', 'malformed_url'],
    ['https:/example.com', 'malformed_url'],
    ['https://example.com/?key=1', 'malformed_url'],
    ['https://example.com/?', 'malformed_url'],
    ['https://example.com/#f', 'malformed_url'],
    ['https://example.com\\@127.0.0.1/', 'malformed_url'],
    ['https://ex%61mple.com/', 'malformed_url'],
    ['https://example..com/', 'malformed_url'],
    ['https://example.com../', 'malformed_url'],
    [`https://${'a'.repeat(64)}.com/`, 'malformed_url'],
    [`https://${`${'a'.repeat(62)}.`.repeat(4)}comm/`, 'malformed_url'],
    ['https://', 'missing_host'],
    ['https://:443/', 'missing_host'],
    ['https:///example.com/', 'missing_host'],
    ['ftp://example.com/', 'unsupported_scheme'],
    ['data:text/plain,x', 'unsupported_scheme'],
    ['https://@example.com/', 'userinfo_forbidden'],
    ['https://u:p@example.com/', 'userinfo_forbidden'],
    ['https://example.com:22/', 'port_forbidden'],
    ['https://example.com:0/', 'port_forbidden'],
    ['https://localhost/', 'localhost_forbidden'],
    ['https://a.localhost/', 'localhost_forbidden'],
    ['https://intranet/', 'single_label_host'],
    ['https://printer.local/', 'special_use_host'],
    ['https://kubernetes.default.svc/', 'special_use_host'],
    ['https://METADATA.goog./', 'metadata_host'],
    ['https://instance-data/', 'metadata_host'],
    ['https://0xa9fea9fe/', 'metadata_ip'],
    ['https://[::ffff:169.254.169.254]/', 'metadata_ip'],
    ['https://168.63.129.16/', 'metadata_ip'],
    ['https://127.1/', 'loopback_ip'],
    ['https://10.1.2.3/', 'private_ip'],
    ['https://[fd12::1]/', 'private_ip'],
    ['https://169.254.1.1/', 'link_local_ip'],
    ['https://[fe80::1]/', 'link_local_ip'],
    ['https://100.64.0.1/', 'cgnat_ip'],
    ['https://198.19.0.1/', 'benchmark_ip'],
    ['https://[ff02::1]/', 'multicast_ip'],
    ['https://0.0.0.0/', 'unspecified_ip'],
    ['https://[::]/', 'unspecified_ip'],
    ['https://[::ffff:8.8.8.8]/', 'reserved_ip'],
    ['https://255.255.255.255/', 'reserved_ip'],
  ];
  for (const [url, reason] of rows) {
    test(`${reason}: ${url.slice(0, 60)}`, () => expect(reasonFor(url)).toBe(reason));
  }

  test('plain http when https is enforced, and not otherwise', () => {
    expect(reasonFor('http://example.com/', defaultEgressPolicy)).toBe('insecure_http_forbidden');
    expect(reasonFor('http://example.com/')).toBeNull();
    expect(reasonFor('https://example.com/', defaultEgressPolicy)).toBeNull();
  });

  test('a refusal tells scheme and host, never user info, path or query', () => {
    expect(judge('https://10.0.0.1:8443/secret', policy, nobody)).toEqual({
      ok: false,
      reason: 'private_ip',
      scheme: 'https',
      host: '10.0.0.1',
      port: 8443,
    });
    expect(JSON.stringify(judge('https://user:hunter2@example.com/', policy, nobody))).not.toContain('hunter2');
  });

  test('a port of the destination is allowed besides the policy’s', () => {
    expect(reasonFor('https://example.com:9000/', policy, { allowLocal: false, ports: [9000] })).toBeNull();
  });
});

describe('an allow-local destination', () => {
  const passes = [
    ...[
      'http://127.0.0.1:11434/v1',
      'http://localhost:8000/v1',
      'http://[::1]:1234/',
      'http://192.168.1.20:9/',
      'http://[fd12::1]:9/',
    ],
    ...[
      'http://ollama:11434/',
      'http://host.docker.internal:20100/',
      'http://printer.local/',
      'http://100.64.0.9/',
      'http://169.254.7.7/',
    ],
    ...['http://[fe80::1]/', 'https://api.example.com:22/'],
  ];
  for (const url of passes) test(`may be ${url}`, () => expect(reasonFor(url, defaultEgressPolicy, local)).toBeNull());

  const refused: readonly [string, EgressReason][] = [
    ['http://169.254.169.254/', 'metadata_ip'],
    ['http://100.100.100.200/', 'metadata_ip'],
    ['http://[fd00:ec2::254]/', 'metadata_ip'],
    ['http://metadata/', 'metadata_host'],
    ['http://[::ffff:a9fe:a9fe]/', 'metadata_ip'],
    ['http://[::a9fe:a9fe]/', 'metadata_ip'],
    ['http://[64:ff9b::a9fe:a9fe]/', 'metadata_ip'],
    ['http://[64:ff9b:1::6464:64c8]/', 'metadata_ip'],
    ['http://[2002:a9fe:a9fe::1]/', 'metadata_ip'],
    ['http://[2001:0:a9fe:a9fe::]/', 'metadata_ip'],
    ['http://[2001:0:1:1:0:0:5601:5601]/', 'metadata_ip'],
    ['http://[fe80::5efe:a9fe:a9fe]/', 'metadata_ip'],
    ['http://[::ffff:127.0.0.1]/', 'reserved_ip'],
    ['http://0.0.0.0/', 'unspecified_ip'],
    ['http://224.0.0.1/', 'multicast_ip'],
    ['http://192.0.2.1/', 'reserved_ip'],
    ['http://u@127.0.0.1/', 'userinfo_forbidden'],
    ['file://localhost/etc/passwd', 'unsupported_scheme'],
  ];
  for (const [url, reason] of refused)
    test(`may not be ${url}`, () => expect(reasonFor(url, defaultEgressPolicy, local)).toBe(reason));
});

describe('denyHosts and denyCidrs win over every exception', () => {
  const strict: EgressPolicy = {
    ...policy,
    denyHosts: ['Evil.Example.com.', '*.bad.net'],
    denyCidrs: ['127.0.0.0/8', '8.8.8.8', '2606:4700::/32', 'junk'],
  };
  const rows: readonly [string, EgressReason | null][] = [
    ['https://evil.example.com/', 'denylisted_host'],
    ['https://EVIL.example.com./', 'denylisted_host'],
    ['https://x.evil.example.com/', null],
    ['https://a.b.bad.net/', 'denylisted_host'],
    ['https://bad.net/', null],
    ['https://notbad.net/', null],
    ['https://127.0.0.1/', 'denylisted_cidr'],
    ['https://8.8.8.8/', 'denylisted_cidr'],
    ['https://8.8.8.9/', null],
    ['https://[2606:4700::1]/', 'denylisted_cidr'],
  ];
  for (const [url, reason] of rows) test(`${url}: ${reason}`, () => expect(reasonFor(url, strict, local)).toBe(reason));
});

describe('observe, off and disabled', () => {
  const lax: readonly EgressPolicy[] = [
    { ...policy, mode: 'observe' },
    { ...policy, mode: 'off' },
    { ...policy, enabled: false },
  ];
  test('let through what enforce refuses, and say what it would be', () => {
    for (const each of lax)
      expect(judge('http://10.0.0.1:99/', each, nobody)).toMatchObject({ ok: true, observed: 'private_ip' });
  });
  test('never let through metadata, other schemes, user info or what is no plain URL', () => {
    const never = [
      ...['http://169.254.169.254/', 'http://[::ffff:169.254.169.254]/', 'http://metadata.google.internal/', 'gopher://a.com/'],
      ...['http://u@a.com/', 'http://', ' http://a.com', 'http://a.com/?x'],
    ];
    for (const each of lax) for (const url of never) expect(reasonFor(url, each, local)).not.toBeNull();
  });
  test('a denylist does not hide a metadata address from them', () => {
    const hiding: EgressPolicy = { ...policy, mode: 'off', denyCidrs: ['169.254.0.0/16'], denyHosts: ['metadata'] };
    expect(reasonFor('http://169.254.169.254/', hiding)).toBe('metadata_ip');
    expect(reasonFor('http://metadata/', hiding)).toBe('metadata_host');
    expect(refuses(hiding, 'resolved_metadata_ip')).toBe(true);
    expect(refuses(hiding, 'denylisted_cidr')).toBe(false);
  });
});

describe('an address that is no address is refused', () => {
  const garbage = [
    ...[
      '',
      'localhost',
      '1.2.3',
      '01.2.3.4',
      '1.2.3.256',
      '1.2.3.4.5',
      ' 1.2.3.4',
      '1.2.3.4 ',
      '0x1.2.3.4',
      '[::1]',
      'fe80::1%eth0',
    ],
    ...[
      '1::2::3',
      ':::',
      ':1',
      '1:',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8',
      '::1.2.3',
      '::1.2.3.4:5',
      '1.2.3.4::',
      'g::',
      '12345::',
    ],
  ];
  for (const text of garbage) test(JSON.stringify(text), () => expect(judgeAddress(text, policy, local)).toBe('reserved_ip'));
});

const denied4: readonly (readonly [number, number])[] = [
  ...([
    [0x00000000, 8],
    [0x0a000000, 8],
    [0x64400000, 10],
    [0x7f000000, 8],
    [0xa9fe0000, 16],
    [0xac100000, 12],
  ] as const),
  ...([
    [0xc0000000, 24],
    [0xc0000200, 24],
    [0xc01fc400, 24],
    [0xc034c100, 24],
    [0xc0586300, 24],
    [0xc0a80000, 16],
  ] as const),
  ...([
    [0xc0af3000, 24],
    [0xc6120000, 15],
    [0xc6336400, 24],
    [0xcb007100, 24],
    [0xe0000000, 4],
    [0xf0000000, 4],
    [0xa83f8110, 32],
  ] as const),
];
const isDenied4 = (word: number): boolean =>
  denied4.some(([base, bits]) => Math.floor(word / 2 ** (32 - bits)) === Math.floor(base / 2 ** (32 - bits)));
const dotted = (word: number): string => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.');
const denied = fc
  .constantFrom(...denied4)
  .chain(([base, bits]) => fc.integer({ min: 0, max: 2 ** (32 - bits) - 1 }).map((rest) => base + rest));

/** One number as inet_aton reads it: decimal, octal or hexadecimal, zeros in front. */
const numeral = fc
  .tuple(fc.constantFrom(10, 8, 16), fc.nat({ max: 3 }), fc.boolean())
  .map(([radix, zeros, upper]) => (value: number) => {
    const digits = value.toString(radix);
    if (radix === 10) return digits;
    const text = `${radix === 16 ? '0x' : '0'}${'0'.repeat(zeros)}${digits}`;
    return upper ? text.toUpperCase() : text;
  });
/** An address in one to four parts, the last of which takes what is left (inet_aton). */
const spelling = (word: number) =>
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.array(numeral, { minLength: 4, maxLength: 4 })).map(([parts, write]) => {
    const bytes = [24, 16, 8, 0].map((shift) => (word >>> shift) & 255);
    const last = word % 2 ** (8 * (5 - parts));
    return [...bytes.slice(0, parts - 1), last].map((value, at) => write[at]?.(value)).join('.');
  });

describe('for all addresses', () => {
  test('no spelling of a denied IPv4 address is allowed', () => {
    fc.assert(
      fc.property(
        denied.chain((word) => fc.tuple(fc.constant(word), spelling(word))),
        ([word, text]) => {
          expect(new URL(`https://${text}/`).hostname).toBe(dotted(word));
          expect(reasonFor(`https://${text}/`)).not.toBeNull();
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });
  test('an IPv4 address is allowed exactly when no denied range holds it', () => {
    fc.assert(
      fc.property(fc.oneof(denied, fc.integer({ min: 0, max: 2 ** 32 - 1 })), (word) => {
        expect(judgeAddress(dotted(word), policy, nobody) !== null).toBe(isDenied4(word));
      }),
      { seed: 2, numRuns: 2000 },
    );
  });
  test('both edges of every denied range are inside it and their neighbours are outside', () => {
    for (const [base, bits] of denied4) {
      const end = base + 2 ** (32 - bits) - 1;
      for (const word of [base - 1, base, end, end + 1].filter((edge) => edge >= 0 && edge < 2 ** 32)) {
        expect(`${dotted(word)} ${judgeAddress(dotted(word), policy, nobody) !== null}`).toBe(
          `${dotted(word)} ${isDenied4(word)}`,
        );
      }
    }
  });
  test('an IPv4 address inside IPv6 is refused, the public ones too', () => {
    const wrap = fc.constantFrom('::', '::ffff:', '::ffff:0:', '64:ff9b::');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), wrap, (word, prefix) => {
        expect(reasonFor(`https://[${prefix}${dotted(word)}]/`)).not.toBeNull();
      }),
      { seed: 3, numRuns: 500 },
    );
  });
  test('no text makes the verdict throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webUrl(),
          fc.webUrl().map((url) => `${url}\u3002`),
        ),
        (text) => {
          judge(text, policy, nobody);
          judgeAddress(text, policy, nobody);
        },
      ),
      { seed: 4, numRuns: 1000 },
    );
  });

  const denied6 = [
    ...[
      '::',
      '::1',
      '::ffff:0:0',
      '::ffff:0:0:0',
      '64:ff9b::',
      '64:ff9b:1::',
      '64:ff9b:1:ffff:ffff:ffff:ffff:ffff',
      '100::',
      '100::ffff',
    ],
    ...[
      '2001::',
      '2001:1ff:ffff::',
      '2001:db8::',
      '2001:db8:ffff::',
      '2002::',
      '2620:4f:8000::',
      '3fff::',
      '3fff:fff::',
      '5f00::',
      '5f00:ffff::',
    ],
    ...['fc00::', 'fdff:ffff::', 'fe80::', 'febf::', 'fec0::', 'feff::', 'ff00::', 'ffff::', 'fd00:ec2::23', 'fd20:ce::254'],
  ];
  const allowed6 = [
    '2001:200::',
    '2001:db7::',
    '2001:db9::',
    '2003::',
    '2620:4f:7fff::',
    '2620:4f:8001::',
    '3ffe::',
    '3fff:1000::',
    '5eff::',
    '5f01::',
  ];
  for (const text of denied6) test(`${text} is refused`, () => expect(judgeAddress(text, policy, nobody)).not.toBeNull());
  for (const text of [...allowed6, '64:ff9c::1', '64:ff9b:2::', 'fbff::', 'fe7f::']) {
    test(`${text} is public`, () => expect(judgeAddress(text, policy, nobody)).toBeNull());
  }
});
