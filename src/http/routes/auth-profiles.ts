/** `/config/auth-profiles`, their order, and the providers they belong to. */
import { type TSchema, Type } from '@sinclair/typebox';
import { profileOrderSchema, profileSchema, providerSchema } from '../../core/document.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { type Call, requesterOf } from '../call.ts';
import { bodyRoute, type Params, type Route, reply, route } from '../route.ts';
import { deleted, ok, warnings, written } from '../shapes.ts';

/** Checked by the use-case, which first folds the names of fields. */
const anyObject = Type.Object({}, { additionalProperties: true });
const nullable = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description });

const state = {
  usable: Type.Boolean({ description: 'whether calls can be made with it now' }),
  reason: nullable(
    Type.String(),
    'why it cannot be used, as a code: `disabled`, `expired`, `missing_credential`, `needs_login`, `not_built`, ...',
  ),
  why: nullable(Type.String(), 'the reason in words'),
  renewal: Type.Optional(
    Type.Object(
      {
        state: Type.Union(
          (['ready', 'failing', 'unknown', 'needs_login'] as const).map((each) => Type.Literal(each)),
          { description: '`unknown`: the token endpoint gave no answer; `needs_login`: it refuses the refresh token for good' },
        ),
        since: nullable(Type.Integer(), 'since when renewing fails, milliseconds since 1970'),
        until: nullable(Type.Integer(), 'the end of the access token, milliseconds since 1970; null: not known'),
        why: nullable(Type.String(), 'why renewing fails'),
      },
      { description: 'how the renewal of an OAuth profile’s tokens stands; absent: they are not renewed' },
    ),
  ),
};
const profile = Type.Object(
  { ...profileSchema.properties, id: Type.String({ description: 'its id, usually `provider:name`' }), ...state },
  {
    $id: 'AuthProfileState',
    additionalProperties: true,
    description: 'An auth profile, secrets redacted, and whether it can be used.',
  },
);
const writtenProfile = Type.Object({
  status: ok,
  profile: Type.String({ description: 'the id of the profile' }),
  ...state,
  warnings: Type.Optional(warnings),
});
const configuredProvider = Type.Object(
  {
    id: Type.String(),
    baseUrl: nullable(Type.String(), 'where its calls go; null: not known'),
    api: nullable(Type.String(), 'the wire protocol'),
    auth: Type.String({ description: 'the kind of credential' }),
    isBuiltin: Type.Boolean({ description: 'whether the catalog has it' }),
    customConfig: Type.Optional(providerSchema),
    authProfileCount: Type.Integer({ minimum: 0, description: 'auth profiles of it, usable or not' }),
    usable: Type.Boolean({ description: 'whether calls can be made to it now' }),
    keys: Type.Array(Type.String(), {
      description: 'where its keys are: the name of a variable, `stored`, `file`, `profile:ID`',
    }),
    why: nullable(Type.String(), 'why it cannot be used'),
  },
  { $id: 'ConfiguredProvider' },
);
const tested = Type.Object({
  status: Type.Union([ok, Type.Literal('error')], { description: '`ok` when it works' }),
  outcome: Type.Union(
    (['works', 'refused', 'unreachable', 'unclear'] as const).map((each) => Type.Literal(each)),
    { description: '`unclear`: the answer does not say whether the credential is accepted' },
  ),
  profile: Type.String(),
  provider: Type.String(),
  modelsFound: Type.Optional(
    Type.Integer({ minimum: 0, description: 'models that the provider listed; absent when it listed none' }),
  ),
  models_found: Type.Optional(Type.Integer({ minimum: 0, description: 'the same as `modelsFound`' })),
  detail: Type.String({ description: 'what happened in words' }),
});

export function authProfileRoutes(gateway: Gateway): Route[] {
  const { authProfiles } = gateway;
  const tag = () => ({ etag: gateway.config.snapshot().etag });
  const view = (id: string, fields: JsonObject) => ({ ...fields, id, ...gateway.profileState(id) });
  const ifMatchOf = (call: Call) => call.request.headers.get('if-match');
  const put = ({ id, etag, warnings: said }: { id: string; etag: string; warnings: readonly unknown[] }, call: Call) => {
    const warned = said.length === 0 ? {} : { warnings: said };
    return reply(call, { status: 'ok', profile: id, ...gateway.profileState(id), ...warned }, 200, { etag });
  };
  const toggle = (verb: 'enable' | 'disable', summary: string) =>
    route(
      { method: 'POST', path: `/config/auth-profiles/:id/${verb}`, scope: 'admin', summary, answer: writtenProfile },
      async (call, principal, params) => {
        const id = params['id'] ?? '';
        const done = await authProfiles.enable(id, verb === 'enable', ifMatchOf(call), requesterOf(call, principal));
        return put({ id, ...done }, call);
      },
    );
  const test = (path: `/config/${string}`, summary: string) =>
    route({ method: 'POST', path, scope: 'admin', summary, answer: tested }, async (call, principal, params) => {
      const {
        outcome,
        profile: id,
        provider,
        modelsFound,
        detail,
      } = await gateway.testProfile(params['id'] ?? '', requesterOf(call, principal));
      const found = modelsFound === null ? {} : { modelsFound, models_found: modelsFound };
      return reply(call, { status: outcome === 'works' ? 'ok' : 'error', outcome, profile: id, provider, ...found, detail });
    });
  return [
    route(
      {
        method: 'GET',
        path: '/config/auth-profiles',
        scope: 'admin',
        summary: 'List the auth profiles',
        answer: Type.Array(profile),
      },
      (call) => {
        const views = Object.entries(authProfiles.list()).map(([id, fields]) => view(id, fields));
        return reply(call, views, 200, tag());
      },
    ),
    // An id may have slashes, so it takes the rest of the path; Elysia does not decode a wildcard.
    route(
      { method: 'GET', path: '/config/auth-profiles/*', scope: 'admin', summary: 'Show an auth profile', answer: profile },
      (call, _principal, params) => {
        const id = restOf(params);
        const state = gateway.profileState(id);
        return reply(call, { ...authProfiles.list()[id], id, ...state }, 200, tag());
      },
    ),
    bodyRoute(
      {
        method: 'PUT',
        path: '/config/auth-profiles/*',
        scope: 'admin',
        summary: 'Add or replace an auth profile',
        body: anyObject,
        answer: writtenProfile,
      },
      async (call, principal, body, params) => {
        const id = restOf(params);
        const done = await authProfiles.put(id, body as Json, ifMatchOf(call), requesterOf(call, principal));
        return put({ id, ...done }, call);
      },
    ),
    route(
      { method: 'DELETE', path: '/config/auth-profiles/*', scope: 'admin', summary: 'Remove an auth profile', answer: deleted },
      async (call, principal, params) => {
        const id = restOf(params);
        const { etag } = await authProfiles.remove(id, ifMatchOf(call), requesterOf(call, principal));
        return reply(call, { status: 'ok', deleted: id }, 200, { etag });
      },
    ),
    toggle('enable', 'Enable an auth profile'),
    toggle('disable', 'Disable an auth profile'),
    test('/config/auth-profiles/:id/test', 'Test an auth profile'),
    test('/config/credentials/:id/test', 'The same, as the original program named it'),
    route(
      {
        method: 'GET',
        path: '/config/auth-order',
        scope: 'admin',
        summary: 'The order of auth profiles',
        answer: profileOrderSchema,
      },
      (call) => reply(call, authProfiles.order(), 200, tag()),
    ),
    bodyRoute(
      {
        method: 'PUT',
        path: '/config/auth-order',
        scope: 'admin',
        summary: 'Replace the order of auth profiles',
        body: anyObject,
        answer: written,
      },
      async (call, principal, body) => {
        const { etag, warnings: said } = await authProfiles.putOrder(body as Json, ifMatchOf(call), requesterOf(call, principal));
        return reply(call, { status: 'ok', ...(said.length === 0 ? {} : { warnings: said }) }, 200, { etag });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/config/configured-providers',
        scope: 'admin',
        summary: 'Providers that are configured or usable',
        answer: Type.Array(configuredProvider),
      },
      (call) => reply(call, gateway.configuredProviders(), 200, tag()),
    ),
  ];
}

/** Decoded once: `%252F` is the three characters `%2F`, which no id has. */
function restOf(params: Params): string {
  const text = params['*'] ?? '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
