/** The error for a path without a route, with the nearest routes. */
import { OlaError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';
import type { Route } from './route.ts';

/** Routes named in one message. */
const most = 3;
/** Letters in which a path may differ from the route that it means: names of other APIs differ in more. */
const mostLetters = 2;

/** Other APIs, which a later version serves: what a client of them asks for is no mistake of its user. */
const laterApis = /^\/v1\/responses\/[^/]+|^\/v1\/universal\//i;

/**
 * Paths are compared as they come. ola does not fold `//`: a proxy that keeps strangers from `/config` would let `//config`
 * pass.
 */
export function nothingAt(path: string, routes: readonly Route[]): OlaError {
  if (laterApis.test(path)) {
    const use = "Use a client of OpenAI's chat completions (`POST /v1/chat/completions`); /docs lists the routes.";
    return new OlaError('route_not_found', `${path.slice(0, 200)} is not served by this version yet. ${use}`);
  }
  const what = `There is nothing at ${path.slice(0, 200)}`;
  const meant = routesMeant(path, routes);
  if (meant.length === 0) return new OlaError('route_not_found', `${what}; /docs lists the routes.`);
  const baseUrl = baseUrlWords(meant);
  return new OlaError('route_not_found', `${what}. Did you mean ${meant.join(' or ')}?${baseUrl}`);
}

/** SDKs of Anthropic put `/v1` behind the base URL themselves, those of OpenAI do not. */
function baseUrlWords(meant: readonly string[]): string {
  if (meant.some((each) => /^\/v1\/messages(?:\/|$)/.test(each)))
    return " The base URL of a client of Anthropic's API has no /v1.";
  return meant.some((each) => each.startsWith('/v1/')) ? ' The base URL of a client ends in /v1, once.' : '';
}

function routesMeant(path: string, routes: readonly Route[]): readonly string[] {
  const fixed = [...new Set(routes.map((route) => route.path))].filter((each) => !/[:*]/.test(each) && each !== '/');
  const folded = path
    .toLowerCase()
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '');
  const behindVersion = folded.replace(/^(?:\/v1)+(?=\/)/, '');
  if (behindVersion === '' || behindVersion === '/v1') return [];
  if (fixed.includes(folded)) return [folded];
  const ending = fixed.filter((each) => each.endsWith(behindVersion)).sort((a, b) => a.length - b.length);
  // SDKs call what is below /v1, people the rest.
  const served = ending.filter((each) => each.startsWith('/v1/'));
  if (ending.length > 0) return (served.length > 0 ? served : ending).slice(0, most);
  return nearestNames(folded, fixed, most, mostLetters);
}
