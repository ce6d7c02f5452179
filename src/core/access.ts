/** Who calls and what they may do. */

export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** What a route asks of its caller; `none` is public. */
export type RouteScope = Scope | 'none';

/** An authenticated caller. Scope `admin` implies the other two; `write` does not imply `read`. */
export interface Principal {
  /** Ownership, idempotency and audit go by this: `user:<id>`, a token's id, `legacy-admin`, `proxy-key`, `anonymous`, `local`. */
  readonly subject: string;
  readonly project: string | null;
  /** The access token it came with, null for the built-in ones. */
  readonly tokenId: string | null;
  readonly scopes: readonly Scope[];
}

export function may(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
}

/** The owner of the home, over the control socket or with the store's lock. */
export const localPrincipal: Principal = { subject: 'local', tokenId: null, project: null, scopes };
