/** Callers and their scopes. */

export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** The scope that a route requires; `any` asks for a valid token with whichever scope, `none` makes the route public. */
export type RouteScope = Scope | 'any' | 'none';

/** An authenticated caller. Scope `admin` implies the other two; `write` does not imply `read`. */
export interface Principal {
  /** Identifies the caller in ownership, idempotency and audit: `user:<id>`, a token's id, `legacy-admin`, `proxy-key`, `anonymous`, `local`. */
  readonly subject: string;
  readonly project: string | null;
  /** Id of the caller's access token; null for built-in principals. */
  readonly tokenId: string | null;
  readonly scopes: readonly Scope[];
}

export function may(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
}

/** The owner of the home, who calls over the control socket or holds the home's lock. */
export const localPrincipal: Principal = { subject: 'local', tokenId: null, project: null, scopes };
