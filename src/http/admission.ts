/** Judges a request before routing, by its Host, its Origin and its credential. */
import { OlaError } from '../core/errors.ts';

export interface ServedHosts {
  /** The address ola is bound to. */
  readonly bound: string;
  /** Addresses of this machine, for a wildcard bind. */
  readonly localAddresses: () => readonly string[];
  /** `publicHosts` of the configuration: names, with or without a port. */
  readonly publicHosts: () => readonly string[];
}

const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const wildcards: readonly string[] = ['0.0.0.0', '::', '[::]'];

export interface Admission {
  /** @throws OlaError `host_not_served` or `origin_not_allowed` */
  admit(request: Request, path: string): void;
}

/**
 * Any web page may send requests to 127.0.0.1, and a name that it owns may be made to resolve there (DNS rebinding):
 * the Host tells who is meant, the Origin who asks. Neither ever lets anybody in; they only keep out.
 */
export function createAdmission(hosts: ServedHosts): Admission {
  /** Remembered verdicts for Host headers, a handful in practice. */
  let known = new Map<string, boolean>();
  let knownFor = hosts.publicHosts();

  function isServed(host: string): boolean {
    const publicHosts = hosts.publicHosts();
    if (publicHosts !== knownFor) {
      known = new Map();
      knownFor = publicHosts;
    }
    const remembered = known.get(host);
    if (remembered !== undefined) return remembered;
    const served = judgeHost(host, hosts, publicHosts);
    if (known.size < 100) known.set(host, served);
    return served;
  }

  return {
    admit({ headers }, path) {
      const host = headers.get('host') ?? '';
      if (!isServed(host) && path !== '/health' && !path.startsWith('/health/')) {
        throw hostNotServed();
      }
      const origin = headers.get('origin');
      const foreign = origin !== null && origin !== `http://${host}` && origin !== `https://${host}`;
      if (foreign || headers.get('sec-fetch-site') === 'cross-site') throw originNotAllowed();
    },
  };
}

export function hostNotServed(): OlaError {
  const help = 'An administrator can add it to publicHosts in the configuration.';
  return new OlaError('host_not_served', `This gateway is not known by the name in the Host header. ${help}`);
}

export function originNotAllowed(): OlaError {
  return new OlaError('origin_not_allowed', 'Requests from pages of other origins are not accepted.');
}

function judgeHost(header: string, hosts: ServedHosts, publicHosts: readonly string[]): boolean {
  const host = header.toLowerCase();
  const name = host.replace(/:\d{1,5}$/, '');
  if (name === '' || loopbackNames.includes(name) || publicHosts.some((entry) => [host, name].includes(entry.toLowerCase())))
    return name !== '';
  if (wildcards.includes(hosts.bound)) return hosts.localAddresses().some((address) => name === bracketed(address));
  return name === bracketed(hosts.bound.toLowerCase());
}

function bracketed(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}
