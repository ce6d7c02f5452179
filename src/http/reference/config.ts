/** What the reference says of `/config` and `/config/providers`. */
import { Type } from '@sinclair/typebox';
import { documentSchema, providerSchema } from '../../core/document.ts';
import type { Json } from '../../core/json.ts';
import type { Operations } from './operations.ts';
import { etagHeader, ifMatch, json, ok, warnings, writeErrors } from './shapes.ts';

const written = Type.Object({ status: ok, warnings: Type.Optional(warnings) });
const isWritten = { done: { summary: 'In force', value: { status: 'ok' } } };
const withWarning = {
  warned: {
    summary: 'In force, with a word on a key',
    value: { status: 'ok', warnings: [{ path: 'defaultModl', reason: 'ola does not know this key; it is kept as it is' }] },
  },
};

/** Stands in the examples where a vendor's key belongs. */
const yourKey = 'gsk_replace_this_by_your_key';
const ownServer = {
  baseUrl: 'http://127.0.0.1:8000/v1',
  allowLocal: true,
  authHeader: false,
  models: [{ id: 'llama' }],
};
const shown: Json = {
  providers: { groq: { apiKey: '[REDACTED]', hint: 'gsk_****_key' }, local: ownServer },
  defaultModel: 'groq/llama-3.3-70b-versatile',
};
const documentExamples = {
  providers: {
    summary: 'A vendor, a server of your own, a default model',
    value: {
      providers: { groq: { apiKey: yourKey }, local: ownServer },
      defaultModel: 'groq/llama-3.3-70b-versatile',
    },
  },
  limits: {
    summary: 'How long records are kept, which names are served',
    value: { usage: { retentionDays: 90 }, audit: { retentionDays: 365 }, publicHosts: ['ola.example'] },
  },
  empty: { summary: 'Nothing configured', value: {} },
};

const providerMap = Type.Record(Type.String(), providerSchema, { description: 'providers by id' });
const idParameter = {
  name: 'id',
  in: 'path',
  description: 'An id of the catalog (`openai`, `groq`, `deepseek`, ...) or one of your own: `a-z`, `0-9`, `.`, `_`, `-`.',
  schema: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  example: 'groq',
} as const;
const [wrongId, wrongDestination] = ['invalid_request', 'unsafe_destination'] as const;

/** In a write, null deletes what is stored. */
const providerChange = Type.Object(
  Object.fromEntries(
    Object.entries(providerSchema.properties).map(([name, schema]) => [name, Type.Optional(Type.Union([schema, Type.Null()]))]),
  ),
  { $id: 'ProviderChange', additionalProperties: true, description: 'a provider as it is to be; `null` deletes a field' },
);

export const configOperations: Operations = {
  'PUT /config/providers/:id': {
    id: 'putProvider',
    tag: 'Providers',
    description:
      'A provider of the catalog needs its key and nothing else. Any other needs a `baseUrl`, the path up to and including `/v1`; `allowLocal` lets it be on this machine or in a private network.\n\n' +
      'The call replaces what is configured, except that an absent key or header keeps the stored one, as do `models` and keys that ola does not know; `null` deletes. A stored key goes to the address alone that it was entered for: with another `baseUrl`, send the key again.',
    parameters: [idParameter, ifMatch],
    request: json(providerChange, {
      vendor: { summary: 'A vendor by its key; the id is groq', value: { apiKey: yourKey } },
      local: { summary: 'A server on this machine that needs no key; take an id of your own, such as local', value: ownServer },
      remote: {
        summary: 'Any other server that speaks OpenAI’s API; take an id of your own',
        value: {
          baseUrl: 'https://models.example/v1',
          apiKey: yourKey,
          headers: { 'X-Team': 'docs' },
          models: [{ id: 'large', contextWindow: 131072 }],
        },
      },
    }),
    answers: [
      {
        status: 200,
        description: 'Calls can go there from now on.',
        headers: etagHeader,
        content: json(
          Type.Object({
            status: ok,
            provider: Type.String({ description: 'its id, freed of aliases' }),
            warnings: Type.Optional(warnings),
          }),
          {
            added: { summary: 'Added', value: { status: 'ok', provider: 'groq' } },
          },
        ),
      },
    ],
    errors: [wrongId, wrongDestination, 'secret_required', 'conflict', ...writeErrors],
  },
  'GET /config/providers': {
    id: 'listProviders',
    tag: 'Providers',
    description:
      'Those that are configured here; keys from the environment do not show. `GET /v1/models` lists what can be used.',
    answers: [
      {
        status: 200,
        description: 'As configured, secrets redacted, with a hint of each key.',
        headers: etagHeader,
        content: json(Type.Object({ providers: providerMap, modelsProviders: providerMap, models_providers: providerMap }), {
          two: {
            summary: 'Two providers',
            value: {
              providers: { groq: { apiKey: '[REDACTED]', hint: 'gsk_****_key' }, local: ownServer },
              modelsProviders: {},
              models_providers: {},
            },
          },
        }),
      },
    ],
  },
  'DELETE /config/providers/:id': {
    id: 'deleteProvider',
    tag: 'Providers',
    description: 'A rollback brings it back with its key, as long as a revision has it.',
    parameters: [idParameter, ifMatch],
    answers: [
      {
        status: 200,
        description: 'Nothing goes there any more.',
        headers: etagHeader,
        content: json(Type.Object({ status: ok, deleted: Type.String() }), {
          gone: { summary: 'Removed', value: { status: 'ok', deleted: 'groq' } },
        }),
      },
    ],
    errors: [wrongId, 'not_found', 'conflict', ...writeErrors],
  },
  'GET /config': {
    id: 'getConfig',
    tag: 'Configuration',
    description: 'The whole document. Secrets read `[REDACTED]`; sent back so, they stay as they are.',
    answers: [
      {
        status: 200,
        description: 'The configuration that is in force.',
        headers: etagHeader,
        content: json(documentSchema, { shown: { summary: 'Secrets redacted', value: shown } }),
      },
    ],
  },
  'POST /config': {
    id: 'replaceConfig',
    tag: 'Configuration',
    description:
      'Replaces the whole document, at once or not at all: schema and every address in it are judged first. Names of fields may be written in camelCase or snake_case.',
    parameters: [ifMatch],
    request: json(documentSchema, documentExamples),
    answers: [
      {
        status: 200,
        description: 'In force; a revision was made.',
        headers: etagHeader,
        content: json(written, { ...isWritten, ...withWarning }),
      },
    ],
    errors: [wrongDestination, 'secret_required', 'conflict', ...writeErrors],
  },
  'POST /config/validate': {
    id: 'validateConfig',
    tag: 'Configuration',
    description: 'Says whether `POST /config` would take it now, and what it would say.',
    request: json(documentSchema, documentExamples),
    answers: [
      {
        status: 200,
        description: 'It would be taken.',
        content: json(Type.Object({ status: ok, warnings }), {
          fine: { summary: 'Nothing to say', value: { status: 'ok', warnings: [] } },
        }),
      },
    ],
    errors: [wrongDestination, 'secret_required', 'conflict'],
  },
  'GET /config/config-file-path': {
    id: 'getConfigPlace',
    tag: 'Configuration',
    answers: [
      {
        status: 200,
        description: 'Paths on the machine that ola runs on.',
        content: json(
          Type.Object({
            configDir: Type.String({ description: 'the home' }),
            config_dir: Type.String({ description: 'the same' }),
            configFile: Type.String({ description: 'the file that governs, or would' }),
            config_file: Type.String({ description: 'the same' }),
            database: Type.String(),
            mode: Type.Union([Type.Literal('database'), Type.Literal('file')], { description: 'which of the two governs' }),
          }),
          {
            home: {
              summary: 'The database governs',
              value: {
                configDir: '/home/me/.open_llm_auth',
                config_dir: '/home/me/.open_llm_auth',
                configFile: '/home/me/.open_llm_auth/config.json',
                config_file: '/home/me/.open_llm_auth/config.json',
                database: '/home/me/.open_llm_auth/runtime_state.sqlite3',
                mode: 'database',
              },
            },
          },
        ),
      },
    ],
  },
};
