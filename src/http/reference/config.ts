/** What the reference says of `/config`, its providers and its keys. */
import { Type } from '@sinclair/typebox';
import { documentSchema, providerSchema } from '../../core/document.ts';
import { etagHeader, ifMatch, type Operation, type Operations, type Parameter, writeErrors } from './operations.ts';

/** Stands in the examples where a vendor's key belongs. */
const yourKey = 'gsk_replace_this_by_your_key';
const ownServer = { baseUrl: 'http://127.0.0.1:8000/v1', allowLocal: true, authHeader: false, models: [{ id: 'llama' }] };
const vendorByKey = 'A vendor by its key';
const serverHere = 'A server on this machine that needs no key';
const otherServer = 'Any other server that speaks OpenAI’s API';
const shownProviders = { groq: { apiKey: '[REDACTED]', hint: 'gsk_****_key' }, local: ownServer };
const defaultModel = 'groq/llama-3.3-70b-versatile';

const documentRequest = {
  schema: documentSchema,
  examples: {
    'A vendor, a server of your own, a default model': {
      providers: { groq: { apiKey: yourKey }, local: ownServer },
      defaultModel,
    },
    'How long records are kept, and a public host name': {
      usage: { retentionDays: 90 },
      audit: { retentionDays: 365 },
      publicHosts: ['ola.example'],
    },
    'Nothing configured': {},
  },
};

/** In a write, null deletes what is stored. */
const providerChange = Type.Object(
  Object.fromEntries(
    Object.entries(providerSchema.properties).map(([name, schema]) => [name, Type.Optional(Type.Union([schema, Type.Null()]))]),
  ),
  { $id: 'ProviderChange', additionalProperties: true, description: 'A provider as it shall be; `null` deletes a field.' },
);
const id: Parameter = {
  name: 'id',
  in: 'path',
  description: 'An id of the catalog (`openai`, `groq`, `deepseek`, ...) or one of your own: `a-z`, `0-9`, `.`, `_`, `-`.',
  schema: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  example: 'groq',
};

const toggle = (verb: 'enable' | 'disable', description: string): Operation => ({
  id: `${verb}Provider`,
  tag: 'Providers',
  description,
  parameters: [id, ifMatch],
  answers: [
    {
      description: `The provider is switched ${verb === 'enable' ? 'on' : 'off'}.`,
      headers: etagHeader,
      example: { status: 'ok', provider: 'groq', effectiveUrl: 'https://api.groq.com/openai/v1/chat/completions' },
    },
  ],
  errors: ['not_found', ...writeErrors],
});

export const configOperations: Operations = {
  'PUT /config/providers/:id': {
    id: 'putProvider',
    tag: 'Providers',
    description:
      'A provider of the catalog needs its key only. Any other provider needs a `baseUrl`, the path up to and including `/v1`; it may have a query without secrets (`?api-version=…`), which goes behind the path of each call. `effectiveUrl` of the answer is the URL of a chat. With `allowLocal` the address may be on this machine or in a private network.\n\n' +
      'The call replaces the provider. When the body does not have them, the key, each header, `models` and fields that ola does not know stay as they are; `null` deletes a field. ola sends a stored key only to the address that it was entered for: if you change `baseUrl`, send the key again.',
    parameters: [id, ifMatch],
    request: {
      schema: providerChange,
      examples: {
        [vendorByKey]: { apiKey: yourKey },
        [serverHere]: ownServer,
        [otherServer]: {
          baseUrl: 'https://models.example/v1',
          apiKey: yourKey,
          headers: { 'X-Team': 'docs' },
          models: [{ id: 'large', contextWindow: 131072 }],
        },
      },
      fitting: { [vendorByKey]: { id: 'groq' }, [serverHere]: { id: 'local' }, [otherServer]: { id: 'models' } },
    },
    answers: [
      {
        description: 'The provider can be called from now on.',
        headers: etagHeader,
        example: { status: 'ok', provider: 'groq', effectiveUrl: 'https://api.groq.com/openai/v1/chat/completions' },
      },
    ],
    errors: ['invalid_request', 'unsafe_destination', 'secret_required', 'conflict', ...writeErrors],
  },
  'GET /config/providers': {
    id: 'listProviders',
    tag: 'Providers',
    description:
      'The providers of the configuration. Providers whose key is in the environment are among `states` alone, which says what can be used now.',
    answers: [
      {
        description: 'The providers, secrets redacted, with a hint of each key.',
        headers: etagHeader,
        example: {
          providers: shownProviders,
          modelsProviders: {},
          models_providers: {},
          states: [{ id: 'groq', usable: true, keys: ['stored'], why: null }],
        },
      },
    ],
  },
  'GET /config/builtin-providers': {
    id: 'listBuiltinProviders',
    tag: 'Providers',
    description:
      'What ola knows of vendors and hosts without any configuration, also those whose protocol this version does not speak. With `needsBaseUrl` a provider has to be configured with an address of your own.',
    answers: [
      {
        description: 'The catalog.',
        example: {
          providers: [
            {
              id: 'xai',
              name: 'xAI',
              aliases: ['x-ai', 'grok'],
              endpoints: [
                { api: 'openai-completions', baseUrl: 'https://api.x.ai/v1', callable: true },
                { api: 'openai-responses', baseUrl: 'https://api.x.ai/v1', callable: false },
              ],
              envVars: ['XAI_API_KEY'],
              local: false,
              needsBaseUrl: false,
              callable: true,
            },
          ],
        },
      },
    ],
  },
  'GET /config/providers/:id/models': {
    id: 'listProviderModels',
    tag: 'Providers',
    description:
      'The models of one provider, usable or not, in the fields in which they are configured. A server of your own is asked for its models if the configuration lists none for it; the answer waits for it a second at most.',
    parameters: [id],
    answers: [
      {
        description: 'The models, and whether the provider can be used now.',
        example: {
          provider: 'groq',
          usable: true,
          why: null,
          models: [
            {
              id: 'llama-3.3-70b-versatile',
              contextWindow: 131_072,
              maxTokens: 32_768,
              input: ['text'],
              reasoning: false,
              cost: { input: 0.59, output: 0.79 },
              source: 'catalog',
            },
          ],
        },
      },
    ],
    errors: ['not_found'],
  },
  'POST /config/providers/:id/enable': toggle('enable', 'Calls may use the provider again.'),
  'POST /config/providers/:id/disable': toggle(
    'disable',
    'No call uses the provider any more: one that names it gets `provider_disabled`, and a fallback to it is passed over. Its keys stay stored.',
  ),
  'DELETE /config/providers/:id': {
    id: 'deleteProvider',
    tag: 'Providers',
    description: 'As long as a revision holds the provider, a rollback restores it with its key.',
    parameters: [id, ifMatch],
    answers: [{ description: 'The provider is removed.', headers: etagHeader, example: { status: 'ok', deleted: 'groq' } }],
    errors: ['invalid_request', 'not_found', 'conflict', ...writeErrors],
  },
  'GET /config': {
    id: 'getConfig',
    tag: 'Configuration',
    description: 'The whole document. Secrets read `[REDACTED]`; a write that sends `[REDACTED]` back keeps the secret.',
    answers: [
      {
        description: 'The configuration in force.',
        headers: etagHeader,
        example: { providers: shownProviders, defaultModel },
      },
    ],
  },
  'POST /config': {
    id: 'replaceConfig',
    tag: 'Configuration',
    description:
      'Replaces the whole document, or changes nothing: its fields and every address in it are checked first. Field names may be in camelCase or snake_case.',
    parameters: [ifMatch],
    request: documentRequest,
    answers: [
      {
        description: 'The document is in force, as a new revision. `warnings` is absent when there are none.',
        headers: etagHeader,
        example: {
          status: 'ok',
          warnings: [{ path: 'defaultModl', reason: 'ola does not know this key; it is kept as it is' }],
        },
      },
    ],
    errors: ['unsafe_destination', 'secret_required', 'conflict', ...writeErrors],
  },
  'POST /config/validate': {
    id: 'validateConfig',
    tag: 'Configuration',
    description: 'Checks a document as `POST /config` does, and writes nothing.',
    request: documentRequest,
    answers: [{ description: 'The document would be accepted.', example: { status: 'ok', warnings: [] } }],
    errors: ['unsafe_destination', 'secret_required', 'conflict'],
  },
  'GET /config/config-file-path': {
    id: 'getConfigPlace',
    tag: 'Configuration',
    answers: [
      {
        description: 'Paths on the machine that ola runs on.',
        example: {
          configDir: '/home/me/.open_llm_auth',
          config_dir: '/home/me/.open_llm_auth',
          configFile: '/home/me/.open_llm_auth/config.json',
          config_file: '/home/me/.open_llm_auth/config.json',
          database: '/home/me/.open_llm_auth/runtime_state.sqlite3',
          mode: 'database',
          problem: null,
        },
      },
    ],
  },
  'POST /config/keys/rotate': {
    id: 'rotateMasterKey',
    tag: 'Configuration',
    description:
      'Seals all stored secrets with a new master key while ola runs. Backups that were made before need the old key; `notes` says where it is kept.',
    answers: [
      {
        description: 'All secrets are sealed with the new key.',
        example: {
          status: 'ok',
          keyId: '5e8a1c02',
          source: '/home/me/.open_llm_auth/master.key',
          resealed: 2,
          dropped: ['91b3d7f4'],
          retiredTo: '/home/me/.open_llm_auth/master.key.retired',
          kept: [],
          damaged: [],
          notes: [
            'Backups made before this need the retired key (91b3d7f4), kept in /home/me/.open_llm_auth/master.key.retired: keep that as long as you keep them.',
          ],
        },
      },
    ],
    errors: ['conflict', 'persistence_unavailable'],
  },
};
