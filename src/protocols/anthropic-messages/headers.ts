/** The headers of a request to Anthropic's API besides those of its credential. */
import type { HeaderMap } from '../../core/ports.ts';
import { createSameHeaders } from '../same-headers.ts';
import { versionHeaders } from './version.ts';

const withBetas = createSameHeaders((client) => ({ ...versionHeaders, ...client }));
const withoutBetas = createSameHeaders(({ 'anthropic-beta': _, ...client }) => ({ ...versionHeaders, ...client }));

/**
 * @param client the headers of the client that go up; null: none
 * @param noBetas the upstream refuses `anthropic-beta`
 */
export function requestHeaders(client: HeaderMap | null, noBetas: boolean): HeaderMap {
  if (client === null) return versionHeaders;
  return noBetas ? withoutBetas(client) : withBetas(client);
}
