/** `/config`: the document and its providers. */
import { Type } from '@sinclair/typebox';
import type { Json } from '../core/json.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { originOf } from './call.ts';
import { bodyRoute, type Route, reply, route } from './routes.ts';

/** Checked by the use-case, which first folds the names of fields. */
const anyObject = Type.Object({}, { additionalProperties: true });

export function configRoutes(gateway: Gateway): Route[] {
  const { providers } = gateway;
  return [
    route({ method: 'GET', path: '/config', scope: 'admin', summary: 'The configuration, secrets redacted' }, (call) => {
      const { document, etag } = gateway.showConfig();
      return reply(call, document, 200, { etag });
    }),
    route({ method: 'GET', path: '/config/providers', scope: 'admin', summary: 'Configured providers' }, (call) => {
      const { providers: own, modelsProviders } = providers.list();
      return reply(call, { providers: own, modelsProviders, models_providers: modelsProviders }, 200, {
        etag: gateway.config.snapshot().etag,
      });
    }),
    bodyRoute(
      { method: 'PUT', path: '/config/providers/:id', scope: 'admin', summary: 'Add or replace a provider', body: anyObject },
      async (call, principal, body, params) => {
        const ifMatch = call.request.headers.get('if-match');
        const { id, etag, warnings } = await providers.put(params['id'] ?? '', body as Json, ifMatch, originOf(call, principal));
        return reply(call, { status: 'ok', provider: id, ...(warnings.length === 0 ? {} : { warnings }) }, 200, { etag });
      },
    ),
    route(
      { method: 'DELETE', path: '/config/providers/:id', scope: 'admin', summary: 'Remove a provider' },
      async (call, principal, params) => {
        const ifMatch = call.request.headers.get('if-match');
        const { id, etag } = await providers.remove(params['id'] ?? '', ifMatch, originOf(call, principal));
        return reply(call, { status: 'ok', deleted: id }, 200, { etag });
      },
    ),
  ];
}
