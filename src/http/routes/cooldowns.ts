/** `/config/cooldowns`. */
import { Type } from '@sinclair/typebox';
import type { CooldownView } from '../../gateway/cooled-credentials.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { page, pageOf } from '../paging.ts';
import { bodyRoute, type Route, reply, route } from '../route.ts';
import { credential, ok, time } from '../shapes.ts';

const reasons = ['rate_limit', 'entitlement', 'billing', 'auth', 'forced'] as const;
const cooldownSchema = Type.Object(
  {
    id: Type.String({ description: 'the credential, and the model where only one cools down' }),
    credential,
    provider: Type.String(),
    model: Type.Union([Type.String(), Type.Null()], { description: 'the one model that cools down; null: all of them' }),
    reason: Type.Union(reasons.map((reason) => Type.Literal(reason))),
    since: time('when it began'),
    until: time('when it ends'),
    probeAt: time('from when on one call may try whether it is over'),
  },
  { $id: 'Cooldown', description: 'A credential that ola leaves alone for a while.' },
);
const forceSchema = Type.Object(
  {
    seconds: Type.Integer({ minimum: 1, maximum: 604_800, description: 'up to a week' }),
    model: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'the id that the provider knows; absent: all models' }),
    ),
    reason: Type.Optional(Type.String({ maxLength: 200, description: 'for people; it is not kept' })),
  },
  { additionalProperties: false },
);
const cleared = Type.Object({
  status: ok,
  credential: Type.String(),
  ended: Type.Integer({ minimum: 0, description: 'how many cooldowns there were' }),
});

export function cooldownRoutes({ cooledCredentials }: Gateway): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/config/cooldowns',
        scope: 'admin',
        summary: 'List the credentials that cool down',
        answer: pageOf(cooldownSchema),
      },
      (call) => reply(call, page(cooledCredentials.list().map(onTheWire), call.request)),
    ),
    bodyRoute(
      {
        method: 'PUT',
        path: '/config/cooldowns/:id',
        scope: 'admin',
        summary: 'Leave a credential alone for a while',
        body: forceSchema,
        answer: cooldownSchema,
      },
      (call, principal, { seconds, model }, params) => {
        const wanted = { seconds, ...(model === undefined ? {} : { model }) };
        return reply(call, onTheWire(cooledCredentials.force(params['id'] ?? '', wanted, requesterOf(call, principal))));
      },
    ),
    route(
      {
        method: 'DELETE',
        path: '/config/cooldowns/:id',
        scope: 'admin',
        summary: 'End the cooldowns of a credential',
        answer: cleared,
      },
      (call, principal, params) => {
        const credential = params['id'] ?? '';
        return reply(call, {
          status: 'ok',
          credential,
          ended: cooledCredentials.clear(credential, requesterOf(call, principal)),
        });
      },
    ),
  ];
}

function onTheWire({ since, until, probeAt, ...rest }: CooldownView) {
  const [began, ends, probed] = [since, until, probeAt].map((at) => new Date(at).toISOString());
  return { ...rest, since: began, until: ends, probeAt: probed };
}
