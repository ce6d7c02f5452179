/** `GET /v1/models`. */
import type { Gateway } from '../../gateway/gateway.ts';
import { type Route, reply, route } from '../route.ts';

export function modelRoutes(gateway: Gateway): Route[] {
  return [
    route({ method: 'GET', path: '/v1/models', scope: 'read', summary: 'List the models that can be used now' }, (call) =>
      reply(call, { object: 'list', data: gateway.listModels() }),
    ),
    // A model id has slashes, so it takes the rest of the path; Elysia does not decode a wildcard.
    route({ method: 'GET', path: '/v1/models/*', scope: 'read', summary: 'Look up one model' }, (call, _principal, params) =>
      reply(call, gateway.findModel(decoded(params['*'] ?? ''))),
    ),
  ];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
