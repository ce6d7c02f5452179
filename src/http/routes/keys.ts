/** `/config/keys`. */
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { type Route, reply, route } from '../route.ts';

export function keyRoutes({ keys }: Gateway): Route[] {
  return [
    route(
      { method: 'POST', path: '/config/keys/rotate', scope: 'admin', summary: 'Seal all stored secrets with a new master key' },
      async (call, principal) => reply(call, { status: 'ok', ...(await keys.rotate(requesterOf(call, principal))) }),
    ),
  ];
}
