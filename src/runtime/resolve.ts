/** The system’s resolver. */
import { lookup } from 'node:dns/promises';
import type { Resolve } from '../core/ports.ts';

/** Resolves with getaddrinfo, so that the hosts file, NSS modules and search domains count as they do for other programs. */
export const resolve: Resolve = async (hostname) => {
  const answers = await lookup(hostname, { all: true, verbatim: true });
  return answers.map(({ address }) => address);
};
