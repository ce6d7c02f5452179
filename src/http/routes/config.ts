/** `/config`: the document and its providers. */
import { Type } from '@sinclair/typebox';
import type { Json } from '../../core/json.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { bodyRoute, type Route, reply, route } from '../route.ts';

/** Checked by the use-case, which first folds the names of fields. */
const anyObject = Type.Object({}, { additionalProperties: true });

export function configRoutes(gateway: Gateway): Route[] {
  const { config, documents, providers, place } = gateway;
  return [
    route({ method: 'GET', path: '/config', scope: 'admin', summary: 'The configuration, secrets redacted' }, (call) => {
      const { document, etag } = documents.show();
      return reply(call, document, 200, { etag });
    }),
    bodyRoute(
      { method: 'POST', path: '/config', scope: 'admin', summary: 'Replace the configuration', body: anyObject },
      async (call, principal, body) => {
        const ifMatch = call.request.headers.get('if-match');
        const { etag, warnings } = await documents.replace(body as Json, ifMatch, requesterOf(call, principal));
        return reply(call, { status: 'ok', ...(warnings.length === 0 ? {} : { warnings }) }, 200, { etag });
      },
    ),
    bodyRoute(
      {
        method: 'POST',
        path: '/config/validate',
        scope: 'admin',
        summary: 'Check a configuration, write nothing',
        body: anyObject,
      },
      async (call, _principal, body) => reply(call, { status: 'ok', warnings: await documents.validate(body as Json) }),
    ),
    route(
      { method: 'GET', path: '/config/config-file-path', scope: 'admin', summary: 'Where configuration and state are' },
      (call) => {
        const configFile = config.file ?? `${place.home}/config.json`;
        return reply(call, {
          configDir: place.home,
          config_dir: place.home,
          configFile,
          config_file: configFile,
          database: place.database,
          mode: config.file === null ? 'database' : 'file',
        });
      },
    ),
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
        const { id, etag, warnings } = await providers.put(
          params['id'] ?? '',
          body as Json,
          ifMatch,
          requesterOf(call, principal),
        );
        return reply(call, { status: 'ok', provider: id, ...(warnings.length === 0 ? {} : { warnings }) }, 200, { etag });
      },
    ),
    route(
      { method: 'DELETE', path: '/config/providers/:id', scope: 'admin', summary: 'Remove a provider' },
      async (call, principal, params) => {
        const ifMatch = call.request.headers.get('if-match');
        const { id, etag } = await providers.remove(params['id'] ?? '', ifMatch, requesterOf(call, principal));
        return reply(call, { status: 'ok', deleted: id }, 200, { etag });
      },
    ),
  ];
}
