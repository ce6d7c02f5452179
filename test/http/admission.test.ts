import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../src/core/errors.ts';
import { createAdmission, type ServedHosts } from '../../src/http/admission.ts';

interface Hosts {
  readonly bound?: string;
  readonly local?: readonly string[];
  readonly names?: readonly string[];
}

function verdict(hosts: Hosts, headers: Record<string, string>, path = '/v1/models'): string {
  const { bound = '127.0.0.1', local = [], names = [] } = hosts;
  const served: ServedHosts = { bound, localAddresses: () => local, publicHosts: () => names };
  try {
    createAdmission(served).admit(new Request('http://localhost/', { headers }), path);
    return 'in';
  } catch (error) {
    return error instanceof OlaError ? `${error.status} ${error.code}` : String(error);
  }
}

const misdirected = '421 host_not_served';
const foreign = '403 origin_not_allowed';

describe('the Host', () => {
  test('of this machine is served, with and without a port', () => {
    for (const host of ['localhost', 'LOCALHOST:9090', '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:65535']) {
      expect(verdict({}, { host })).toBe('in');
    }
  });

  test('of anybody else is not: a name may be made to point here', () => {
    const others = ['evil.example', 'localhost.evil.example', 'evil.example:9090', '127.0.0.1.evil.example', '10.0.0.5', '[::2]'];
    for (const host of [...others, 'localhost@evil.example', 'localhost:9090:1', 'localhost:x', '127.0.0.2', '']) {
      expect(verdict({}, { host })).toBe(misdirected);
    }
    expect(verdict({}, {})).toBe(misdirected);
  });

  test('is the address ola is bound to', () => {
    expect(verdict({ bound: '192.168.1.5' }, { host: '192.168.1.5:9090' })).toBe('in');
    expect(verdict({ bound: 'fe80::1' }, { host: '[fe80::1]:9090' })).toBe('in');
    expect(verdict({ bound: '192.168.1.5' }, { host: '192.168.1.6:9090' })).toBe(misdirected);
  });

  test('bound to all is any address of this machine, and no name', () => {
    for (const bound of ['0.0.0.0', '::']) {
      const hosts = { bound, local: ['192.168.1.5', 'fd00::5'] };
      expect(verdict(hosts, { host: '192.168.1.5:9090' })).toBe('in');
      expect(verdict(hosts, { host: '[fd00::5]:9090' })).toBe('in');
      for (const host of ['192.168.1.6', 'box.lan', '0.0.0.0', '[::]']) expect(verdict(hosts, { host })).toBe(misdirected);
    }
  });

  test('is one of publicHosts, in any case, with its port or for any', () => {
    const hosts = { names: ['LLM.example', 'box.lan:8443'] };
    for (const host of ['llm.example', 'LLM.EXAMPLE:9090', 'box.lan:8443']) expect(verdict(hosts, { host })).toBe('in');
    for (const host of ['box.lan', 'box.lan:9090', 'a.llm.example']) expect(verdict(hosts, { host })).toBe(misdirected);
  });

  test('is not asked by whoever probes the health', () => {
    for (const path of ['/health', '/health/ready']) expect(verdict({}, { host: 'pod-7' }, path)).toBe('in');
    for (const path of ['/healthy', '/v1/health', '/']) expect(verdict({}, { host: 'pod-7' }, path)).toBe(misdirected);
  });

  test('is judged anew when publicHosts change', () => {
    let names: readonly string[] = [];
    const admission = createAdmission({ bound: '127.0.0.1', localAddresses: () => [], publicHosts: () => names });
    const request = new Request('http://localhost/', { headers: { host: 'llm.example' } });
    const admit = () => admission.admit(request, '/');
    expect(admit).toThrow();
    names = ['llm.example'];
    expect(admit).not.toThrow();
    names = [];
    expect(admit).toThrow();
  });

  test('that is refused names what would help, and not the Host', () => {
    const admission = createAdmission({ bound: '127.0.0.1', localAddresses: () => [], publicHosts: () => [] });
    const request = new Request('http://localhost/', { headers: { host: 'canary.example' } });
    expect(() => admission.admit(request, '/')).toThrow('publicHosts');
    expect(() => admission.admit(request, '/')).not.toThrow('canary');
  });
});

describe('the Origin', () => {
  const host = '127.0.0.1:9090';

  test('of the page that ola serves itself is let through, and so is no Origin', () => {
    for (const origin of [`http://${host}`, `https://${host}`]) expect(verdict({}, { host, origin })).toBe('in');
    expect(verdict({}, { host })).toBe('in');
    expect(verdict({}, { host, 'sec-fetch-site': 'same-origin' })).toBe('in');
    expect(verdict({}, { host, 'sec-fetch-site': 'none' })).toBe('in');
  });

  test('of any other page is not, whatever the credential', () => {
    const origins = [
      'https://evil.example',
      'http://127.0.0.1:9091',
      'http://localhost:9090',
      'null',
      '',
      'file://',
      `ftp://${host}`,
    ];
    for (const origin of origins) expect(verdict({}, { host, origin, authorization: 'Bearer x' })).toBe(foreign);
    expect(verdict({}, { host, 'sec-fetch-site': 'cross-site' })).toBe(foreign);
    expect(verdict({}, { host, origin: `http://${host}`, 'sec-fetch-site': 'cross-site' })).toBe(foreign);
  });

  test('is asked on the health too', () => {
    expect(verdict({}, { host: 'pod-7', origin: 'https://evil.example' }, '/health')).toBe(foreign);
  });
});
