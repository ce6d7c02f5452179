/** What the reference says of each error: when it comes, and an example of it. */
import { Type } from '@sinclair/typebox';
import type { EgressDenial } from '../../core/egress.ts';
import { asOlaError, type ErrorCode, type ErrorOptions, errorEnvelope, errorStatus, OlaError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { FailureKind, UpstreamFailure } from '../../core/protocol.ts';
import { compileCheck } from '../../core/schema.ts';
import { newTokenSchema } from '../../core/tokens.ts';
import { authorize, proxyKey } from '../../gateway/access/access.ts';
import { shuttingDown } from '../../gateway/access/limits.ts';
import { conflictingCredentials, refusals } from '../../gateway/access/refusals.ts';
import { brokenOff, refused } from '../../gateway/inference/failures.ts';
import { hostNotServed, originNotAllowed } from '../admission.ts';
import { noJson, noJsonType, tooLarge, tooSlow } from '../body.ts';
import type { Route } from '../route.ts';
import type { DocumentedCode, Operation } from './operations.ts';

/** The envelope of ola's own routes, OpenAI's. */
export const errorSchema = Type.Object(
  {
    error: Type.Object({
      message: Type.String({ description: 'what went wrong, and what to do next' }),
      type: Type.Union(
        ['invalid_request_error', 'authentication_error', 'permission_error', 'rate_limit_error', 'api_error'].map((name) =>
          Type.Literal(name),
        ),
      ),
      param: Type.Union([Type.String(), Type.Null()], { description: 'the field that is wrong, dotted' }),
      code: Type.String({ description: 'for programs: it does not change' }),
      details: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'more facts; they depend on the code' })),
    }),
  },
  { $id: 'ErrorEnvelope', description: 'Every error of ola but those of other vendors’ wire formats.' },
);

const codes = Object.keys(errorStatus) as ErrorCode[];

/** When an error comes, and the error. */
type Occurrence = readonly [when: string, error: OlaError];

function thrownBy(act: () => unknown): OlaError {
  try {
    act();
  } catch (thrown) {
    return asOlaError(thrown);
  }
  throw new Error('an example of an error was not thrown');
}

const failureOf = (status: number, kind: FailureKind, message: string | null = null, param: string | null = null) =>
  ({ status, kind, message, param, code: null, retryAfterMs: null, body: null }) satisfies UpstreamFailure;
const upstream = (...failure: Parameters<typeof failureOf>) =>
  refused({
    provider: 'groq',
    path: '/chat/completions',
    lacksVersion: false,
    nearest: () => [],
    failure: failureOf(...failure),
    passed: null,
    inside: false,
    header: () => null,
    now: 0,
    redact: (text) => text,
    retryStatuses: null,
  }).error;

/** Errors whose makers can be called here. */
const made: readonly Occurrence[] = [
  ['The body is not JSON.', noJson('{')],
  ['The request carries two different access tokens of ola.', conflictingCredentials],
  ['There is no token, or it is not valid.', refusals.invalid],
  ['The token does not have the scope that the route needs.', thrownBy(() => authorize(proxyKey, 'admin'))],
  ['The request comes from a page of another origin.', originNotAllowed()],
  ['The body did not arrive in time.', tooSlow()],
  ['The body is too large.', tooLarge()],
  ['The body has another content type.', noJsonType()],
  ['The Host header names another machine.', hostNotServed()],
  ['A field does not fit.', thrownBy(() => compileCheck(newTokenSchema)({ name: 7 }))],
  ['ola failed; the log has the cause.', asOlaError(null)],
  ['The provider failed.', upstream(500, 'server_error')],
  [
    'The provider refused the request; its own message is passed on.',
    upstream(400, 'context_overflow', "the prompt is longer than the model's context.", 'messages'),
  ],
  ['The provider does not have this model.', upstream(404, 'invalid_request', 'the model does not exist.', 'model')],
  ['The provider takes no body of this size.', upstream(413, 'invalid_request')],
  ['The provider refused a field.', upstream(422, 'invalid_request', 'temperature must be at most 2.', 'temperature')],
  ['The provider limits the rate of requests, or its quota is used up.', upstream(429, 'rate_limit')],
  ['The provider refused the credential that ola holds for it.', upstream(401, 'auth')],
  ['The answer of the provider broke off.', brokenOff('groq', null).error],
  ['The answer of the provider does not follow the protocol.', upstream(200, 'malformed', 'answered something that is not JSON')],
  ['ola is shutting down.', shuttingDown()],
  ['The provider took too long.', upstream(504, 'timeout')],
];

const denial = (details: EgressDenial) => ({ details: { ...details } });
const ofModel = (details?: Readonly<Record<string, unknown>>) => ({ param: 'model', ...(details && { details }) });

/** The others, in the words of their makers: test/http/errors.test.ts compares them with the errors that clients get. */
const worded: readonly (readonly [when: string, code: ErrorCode, message: string, facts?: ErrorOptions])[] = [
  [
    'A value cannot be used.',
    'invalid_request',
    'A name of a snapshot has 1 to 128 characters, no `/`, no `\\`, no `..` and no control characters.',
    { param: 'name' },
  ],
  [
    'The egress policy forbids an address; nothing was saved.',
    'unsafe_destination',
    '\'baseUrl\' may not be used: 127.0.0.1 is this machine. If it is on your own machine or network, set "allowLocal": true for this provider. Nothing was saved.',
    {
      param: 'baseUrl',
      ...denial({ provider: 'local', scheme: 'http', host: '127.0.0.1', reason: 'loopback_ip', phase: 'write' }),
    },
  ],
  [
    'The provider has no embeddings.',
    'embeddings_not_supported',
    "Provider 'deepseek' has no embeddings; name a model of a provider that has, for example `openai/text-embedding-3-small`.",
    ofModel({ provider: 'deepseek' }),
  ],
  [
    'The egress policy forbids the address of the provider.',
    'egress_destination_blocked',
    'Provider \'local\' may not be called: models.inside.example resolves to an address that is in a private network. If it is on your own machine or network, set "allowLocal": true for this provider. (resolved_private_ip)',
    denial({ provider: 'local', scheme: 'https', host: 'models.inside.example', reason: 'resolved_private_ip', phase: 'dial' }),
  ],
  ['There is nothing with this id or name.', 'not_found', 'There is no such token; GET /config/tokens lists those there are.'],
  [
    'No provider that can be used has this model.',
    'model_not_found',
    "No usable provider lists 'large'. GET /v1/models shows what can be used; PROVIDER/MODEL names a provider.",
    ofModel({ candidates: [] }),
  ],
  [
    'The provider is unknown, or has no credentials.',
    'provider_resolution_failed',
    "Provider 'openai' has no usable credential. Set OPENAI_API_KEY and restart, or send its apiKey (authHeader false if it needs none) with `PUT /config/providers/openai`.",
    ofModel(),
  ],
  ['The provider is switched off.', 'provider_disabled', "Provider 'groq' is switched off in the configuration.", ofModel()],
  [
    'Every credential of the model cools down.',
    'all_credentials_cooling_down',
    "Every credential for 'groq/llama-3.3-70b-versatile' is cooling down after refusals of its upstream; the first may be tried again in 30 s. An administrator sees them with GET /config/cooldowns.",
    { details: { provider: 'groq', model: 'llama-3.3-70b-versatile', until: '2026-11-21T09:00:30.000Z', credentials: 1 } },
  ],
  [
    'The change conflicts with the present state.',
    'conflict',
    "Another access token has the id 'ci'. Give this one another id, or revoke the other token first.",
    { param: 'authorization.tokens', details: { id: 'ci' } },
  ],
  [
    'A file governs the configuration.',
    'config_managed_by_file',
    'The configuration is managed by /etc/ola/config.json: change that file, it is read at once.',
    { details: { file: '/etc/ola/config.json' } },
  ],
  [
    '`If-Match` names a revision that is no longer the newest.',
    'precondition_failed',
    'The configuration has changed since it was read; read it again and repeat the change.',
    { details: { etag: '"r7"' } },
  ],
  [
    'The address of a provider changes, and its secret was entered for the old one.',
    'secret_required',
    "'apiKey' was entered for another address; send it again with the new baseUrl, or send null to delete it. On the command line: `ola config set providers.acme --stdin`, with the whole entry as JSON.",
    { param: 'apiKey', details: { paths: ['apiKey'] } },
  ],
  [
    'The provider cannot be reached.',
    'upstream_unreachable',
    "Provider 'local' (127.0.0.1) cannot be reached: nothing accepts connections there. Check the base URL and that the provider is running.",
    { details: { provider: 'local', reason: 'connect_failed', sent: false } },
  ],
  [
    'ola has no such call.',
    'not_implemented',
    'ola does not pull models: the models are at their vendors, and ola keeps no files of them. An administrator adds providers and models.',
  ],
  ['The database cannot be used.', 'persistence_unavailable', 'The database failed: the disk is full: free some space.'],
];

/** In the order of the table of codes. */
const occurrences: readonly Occurrence[] = [
  ...made,
  ...worded.map(([when, code, message, facts]): Occurrence => [when, new OlaError(code, message, facts)]),
].toSorted(([, one], [, other]) => codes.indexOf(one.code) - codes.indexOf(other.code));

/** One error as one operation answers it. */
export interface DocumentedError {
  readonly status: number;
  /** Names the example: the code on the wire, with the status where the status is not the code's own. */
  readonly name: string;
  /** The same in front of which the form of the envelope stands, where it is not ola's own. */
  readonly component: string;
  readonly code: string;
  readonly when: string;
  readonly envelope: Json;
}

/** The errors of an operation: those of every route of its kind, and its own. */
export function errorsOf(route: Route, operation: Operation): DocumentedError[] {
  const codes = new Set<ErrorCode>([...commonErrors(route, operation), ...(operation.errors ?? [])]);
  const { errorForm } = operation;
  const bodyOf = errorForm === undefined || route.errorBody === undefined ? ownBody : route.errorBody;
  const prefix = bodyOf === ownBody ? '' : `${errorForm?.name}.`;
  return occurrences.filter(([, { code }]) => codes.has(code)).map((each) => documented(each, prefix, bodyOf));
}

const ownBody = (error: OlaError): string => JSON.stringify(errorEnvelope(error));

function commonErrors({ scope, body, path }: Route, { request }: Operation): readonly DocumentedCode[] {
  const isForm = request?.type === 'multipart/form-data';
  return [
    'origin_not_allowed',
    'internal_error',
    ...(path === '/health' ? [] : (['host_not_served', 'shutting_down'] as const)),
    ...(scope === 'none' ? [] : (['conflicting_credentials', 'invalid_api_key'] as const)),
    ...(scope === 'none' || scope === 'any' ? [] : (['insufficient_scope'] as const)),
    ...(isForm ? (['invalid_request'] as const) : []),
    ...(body === undefined ? [] : (['invalid_json', 'invalid_field'] as const)),
    ...(isForm || body !== undefined ? (['request_timeout', 'request_too_large', 'unsupported_media_type'] as const) : []),
  ];
}

function documented([when, error]: Occurrence, prefix: string, bodyOf: (error: OlaError) => string): DocumentedError {
  const { code } = errorEnvelope(error).error;
  const isOwn = error.status === errorStatus[error.code] || error.facts.wireCode !== undefined;
  const name = isOwn ? code : `${code}_${error.status}`;
  return { status: error.status, code, name, component: prefix + name, when, envelope: JSON.parse(bodyOf(error)) as Json };
}
