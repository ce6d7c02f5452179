/** What the reference says of each error: when it comes, and how it reads. */
import { type ErrorCode, type ErrorEnvelope, errorEnvelope, errorStatus, OlaError } from '../../core/errors.ts';
import { mostBodyBytes } from '../body.ts';
import type { Route } from '../route.ts';
import type { Operation } from './operations.ts';

interface Occurrence {
  /** Unless it is sent with the status of the table. */
  readonly status?: number;
  /** The code on the wire, where it is another one. */
  readonly wireCode?: string;
  /** When it comes. */
  readonly when: string;
  /** As ola says it. */
  readonly message: string;
  readonly param?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

const upstream = (status: number) => ({ provider: 'groq', upstream_status: status });
const said = (status: number) => `Upstream provider 'groq' returned HTTP ${status}`;

/** Every code, so that a new one does not go unexplained. */
const occurrences: Readonly<Record<ErrorCode, readonly Occurrence[]>> = {
  invalid_request: [
    {
      when: 'A value cannot be used.',
      message: 'A provider id is 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit.',
      param: 'provider_id',
    },
  ],
  invalid_json: [{ when: 'The body is not JSON.', message: 'The body is not valid JSON.' }],
  conflicting_credentials: [
    { when: 'Two different credentials came at once.', message: 'The request carries two different credentials; send one.' },
  ],
  embeddings_not_supported: [
    {
      when: 'The provider has no embeddings.',
      message:
        "Provider 'deepseek' has no embeddings; name a model of a provider that has, for example `openai/text-embedding-3-small`.",
      param: 'model',
      details: { provider: 'deepseek' },
    },
  ],
  unsafe_destination: [
    {
      when: 'An address may not be called by the egress policy; nothing was saved.',
      message:
        '\'baseUrl\' may not be used: loopback_ip. If it is your own machine or network, send "allowLocal": true. Nothing was saved.',
      param: 'baseUrl',
      details: { provider: 'local', scheme: 'http', host: '127.0.0.1', reason: 'loopback_ip', phase: 'config' },
    },
  ],
  invalid_api_key: [
    {
      when: 'There is no token, or it is not valid.',
      message: 'No valid access token. Send one as `Authorization: Bearer TOKEN`; `ola token create` makes one.',
    },
  ],
  insufficient_scope: [
    {
      when: 'The token may not do this.',
      message: "This needs a token with the scope 'admin'; make one with `ola token create`.",
      details: { required: 'admin' },
    },
  ],
  origin_not_allowed: [
    { when: 'A page of another site asks.', message: 'Requests from pages of other origins are not accepted.' },
  ],
  egress_destination_blocked: [
    {
      when: 'The provider is at an address that may not be called.',
      message:
        'Provider \'local\' may not be called: 127.0.0.1 is this machine. If it is on your own machine or network, set "allowLocal": true for it. (loopback_ip)',
      details: { provider: 'local', scheme: 'http', host: '127.0.0.1', reason: 'loopback_ip', phase: 'dial' },
    },
  ],
  route_not_found: [{ when: 'There is no such path.', message: 'There is nothing at /v2; /docs lists what there is.' }],
  not_found: [
    { when: 'There is none of that name.', message: 'There is no such token; GET /config/tokens lists those there are.' },
  ],
  model_not_found: [
    {
      when: 'No provider that can be used has this model.',
      message: "No usable provider lists 'large'. GET /v1/models shows what can be used; PROVIDER/MODEL names a provider.",
      param: 'model',
    },
  ],
  provider_resolution_failed: [
    { when: 'The provider is unknown, or has no credentials.', message: "Provider 'acme' cannot be used.", param: 'model' },
  ],
  provider_disabled: [
    { when: 'The provider is switched off.', message: "Provider 'groq' is switched off in the configuration.", param: 'model' },
  ],
  method_not_allowed: [{ when: 'The path is served by other methods.', message: 'DELETE is not served here; GET, HEAD is.' }],
  request_timeout: [{ when: 'The body did not come in time.', message: 'The body did not arrive within 60 seconds.' }],
  conflict: [
    {
      when: 'It does not go together with what is there.',
      message: "'demo' is a provider of this process (--demo) and cannot be configured.",
      param: 'provider_id',
    },
  ],
  config_managed_by_file: [
    {
      when: 'A file governs the configuration.',
      message: 'The configuration is managed by ola.jsonc: change that file, it is read at once.',
    },
  ],
  precondition_failed: [
    {
      when: '`If-Match` names a revision that is no longer the newest.',
      message: 'The configuration has changed since it was read; read it again and repeat the change.',
      details: { etag: '"r7"' },
    },
  ],
  request_too_large: [{ when: 'The body is too large.', message: `The body is larger than ${mostBodyBytes / 1024 / 1024} MiB.` }],
  unsupported_media_type: [
    { when: 'The body is of another type.', message: 'Send the body as JSON, with `Content-Type: application/json`.' },
  ],
  host_not_served: [
    {
      when: 'The Host header names another machine.',
      message:
        'This gateway is not known by the name in the Host header. An administrator can add it to publicHosts in the configuration.',
    },
  ],
  invalid_field: [{ when: 'A field does not fit.', message: "'name' does not fit: expected string.", param: 'name' }],
  secret_required: [
    {
      when: 'The address changes, and the stored secret was entered for the old one.',
      message:
        "'providers.local.apiKey' was entered for another address; send it again with the new baseUrl, or leave it out to delete it.",
      param: 'providers.local.apiKey',
      details: { paths: ['providers.local.apiKey'] },
    },
  ],
  client_closed_request: [{ when: 'The client left.', message: 'The connection closed before the body was whole.' }],
  internal_error: [
    {
      when: 'ola failed; its log has the cause.',
      message: 'ola failed to handle this request; the log has the cause under the request id.',
    },
  ],
  upstream_http_error: [
    { when: 'The provider failed.', message: `${said(500)}.`, details: upstream(500) },
    {
      status: 400,
      wireCode: 'context_length_exceeded',
      when: 'The provider refused the request; its own words are passed on.',
      message: `${said(400)}: the prompt is longer than the model's context.`,
      param: 'messages',
      details: upstream(400),
    },
    {
      status: 404,
      when: 'The provider does not have this model.',
      message: `${said(404)}: the model does not exist.`,
      param: 'model',
      details: upstream(404),
    },
    { status: 413, when: 'The provider takes no body of this size.', message: `${said(413)}.`, details: upstream(413) },
    {
      status: 422,
      when: 'The provider refused a field.',
      message: `${said(422)}: temperature must be at most 2.`,
      param: 'temperature',
      details: upstream(422),
    },
    {
      status: 429,
      wireCode: 'rate_limit_exceeded',
      when: 'The provider limits the rate of requests, or its quota is used up.',
      message: `${said(429)}: it limits the rate of requests, or its quota is used up. Try again later.`,
      details: upstream(429),
    },
  ],
  upstream_auth_error: [
    {
      when: 'The provider refuses the credential that ola holds for it.',
      message: `${said(401)}: it refuses the credential that ola holds for it. Your own token is fine; an administrator must look at the provider.`,
      details: upstream(401),
    },
  ],
  upstream_unreachable: [
    {
      when: 'The provider cannot be reached.',
      message:
        "Provider 'local' (127.0.0.1) cannot be reached: nothing accepts connections there. Check the base URL and that the provider is running.",
      details: { provider: 'local', reason: 'connect_failed', sent: false },
    },
  ],
  upstream_truncated: [
    { when: 'The provider’s answer broke off.', message: "Upstream provider 'groq' ended its answer before it was complete." },
  ],
  provider_error: [
    {
      when: 'The provider’s answer is none of this protocol.',
      message: "Upstream provider 'groq' sent an event that is not JSON.",
      details: { provider: 'groq', fault: 'malformed_event' },
    },
  ],
  shutting_down: [{ when: 'It is shutting down.', message: 'This gateway is shutting down; try again in a moment.' }],
  persistence_unavailable: [{ when: 'The database cannot be used.', message: 'The database failed: see the log for the cause.' }],
  upstream_timeout: [
    {
      when: 'The provider took too long.',
      message: "Provider 'groq' (api.groq.com) did not answer in time.",
      details: { provider: 'groq', sent: true },
    },
  ],
};

/** One error as one operation answers it. */
export interface DocumentedError {
  readonly status: number;
  /** Names the example: the code on the wire, with the status where it is not the code's own. */
  readonly name: string;
  readonly code: string;
  readonly when: string;
  readonly envelope: ErrorEnvelope;
}

/** The errors of an operation, by status: those of every route of its kind, and its own. */
export function errorsOf(route: Route, operation: Operation): DocumentedError[] {
  const codes = new Set<ErrorCode>([...commonErrors(route, operation), ...(operation.errors ?? [])]);
  const table = Object.keys(errorStatus) as ErrorCode[];
  return table.filter((code) => codes.has(code)).flatMap((code) => occurrences[code].map((each) => documented(code, each)));
}

function commonErrors({ scope, body, path }: Route, { request }: Operation): readonly ErrorCode[] {
  return [
    'origin_not_allowed',
    'internal_error',
    ...(path === '/health' ? [] : (['host_not_served', 'shutting_down'] as const)),
    ...(scope === 'none' ? [] : (['conflicting_credentials', 'invalid_api_key', 'insufficient_scope'] as const)),
    ...(body === undefined && request === undefined ? [] : bodyErrors(request)),
  ];
}

function bodyErrors(request: Operation['request']): readonly ErrorCode[] {
  const isForm = request?.some(({ type }) => type === 'multipart/form-data') === true;
  const malformed = isForm ? (['invalid_request'] as const) : (['invalid_json', 'invalid_field'] as const);
  return [...malformed, 'request_timeout', 'request_too_large', 'unsupported_media_type'];
}

function documented(code: ErrorCode, { status, wireCode, when, ...words }: Occurrence): DocumentedError {
  const { message, ...facts } = words;
  const error = new OlaError(code, message, {
    ...facts,
    ...(status === undefined ? {} : { status }),
    ...(wireCode === undefined ? {} : { wireCode }),
  });
  const envelope = errorEnvelope(error);
  const own = status === undefined || wireCode !== undefined;
  return {
    status: error.status,
    code: envelope.error.code,
    name: own ? envelope.error.code : `${code}_${status}`,
    when,
    envelope,
  };
}
