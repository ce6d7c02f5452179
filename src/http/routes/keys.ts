/** `/config/keys`. */
import { Type } from '@sinclair/typebox';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { type Route, reply, route } from '../route.ts';
import { ok } from '../shapes.ts';

const keyId = (description?: string) =>
  Type.String({ pattern: '^[0-9a-f]{8}$', ...(description === undefined ? {} : { description }) });
const rotation = Type.Object(
  {
    status: ok,
    keyId: keyId('the id of the key that seals now'),
    source: Type.String({ description: 'where that key is kept' }),
    resealed: Type.Integer({ minimum: 0, description: 'how many secrets were sealed with the new key' }),
    dropped: Type.Array(keyId(), { description: 'keys that no stored secret needs any more' }),
    retiredTo: Type.Union([Type.String(), Type.Null()], {
      description: 'the file that keeps the dropped keys; null when the keys come from a place that ola does not write',
    }),
    kept: Type.Array(keyId(), { description: 'older keys that stay, because damaged secrets name them' }),
    damaged: Type.Array(Type.String(), { description: 'ids of secrets that cannot be opened; they are left as they are' }),
    notes: Type.Array(Type.String(), { description: 'what to do next, and what to know' }),
  },
  { $id: 'KeyRotation' },
);

export function keyRoutes({ keys }: Gateway): Route[] {
  return [
    route(
      {
        method: 'POST',
        path: '/config/keys/rotate',
        scope: 'admin',
        summary: 'Seal all stored secrets with a new master key',
        answer: rotation,
      },
      async (call, principal) => reply(call, { status: 'ok', ...(await keys.rotate(requesterOf(call, principal))) }),
    ),
  ];
}
