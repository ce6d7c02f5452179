/** `/config/tokens`. */
import { OlaError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import { newTokenSchema } from '../../core/tokens.ts';
import type { TokenView } from '../../gateway/access/tokens.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { page } from '../paging.ts';
import { bodyRoute, type Route, reply, route } from '../route.ts';

const dayMs = 86_400_000;
const defaultDays = 30;

export function tokenRoutes(gateway: Gateway, now: Clock): Route[] {
  const { tokens } = gateway;
  return [
    bodyRoute(
      { method: 'POST', path: '/config/tokens', scope: 'admin', summary: 'Make an access token', body: newTokenSchema },
      async (call, principal, body) => {
        const { name, project, admin } = body;
        const { token, view } = await tokens.create(
          {
            name,
            expiresAt: expiry(body, now()),
            ...(body.scopes === undefined ? {} : { scopes: body.scopes }),
            ...(admin === undefined ? {} : { admin }),
            ...(project === undefined ? {} : { project }),
          },
          requesterOf(call, principal),
        );
        const { id, ...rest } = onTheWire(view);
        return reply(call, { id, token, ...rest }, 201);
      },
    ),
    route({ method: 'GET', path: '/config/tokens', scope: 'admin', summary: 'List access tokens' }, (call) =>
      reply(call, page(tokens.list().map(onTheWire), call.request)),
    ),
    route(
      { method: 'GET', path: '/config/tokens/:id', scope: 'admin', summary: 'Show an access token' },
      (call, _principal, params) => {
        const view = tokens.list().find(({ id }) => id === params['id']);
        if (view === undefined)
          throw new OlaError('not_found', 'There is no such token; GET /config/tokens lists those there are.');
        return reply(call, onTheWire(view));
      },
    ),
    route(
      { method: 'DELETE', path: '/config/tokens/:id', scope: 'admin', summary: 'Revoke an access token' },
      async (call, principal, params) => {
        const id = params['id'] ?? '';
        await tokens.revoke(id, requesterOf(call, principal));
        return reply(call, { status: 'ok', deleted: id });
      },
    ),
  ];
}

interface Expiry {
  readonly expiresAt?: string | number | null;
  readonly expiresInDays?: number;
}

/** @throws OlaError `invalid_field` for both at once, for what is no date, and for a date that has passed */
function expiry({ expiresAt, expiresInDays }: Expiry, now: number): number | null {
  const wrong = (message: string) => new OlaError('invalid_field', message, { param: 'expiresAt' });
  if (expiresAt === undefined) return now + (expiresInDays ?? defaultDays) * dayMs;
  if (expiresInDays !== undefined) throw wrong("Send 'expiresAt' or 'expiresInDays', not both.");
  if (expiresAt === null || expiresAt === 'never') return null;
  const at = typeof expiresAt === 'number' ? expiresAt : Date.parse(expiresAt);
  if (!Number.isFinite(at) || at > 8.64e15)
    throw wrong("'expiresAt' is neither an ISO 8601 date, nor milliseconds since 1970, nor `never`.");
  if (at <= now) throw wrong("'expiresAt' has passed already.");
  return Math.floor(at);
}

/** Times as ISO 8601. */
function onTheWire(view: TokenView) {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  const { revokedAt: _, ...rest } = view;
  return { ...rest, createdAt: time(view.createdAt), expiresAt: time(view.expiresAt), lastUsedAt: time(view.lastUsedAt) };
}
