/** What the reference says of auth profiles, their order, and the providers they belong to. */
import { Type } from '@sinclair/typebox';
import { profileOrderSchema, profileSchema } from '../../core/document.ts';
import { etagHeader, ifMatch, type Operation, type Operations, type Parameter, writeErrors } from './operations.ts';

const example = 'groq:work';
const id: Parameter = {
  name: 'id',
  in: 'path',
  description: 'The id of a profile, usually `provider:name`: `A-Z`, `a-z`, `0-9`, `._@+:-`, and `/` after the first `:`.',
  schema: Type.String({ pattern: '^[A-Za-z0-9._@+-]*(:[A-Za-z0-9._@+:/-]*)?$', maxLength: 128 }),
  example,
};
/** Behind the id the path goes on, so that a slash in it is written as `%2F`. */
const encodedId: Parameter = { ...id, description: `${id.description} Write \`/\` as \`%2F\`.` };
const path = '/config/auth-profiles/{id}';
const shown = { provider: 'groq', type: 'api_key', key: '[REDACTED]', hint: 'gsk_****_key' };
const usable = { usable: true, reason: null, why: null };
const disabled = { usable: false, reason: 'disabled', why: 'is disabled' };
const notFound = ['invalid_request', 'not_found'] as const;

/** In a write, null deletes what is stored. */
const profileChange = Type.Object(
  Object.fromEntries(
    Object.entries(profileSchema.properties).map(([name, schema]) => [
      name,
      name === 'provider' || name === 'type' ? schema : Type.Optional(Type.Union([schema, Type.Null()])),
    ]),
  ),
  { $id: 'AuthProfileChange', additionalProperties: true, description: 'A profile as it shall be; `null` deletes a field.' },
);

const toggle = (verb: 'enable' | 'disable', description: string): Operation => ({
  id: `${verb}AuthProfile`,
  tag: 'Auth profiles',
  description,
  parameters: [encodedId, ifMatch],
  answers: [
    {
      description: `The profile is ${verb}d.`,
      headers: etagHeader,
      example: { status: 'ok', profile: example, ...(verb === 'enable' ? usable : disabled) },
    },
  ],
  errors: [...notFound, ...writeErrors],
});

const test = (operation: string): Operation => ({
  id: operation,
  tag: 'Auth profiles',
  description:
    'One call: the provider is asked for its models with the secret of the profile. The answer is 200 whatever the provider said; `outcome` tells. A profile that cannot be used is 409 with the reason.',
  parameters: [encodedId],
  answers: [
    {
      description: 'What came of the call.',
      example: {
        status: 'error',
        outcome: 'refused',
        profile: example,
        provider: 'groq',
        detail: 'It refused the credential with HTTP 401. Enter the secret again, or look at the account.',
      },
    },
  ],
  errors: ['not_found', 'conflict'],
});

export const authProfileOperations: Operations = {
  'PUT /config/auth-profiles/*': {
    id: 'putAuthProfile',
    tag: 'Auth profiles',
    path,
    description:
      'A profile is a named credential of a provider, which may have several. Calls use them in the order of `/config/auth-order`, before the keys of the environment and of the provider; `provider:name/model` as the model or the header `X-Auth-Profile` uses one alone.\n\n' +
      'The call replaces the profile. When the body does not have them, its secrets and fields that ola does not know stay as they are; `null` deletes a field. ola sends a secret only to the address that it was entered for: if you change `baseUrl` or `provider`, send the secret again.',
    parameters: [id, ifMatch],
    request: {
      schema: profileChange,
      examples: {
        'A second key': { provider: 'groq', type: 'api_key', key: 'gsk_replace_this_by_your_key' },
        'A token that expires': { provider: 'groq', type: 'token', token: 'replace_this_by_your_token', expires: 4102444800000 },
      },
      fitting: { 'A second key': { id: example }, 'A token that expires': { id: 'groq:token' } },
    },
    answers: [
      {
        description: 'The profile is stored. `usable` says whether calls can be made with it.',
        headers: etagHeader,
        example: { status: 'ok', profile: example, ...usable },
      },
    ],
    errors: ['invalid_request', 'unsafe_destination', 'secret_required', 'conflict', ...writeErrors],
  },
  'GET /config/auth-profiles': {
    id: 'listAuthProfiles',
    tag: 'Auth profiles',
    answers: [
      {
        description:
          'The profiles, secrets redacted, with a hint of each, and whether they can be used. A profile of the type `oauth` has `renewal`, the state of the renewal of its tokens.',
        headers: etagHeader,
        example: [{ id: example, ...shown, ...usable }],
      },
    ],
  },
  'GET /config/auth-profiles/*': {
    id: 'getAuthProfile',
    tag: 'Auth profiles',
    path,
    parameters: [id],
    answers: [{ description: 'The profile.', headers: etagHeader, example: { id: example, ...shown, ...usable } }],
    errors: ['not_found'],
  },
  'DELETE /config/auth-profiles/*': {
    id: 'deleteAuthProfile',
    tag: 'Auth profiles',
    path,
    description: 'The profile also leaves every order. As long as a revision holds it, a rollback restores it with its secrets.',
    parameters: [id, ifMatch],
    answers: [{ description: 'The profile is removed.', headers: etagHeader, example: { status: 'ok', deleted: example } }],
    errors: [...notFound, ...writeErrors],
  },
  'POST /config/auth-profiles/:id/enable': toggle('enable', 'Calls may use the profile again.'),
  'POST /config/auth-profiles/:id/disable': toggle('disable', 'The profile stays stored, and no call uses it.'),
  'POST /config/auth-profiles/:id/test': test('testAuthProfile'),
  'POST /config/credentials/:id/test': test('testCredential'),
  'GET /config/auth-order': {
    id: 'getAuthOrder',
    tag: 'Auth profiles',
    answers: [
      {
        description: 'Profile ids in the order they are tried, by provider. A provider without an order is not in it.',
        headers: etagHeader,
        example: { groq: [example] },
      },
    ],
  },
  'PUT /config/auth-order': {
    id: 'putAuthOrder',
    tag: 'Auth profiles',
    description:
      'Replaces all orders. Profiles that an order names are tried first, in that order; then the others of the provider: logins before tokens before keys. An empty list excludes the profiles of the provider. `work` is short for `provider:work`.',
    parameters: [ifMatch],
    request: { schema: profileOrderSchema, examples: { 'One profile first': { groq: [example] }, 'No order': {} } },
    answers: [{ description: 'The orders are in force.', headers: etagHeader, example: { status: 'ok' } }],
    errors: writeErrors,
  },
  'GET /config/configured-providers': {
    id: 'listConfiguredProviders',
    tag: 'Providers',
    description: 'Also the providers whose key is in the environment, and those with a key that cannot be used.',
    answers: [
      {
        description: 'The providers, each with its address, its keys, and whether it can be used.',
        headers: etagHeader,
        example: [
          {
            id: 'groq',
            usable: true,
            keys: ['profile:groq:work'],
            why: null,
            baseUrl: 'https://api.groq.com/openai/v1',
            api: 'openai-completions',
            auth: 'api-key',
            isBuiltin: true,
            customConfig: { apiKey: '[REDACTED]', hint: 'gsk_****_key' },
            authProfileCount: 1,
          },
        ],
      },
    ],
  },
};
