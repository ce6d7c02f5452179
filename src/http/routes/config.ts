/** `/config`: the document and its providers. */
import { Type } from '@sinclair/typebox';
import { documentSchema, providerSchema } from '../../core/document.ts';
import type { Json } from '../../core/json.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { type Call, requesterOf } from '../call.ts';
import { bodyRoute, type Route, reply, route } from '../route.ts';
import { deleted, ok, warnings, written } from '../shapes.ts';

/** Checked by the use-case, which first folds the names of fields. */
const anyObject = Type.Object({}, { additionalProperties: true });

const checked = Type.Object({ status: ok, warnings });
const paths = Type.Object({
  configDir: Type.String({ description: 'the home directory of ola' }),
  config_dir: Type.String({ description: 'the same as `configDir`' }),
  configFile: Type.String({ description: 'the configuration file; it is read in the mode `file` only' }),
  config_file: Type.String({ description: 'the same as `configFile`' }),
  database: Type.String(),
  mode: Type.Union([Type.Literal('database'), Type.Literal('file')], { description: 'where the configuration is read from' }),
  problem: Type.Union([Type.String(), Type.Null()], { description: 'why the present text of the file is not in force' }),
});
const providerMap = Type.Record(Type.String(), providerSchema, { description: 'providers by id' });
const providerState = Type.Object({
  id: Type.String(),
  usable: Type.Boolean(),
  keys: Type.Array(Type.String(), {
    description: 'where its keys are: the name of a variable, `stored`, `file`, `profile:ID`; empty without one',
  }),
  why: Type.Union([Type.String(), Type.Null()], { description: 'why it cannot be used' }),
});
const providerMaps = Type.Object({
  providers: providerMap,
  modelsProviders: providerMap,
  models_providers: providerMap,
  states: Type.Array(providerState, { description: 'the providers that can be used, and those that are meant to be and cannot' }),
});
const builtinProviders = Type.Object({
  providers: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String({ description: 'for people' }),
      aliases: Type.Array(Type.String(), { description: 'other names of the id' }),
      endpoints: Type.Array(
        Type.Object({
          api: Type.String({ description: 'the wire protocol' }),
          baseUrl: Type.String({ description: 'braces stand for a part that is yours' }),
          callable: Type.Boolean({ description: 'whether this version speaks the protocol' }),
        }),
      ),
      envVars: Type.Array(Type.String(), { description: 'variables that hold its key, in the order in which they are tried' }),
      local: Type.Boolean({ description: 'whether it runs on your own machine or network' }),
      needsBaseUrl: Type.Boolean({ description: 'whether its address must be configured' }),
      callable: Type.Boolean({ description: 'whether this version can call it' }),
    }),
  ),
});
const cost = {
  input: Type.Number(),
  output: Type.Number(),
  cacheRead: Type.Optional(Type.Number()),
  cacheWrite: Type.Optional(Type.Number()),
};
const providerModels = Type.Object({
  provider: Type.String({ description: 'the id of the provider; an alias is replaced by it' }),
  usable: Type.Boolean({ description: 'whether it can be called now' }),
  why: Type.Union([Type.String(), Type.Null()], { description: 'why it cannot be used' }),
  models: Type.Array(
    Type.Object({
      id: Type.String({ description: 'the id the upstream knows' }),
      name: Type.Optional(Type.String({ description: 'for people' })),
      contextWindow: Type.Optional(Type.Integer({ description: 'tokens' })),
      maxTokens: Type.Optional(Type.Integer({ description: 'tokens of one answer' })),
      input: Type.Optional(Type.Array(Type.String(), { description: 'the kinds of input' })),
      reasoning: Type.Optional(Type.Boolean({ description: 'whether it thinks before it answers' })),
      cost: Type.Optional(
        Type.Object(
          { ...cost, tiers: Type.Optional(Type.Array(Type.Object({ above: Type.Integer(), ...cost }))) },
          { description: 'dollars per million tokens; a prompt with more tokens than `above` has the prices of that tier' },
        ),
      ),
      source: Type.Union([Type.Literal('catalog'), Type.Literal('configured'), Type.Literal('asked')], {
        description: 'where it is known from; `configured` also for a model of the catalog that the configuration changes',
      }),
    }),
  ),
});
const writtenProvider = Type.Object({
  status: ok,
  provider: Type.String({ description: 'the id of the provider; an alias is replaced by it' }),
  effectiveUrl: Type.Optional(Type.String({ description: 'the URL to which its chats go' })),
  warnings: Type.Optional(warnings),
});

export function configRoutes(gateway: Gateway): Route[] {
  const { config, documents, providers, place } = gateway;
  const toggle = (verb: 'enable' | 'disable', summary: string) =>
    route(
      { method: 'POST', path: `/config/providers/:id/${verb}`, scope: 'admin', summary, answer: writtenProvider },
      async (call, principal, params) => {
        const ifMatch = call.request.headers.get('if-match');
        const requester = requesterOf(call, principal);
        const done = await providers.enable(params['id'] ?? '', verb === 'enable', ifMatch, requester);
        return writtenAnswer(call, done);
      },
    );
  return [
    route(
      { method: 'GET', path: '/config', scope: 'admin', summary: 'The configuration, secrets redacted', answer: documentSchema },
      (call) => {
        const { document, etag } = documents.show();
        return reply(call, document, 200, { etag });
      },
    ),
    bodyRoute(
      { method: 'POST', path: '/config', scope: 'admin', summary: 'Replace the configuration', body: anyObject, answer: written },
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
        answer: checked,
      },
      async (call, principal, body) => {
        const warnings = await documents.validate(body as Json, requesterOf(call, principal));
        return reply(call, { status: 'ok', warnings });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/config/config-file-path',
        scope: 'admin',
        summary: 'Where configuration and state are',
        answer: paths,
      },
      (call) => {
        const configFile = config.file ?? `${place.home}/config.json`;
        return reply(call, {
          configDir: place.home,
          config_dir: place.home,
          configFile,
          config_file: configFile,
          database: place.database,
          mode: config.file === null ? 'database' : 'file',
          problem: config.problem(),
        });
      },
    ),
    route(
      { method: 'GET', path: '/config/providers', scope: 'admin', summary: 'Configured providers', answer: providerMaps },
      (call) => {
        const { providers: own, modelsProviders } = providers.list();
        const states = gateway.providerStates();
        return reply(call, { providers: own, modelsProviders, models_providers: modelsProviders, states }, 200, {
          etag: gateway.config.snapshot().etag,
        });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/config/builtin-providers',
        scope: 'admin',
        summary: 'Providers of the catalog',
        answer: builtinProviders,
      },
      (call) => reply(call, { providers: gateway.builtinProviders() }),
    ),
    route(
      {
        method: 'GET',
        path: '/config/providers/:id/models',
        scope: 'admin',
        summary: 'Models of a provider',
        answer: providerModels,
      },
      async (call, _principal, params) => reply(call, await gateway.providerModels(params['id'] ?? '')),
    ),
    bodyRoute(
      {
        method: 'PUT',
        path: '/config/providers/:id',
        scope: 'admin',
        summary: 'Add or replace a provider',
        body: anyObject,
        answer: writtenProvider,
      },
      async (call, principal, body, params) => {
        const ifMatch = call.request.headers.get('if-match');
        const requester = requesterOf(call, principal);
        return writtenAnswer(call, await providers.put(params['id'] ?? '', body as Json, ifMatch, requester));
      },
    ),
    toggle('enable', 'Switch a provider on'),
    toggle('disable', 'Switch a provider off'),
    route(
      { method: 'DELETE', path: '/config/providers/:id', scope: 'admin', summary: 'Remove a provider', answer: deleted },
      async (call, principal, params) => {
        const ifMatch = call.request.headers.get('if-match');
        const { id, etag } = await providers.remove(params['id'] ?? '', ifMatch, requesterOf(call, principal));
        return reply(call, { status: 'ok', deleted: id }, 200, { etag });
      },
    ),
  ];
}

type WrittenProvider = Awaited<ReturnType<Gateway['providers']['put']>>;

function writtenAnswer(call: Call, { id, etag, warnings: said, effectiveUrl }: WrittenProvider): Response {
  const url = effectiveUrl === null ? {} : { effectiveUrl };
  return reply(call, { status: 'ok', provider: id, ...url, ...(said.length === 0 ? {} : { warnings: said }) }, 200, { etag });
}
