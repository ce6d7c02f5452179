/**
 * The configuration document: its schema, written once for file, API, docs and command line. Annotations beside the types:
 * `x-secret`: a secret, kept in the vault and never shown; `x-plain`: a secret that may stand in clear in a file all the
 * same; `x-later`: kept, and not acted on by this version.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { scopes } from './access.ts';
import { credentialStyles, regionShape } from './providers.ts';

const authKinds = ['api-key', 'aws-sdk', 'oauth', 'token', 'cli'] as const;
const profileTypes = ['api_key', 'token', 'oauth', 'cli', 'aws-sdk', 'gcp'] as const;

const open = { additionalProperties: true } as const;
const secret = (description: string): TSchema => Type.String({ 'x-secret': true, description });
const text = (description: string) => Type.String({ description });
const flag = (description: string) => Type.Boolean({ description });
const words = (description: string) => Type.Array(Type.String(), { description });
const count = (minimum: number, description: string, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ minimum, maximum, description });
const baseUrl = (description: string) => Type.String({ minLength: 1, maxLength: 2048, description });
const port = Type.Integer({ minimum: 1, maximum: 65535 });
const literals = <T extends readonly string[]>(values: T, description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value as T[number])),
    { description },
  );
/** A section that a later version acts on: what is in it is kept, strings in it are taken for secrets. */
const later = (description: string) => Type.Object({}, { ...open, 'x-later': true, description });

/** At most a dollar a token: a larger number is a mistake of the unit. */
const dollars = (description: string) => Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000, description }));
const costSchema = Type.Object(
  {
    input: dollars('of the prompt'),
    output: dollars('of the answer'),
    cacheRead: dollars('of the part of the prompt that was read from the cache'),
    cacheWrite: dollars('of the part of the prompt that was written to the cache'),
  },
  { ...open, description: 'dollars a million tokens' },
);

const modelSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 256, description: 'the id the upstream knows' }),
    name: Type.Optional(Type.String({ description: 'for people' })),
    contextWindow: Type.Optional(count(1, 'tokens')),
    maxTokens: Type.Optional(count(1, 'tokens of one answer')),
    api: Type.Optional(Type.Union([Type.String({ description: 'the wire protocol' }), Type.Null()], { 'x-later': true })),
    reasoning: Type.Optional(Type.Boolean({ description: 'whether it thinks before it answers' })),
    input: Type.Optional(Type.Array(Type.String(), { description: 'the kinds of input: text, image' })),
    cost: Type.Optional(costSchema),
    headers: Type.Optional(Type.Record(Type.String(), Type.String({ 'x-secret': true, 'x-plain': true }), { 'x-later': true })),
  },
  open,
);

const seconds = (description: string) => Type.Optional(count(1, description, 3600));
const timeoutsSchema = Type.Object(
  {
    connectSeconds: seconds('until a connection is there; default 10'),
    firstByteSeconds: seconds('from the request being sent to the answer’s head; default 300'),
    idleSeconds: seconds('silence after that; default 300'),
  },
  { ...open, description: 'limits of time' },
);

/** A provider as it is configured; everything but `baseUrl` has a default, and that too for ids of the catalog. */
export const providerSchema = Type.Object(
  {
    baseUrl: Type.Optional(
      baseUrl('where requests go, the path up to and including /v1; its query goes behind the path of each call'),
    ),
    api: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'the wire protocol; default openai-completions' }),
    ),
    auth: Type.Optional(literals(authKinds, 'the kind of credential; default api-key')),
    apiKey: Type.Optional(secret('the key')),
    credentialStyle: Type.Optional(
      literals(credentialStyles, 'the header that carries the key; default the catalog’s, else bearer'),
    ),
    region: Type.Optional(
      Type.String({
        pattern: regionShape.source,
        description: 'the region, for a vendor with a host a region; default what AWS_REGION or the AWS profile names',
      }),
    ),
    allowInstanceMetadata: Type.Optional(
      flag('whether AWS credentials of its container or instance may be asked for; default false'),
    ),
    authHeader: Type.Optional(flag('false: the endpoint needs no credential; default true')),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ 'x-secret': true, 'x-plain': true, description: 'a header value' }), {
        description: 'sent with every request',
      }),
    ),
    models: Type.Optional(
      Type.Array(modelSchema, { description: 'models the catalog does not list, and other facts of those it lists' }),
    ),
    hint: Type.Optional(Type.String({ readOnly: true, description: 'what may be shown of the key; ignored in a write' })),
    enabled: Type.Optional(flag('default true')),
    allowLocal: Type.Optional(flag('may be on this machine or a private network: any port, plain http; default false')),
    ports: Type.Optional(Type.Array(port, { description: 'ports allowed besides the policy’s' })),
    timeouts: Type.Optional(timeoutsSchema),
    ca: Type.Optional(
      Type.String({ maxLength: 65_536, description: 'PEM of the only certificate authorities to trust for it, no secret' }),
    ),
    weight: Type.Optional(Type.Number({ minimum: 0, 'x-later': true, description: 'share of the calls among equals' })),
    protocols: Type.Optional(later('base URLs by protocol')),
  },
  open,
);
export type ProviderConfig = Omit<Static<typeof providerSchema>, 'apiKey' | 'headers'> & {
  readonly apiKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A credential of a provider; ids are usually `provider:name`. */
export const profileSchema = Type.Object(
  {
    id: Type.Optional(text('its own key again, as the original program wrote it')),
    provider: Type.String({ minLength: 1, maxLength: 64, description: 'the provider that it is for' }),
    type: literals(profileTypes, 'the kind of credential'),
    key: Type.Optional(secret('an API key')),
    token: Type.Optional(secret('a static token')),
    access: Type.Optional(Type.String({ 'x-secret': true, description: 'an OAuth access token' })),
    refresh: Type.Optional(Type.String({ 'x-secret': true, description: 'an OAuth refresh token' })),
    expires: Type.Optional(count(0, 'when the token ends, milliseconds since 1970; 0: never')),
    email: Type.Optional(Type.String({ 'x-later': true, description: 'the account, for people' })),
    accountId: Type.Optional(text('the account, for vendors that want it named; else the access token of a login tells it')),
    gatewayId: Type.Optional(Type.String({ 'x-later': true, description: 'the gateway, for vendors that have several' })),
    baseUrl: Type.Optional(baseUrl('in place of the provider’s')),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.String({ 'x-secret': true, 'x-plain': true }), {
        description:
          'facts of the login; `tokenUrl` and `clientId`: where and as which client its tokens are renewed; `profile`: the profile of the AWS files',
      }),
    ),
    allowInstanceMetadata: Type.Optional(
      flag('of type aws-sdk: whether its container or instance may be asked for credentials; default false'),
    ),
    projects: Type.Optional(
      Type.Array(Type.String(), {
        'x-later': true,
        description: 'the projects that may use it; absent: all. This version uses no profile that has it',
      }),
    ),
    enabled: Type.Optional(flag('default true')),
    hint: Type.Optional(Type.String({ readOnly: true, description: 'what may be shown of it; ignored in a write' })),
  },
  open,
);

export type ProfileConfig = Omit<Static<typeof profileSchema>, 'key' | 'token'> & {
  readonly key?: string;
  readonly token?: string;
};

const profileMap = Type.Record(Type.String(), profileSchema, { description: 'credentials by id' });
export const profileOrderSchema = Type.Record(Type.String(), Type.Array(Type.String()), {
  description: 'profile ids in the order they are tried, by provider; an empty list excludes the profiles of the provider',
});

const bruteForceSchema = Type.Object(
  {
    enabled: Type.Optional(flag('default true')),
    maxFailedAttempts: Type.Optional(count(1, 'default 5')),
    ttlSeconds: Type.Optional(count(1, 'default 900')),
    initialBlockSeconds: Type.Optional(count(1, 'default 30')),
    multiplier: Type.Optional(Type.Number({ minimum: 1, description: 'default 2' })),
    maxBlockSeconds: Type.Optional(count(1, 'default 3600')),
    trustedNetworks: Type.Optional(words('networks that are never blocked')),
  },
  { ...open, 'x-later': true, description: 'blocking of sources that guess credentials' },
);

const accessTokenSchema = Type.Object(
  {
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'default: its key in the map' })),
    token: secret('the token itself'),
    scopes: Type.Optional(
      Type.Array(literals(scopes, 'read, write or admin'), { description: 'what it may do; default nothing' }),
    ),
    admin: Type.Optional(flag('all scopes; default false')),
    enabled: Type.Optional(flag('default true')),
  },
  open,
);

const egressSchema = Type.Object(
  {
    enabled: Type.Optional(flag('default true')),
    mode: Type.Optional(literals(['off', 'observe', 'enforce'] as const, 'default enforce')),
    resolveDns: Type.Optional(flag('whether names are resolved when they are written; default true')),
    failClosed: Type.Optional(flag('whether a name that does not resolve may not be written; default true')),
    enforceHttps: Type.Optional(flag('default true')),
    allowLocalProviders: Type.Optional(words('providers that may be on this machine or a private network')),
    allowedPorts: Type.Optional(Type.Array(port, { description: 'default 80, 443, 8080, 8443' })),
    denyHosts: Type.Optional(words('names that are never called; `*.` in front takes in what is below')),
    denyCidrs: Type.Optional(words('networks that are never called')),
    fetchImages: Type.Optional(
      Type.Boolean({ 'x-later': true, description: 'whether ola may fetch remote images; default false' }),
    ),
  },
  { ...open, description: 'where calls may go' },
);

const durableSchema = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ 'x-later': true, description: 'false: no tasks; default true' })),
    dbPath: Type.Optional(text('the database, in file mode only; default runtime_state.sqlite3 in the home')),
    idempotencyTtlSeconds: Type.Optional(Type.Integer({ minimum: 60, 'x-later': true, description: 'default 86400' })),
    pendingLeaseSeconds: Type.Optional(Type.Integer({ minimum: 5, 'x-later': true, description: 'default 60' })),
    failClosed: Type.Optional(Type.Boolean({ 'x-later': true, description: 'default true' })),
  },
  { ...open, description: 'what survives a restart' },
);

const contractSchema = Type.Object(
  {
    enabled: Type.Optional(flag('default true')),
    enforce: Type.Optional(flag('default true')),
    cacheTtlSeconds: Type.Optional(count(0, 'default 30')),
    supportedVersions: Type.Optional(words('versions or ranges; default 1.0')),
    allowLegacyMissing: Type.Optional(flag('default true')),
    failClosed: Type.Optional(flag('default true')),
  },
  { ...open, 'x-later': true, description: 'what a task runtime must support' },
);

const fallbackSchema = Type.Object(
  {
    enabled: Type.Optional(flag('default true')),
    order: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()), { description: 'what is tried next' })),
    retryStatusCodes: Type.Optional(
      Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), { description: 'default 429, 500, 502, 503, 504' }),
    ),
    maxAttempts: Type.Optional(count(1, 'default 6')),
  },
  { ...open, description: 'other models for calls that fail' },
);

/** Days that rows are kept; 0: for ever. */
const retention = (days: number) => Type.Optional(count(0, `days that rows are kept, 0: for ever; default ${days}`, 36_500));

/** Rows of usage and audit are kept this long unless the document says otherwise. */
export const keptDays = { usage: 365, audit: 90 } as const;

export const documentSchema = Type.Object(
  {
    $schema: Type.Optional(text('where an editor finds the schema (`ola config schema`); ola does not read it')),
    authProfiles: Type.Optional(profileMap),
    authOrder: Type.Optional(profileOrderSchema),
    auth: Type.Optional(
      Type.Object(
        {
          profiles: Type.Optional(profileMap),
          order: Type.Optional(profileOrderSchema),
          disableAuth: Type.Optional(flag('no authentication, on a loopback address alone; default false')),
          bruteForceProtection: Type.Optional(bruteForceSchema),
        },
        { ...open, description: 'older names: profiles and order are written back as authProfiles and authOrder' },
      ),
    ),
    providers: Type.Optional(Type.Record(Type.String(), providerSchema, { description: 'providers by id' })),
    models: Type.Optional(
      Type.Object(
        {
          mode: Type.Optional(
            literals(['merge', 'replace'] as const, 'whether model lists add to the catalog’s or replace them; default merge'),
          ),
          providers: Type.Optional(Type.Record(Type.String(), providerSchema, { description: 'merged over `providers`' })),
        },
        open,
      ),
    ),
    authorization: Type.Optional(
      Type.Object(
        {
          tokens: Type.Optional(
            Type.Record(Type.String(), accessTokenSchema, {
              description: 'access tokens by name; a write makes them hashed tokens, in a file they are compared as they stand',
            }),
          ),
          legacyAdminCompatibility: Type.Optional(flag('whether serverToken and OPEN_LLM_AUTH_TOKEN are honoured; default true')),
        },
        open,
      ),
    ),
    durableState: Type.Optional(durableSchema),
    egressPolicy: Type.Optional(egressSchema),
    taskContract: Type.Optional(contractSchema),
    providerFallback: Type.Optional(fallbackSchema),
    activeProviderIds: Type.Optional(words('when not empty, only these are used')),
    defaultModel: Type.Optional(text('the model used when a request names none, or `default`')),
    serverToken: Type.Optional(secret('an admin token, as the original program kept it')),
    publicHosts: Type.Optional(words('Host names served besides this machine’s own')),
    server: Type.Optional(
      Type.Object(
        { logRequests: Type.Optional(flag('a line in the log for each request; default true at a terminal, else false')) },
        { ...open, description: 'the server itself' },
      ),
    ),
    usage: Type.Optional(Type.Object({ retentionDays: retention(keptDays.usage) }, { ...open, description: 'records of calls' })),
    audit: Type.Optional(
      Type.Object({ retentionDays: retention(keptDays.audit) }, { ...open, description: 'records of what was done by whom' }),
    ),
    bruteForceProtection: Type.Optional(bruteForceSchema),
    trustedProxies: Type.Optional(
      Type.Array(Type.String(), { 'x-later': true, description: 'networks whose X-Forwarded-For is believed' }),
    ),
    cors: Type.Optional(later('pages of other origins that may call')),
    ownership: Type.Optional(later('who sees whose tasks')),
    limits: Type.Optional(later('rates and budgets')),
    accounts: Type.Optional(later('people who sign in')),
    sessions: Type.Optional(later('how long a sign-in lasts')),
    cooldown: Type.Optional(later('how long an exhausted credential rests')),
    routing: Type.Optional(later('which credential is taken among equals')),
    oidc: Type.Optional(later('sign-in by an identity provider')),
    oauthProviders: Type.Optional(later('logins to vendors')),
    taskBackends: Type.Optional(later('agent runtimes')),
    tls: Type.Optional(later('certificates of this server')),
    telemetry: Type.Optional(later('traces and metrics')),
    alerts: Type.Optional(later('who is told of what')),
  },
  { ...open, description: 'The configuration of ola' },
);
export type ConfigDocument = Omit<
  Static<typeof documentSchema>,
  'providers' | 'models' | 'serverToken' | 'authorization' | 'authProfiles'
> & {
  readonly authProfiles?: Readonly<Record<string, ProfileConfig>>;
  readonly providers?: Readonly<Record<string, ProviderConfig>>;
  readonly models?: { readonly mode?: 'merge' | 'replace'; readonly providers?: Readonly<Record<string, ProviderConfig>> };
  readonly authorization?: {
    readonly tokens?: Readonly<Record<string, AccessTokenConfig>>;
    readonly legacyAdminCompatibility?: boolean;
  };
  readonly serverToken?: string;
};
export type AccessTokenConfig = Omit<Static<typeof accessTokenSchema>, 'token'> & { readonly token?: string };
