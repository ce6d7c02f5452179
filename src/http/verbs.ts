/**
 * Routes whose path ends in `*:verb`, as Google's API has them: `/v1beta/models/google/gemini-3-pro:generateContent`. Names of
 * models have slashes, at which a parameter of Elysia's ends, and Elysia decodes no wildcard: the verb is read here.
 */
import type { Params, Route } from './route.ts';

interface VerbPath {
  /** Ends in `*`. */
  readonly path: string;
  readonly verb: string;
}

/** @returns null for a path without a verb */
export function verbPathOf(path: string): VerbPath | null {
  const at = path.indexOf('*:');
  return at < 0 ? null : { path: path.slice(0, at + 1), verb: path.slice(at + 2) };
}

/** Routes that Elysia knows as one. */
export interface RouteGroup {
  readonly method: Route['method'];
  readonly path: string;
  /** By their verbs; null: one route without a verb. */
  readonly verbs: ReadonlyMap<string, Route> | null;
  readonly first: Route;
}

export function groupsOf(routes: readonly Route[]): readonly RouteGroup[] {
  const groups = Map.groupBy(routes, ({ method, path }) => `${method} ${verbPathOf(path)?.path ?? path}`);
  return [...groups.values()].flatMap((group) => {
    const verbs = new Map(group.flatMap((route) => (verbPathOf(route.path) === null ? [] : [[verbOf(route), route] as const])));
    const plain = group.filter((route) => verbPathOf(route.path) === null);
    const [first] = group;
    const alone = plain.map((route): RouteGroup => ({ method: route.method, path: route.path, verbs: null, first: route }));
    if (first === undefined || verbs.size === 0) return alone;
    return [...alone, { method: first.method, path: verbPathOf(first.path)?.path ?? first.path, verbs, first }];
  });
}

const verbOf = ({ path }: Route) => verbPathOf(path)?.verb ?? '';

export interface ChosenRoute {
  readonly route: Route;
  readonly params: Params;
}

/**
 * @param params `*` has the model and the verb
 * @returns the route of the verb, and the model as `*`; null for a path that ends in none of the verbs
 */
export function chooseVerb(verbs: ReadonlyMap<string, Route>, params: Params): ChosenRoute | null {
  const rest = decoded(params['*'] ?? '');
  const at = rest.lastIndexOf(':');
  const route = at < 0 ? undefined : verbs.get(rest.slice(at + 1));
  return route === undefined ? null : { route, params: { ...params, '*': rest.slice(0, at) } };
}

/** Whether a path fits the pattern with a verb. */
export function endsInVerb(path: string, { verb }: VerbPath): boolean {
  return decoded(path).endsWith(`:${verb}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
