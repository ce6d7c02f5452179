/** `/config/tokens`. */
import { Type } from '@sinclair/typebox';
import { scopes } from '../../core/access.ts';
import { OlaError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import { newTokenSchema } from '../../core/tokens.ts';
import type { TokenView } from '../../gateway/access/tokens.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { page, pageOf } from '../paging.ts';
import { bodyRoute, type Route, reply, route } from '../route.ts';
import { deleted, time, timeOrNull } from '../shapes.ts';

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const id = Type.String({ description: 'names the token, and is no secret: `tok_` and 32 hex digits for one that ola made' });
const fields = {
  hint: Type.String({ description: 'the end of the token, to recognize it by' }),
  name: Type.String(),
  owner: nullable('the person that it belongs to; null: no person'),
  project: nullable('the project that its use counts for'),
  scopes: Type.Array(Type.Union(scopes.map((scope) => Type.Literal(scope)))),
  admin: Type.Boolean({ description: 'whether it has every scope' }),
  enabled: Type.Boolean(),
  createdAt: time('when it was made'),
  expiresAt: timeOrNull('when it expires; null: never'),
  lastUsedAt: timeOrNull('when it last let a request in; null: not yet'),
  useCount: Type.Integer({ minimum: 0, description: 'requests for an answer' }),
};
const tokenSchema = Type.Object({ id, ...fields }, { $id: 'Token', description: 'An access token, without the token itself.' });
const madeSchema = Type.Object(
  { id, token: Type.String({ description: 'the token itself, shown this once: copy it now' }), ...fields },
  { $id: 'NewToken', description: 'An access token that was just made.' },
);

const dayMs = 86_400_000;
const defaultDays = 30;

export function tokenRoutes(gateway: Gateway, now: Clock): Route[] {
  const { tokens } = gateway;
  return [
    bodyRoute(
      {
        method: 'POST',
        path: '/config/tokens',
        scope: 'admin',
        summary: 'Make an access token',
        body: newTokenSchema,
        answer: madeSchema,
      },
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
    route(
      {
        method: 'GET',
        path: '/config/tokens',
        scope: 'admin',
        summary: 'List access tokens',
        answer: pageOf(tokenSchema),
      },
      (call) => reply(call, page(tokens.list().map(onTheWire), call.request)),
    ),
    route(
      { method: 'GET', path: '/config/tokens/:id', scope: 'admin', summary: 'Show an access token', answer: tokenSchema },
      (call, _principal, params) => {
        const view = tokens.list().find(({ id }) => id === params['id']);
        if (view === undefined)
          throw new OlaError('not_found', 'There is no such token; GET /config/tokens lists those there are.');
        return reply(call, onTheWire(view));
      },
    ),
    route(
      { method: 'DELETE', path: '/config/tokens/:id', scope: 'admin', summary: 'Revoke an access token', answer: deleted },
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
