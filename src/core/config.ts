/**
 * The configuration document: its schema (written once, for file, API, docs and command line), and the store of its
 * revisions. Secrets are annotated `x-secret`; in a stored document a reference stands in their place.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { AuditEvent } from './audit.ts';
import type { JsonObject } from './json.ts';
import type { SealedSecret } from './vault.ts';

/** Wire protocols that a provider may be configured with. */
export const protocols = [
  'openai-completions',
  'openai-responses',
  'openai-codex-responses',
  'anthropic-messages',
  'google-generative-ai',
  'github-copilot',
  'bedrock-converse-stream',
  'ollama',
  'claude-cli',
  'codex-cli',
] as const;
export type Protocol = (typeof protocols)[number];

const authKinds = ['api-key', 'aws-sdk', 'oauth', 'token', 'cli'] as const;

const secret = (description: string): TSchema => Type.String({ 'x-secret': true, description });
const literals = <T extends readonly string[]>(values: T, options: { description: string }) =>
  Type.Union(
    values.map((value) => Type.Literal(value as T[number])),
    options,
  );

const modelSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 256, description: 'the id the upstream knows' }),
    name: Type.Optional(Type.String({ description: 'for people' })),
    contextWindow: Type.Optional(Type.Integer({ minimum: 1, description: 'tokens' })),
    maxTokens: Type.Optional(Type.Integer({ minimum: 1, description: 'tokens of one answer' })),
  },
  { additionalProperties: true },
);

/** A provider as it is configured; everything but `baseUrl` has a default, and that too for ids of the catalog. */
export const providerSchema = Type.Object(
  {
    baseUrl: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2048, description: 'where requests go, the path up to and including /v1' }),
    ),
    api: Type.Optional(literals(protocols, { description: 'the wire protocol; default openai-completions' })),
    auth: Type.Optional(literals(authKinds, { description: 'the kind of credential; default api-key' })),
    apiKey: Type.Optional(secret('the key')),
    authHeader: Type.Optional(Type.Boolean({ description: 'false: the endpoint needs no credential; default true' })),
    headers: Type.Optional(Type.Record(Type.String(), secret('a header value'), { description: 'sent with every request' })),
    models: Type.Optional(Type.Array(modelSchema, { description: 'models the catalog does not list' })),
    hint: Type.Optional(Type.String({ readOnly: true, description: 'what may be shown of the key; ignored in a write' })),
    enabled: Type.Optional(Type.Boolean({ description: 'default true' })),
    allowLocal: Type.Optional(
      Type.Boolean({ description: 'may be on this machine or a private network: any port, plain http; default false' }),
    ),
    ports: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }), { description: 'ports allowed besides the policy’s' }),
    ),
  },
  { additionalProperties: true },
);
export type ProviderConfig = Omit<Static<typeof providerSchema>, 'apiKey' | 'headers'> & {
  readonly apiKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const egressSchema = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    mode: Type.Optional(literals(['off', 'observe', 'enforce'] as const, { description: 'default enforce' })),
    resolveDns: Type.Optional(Type.Boolean()),
    failClosed: Type.Optional(Type.Boolean()),
    enforceHttps: Type.Optional(Type.Boolean()),
    allowLocalProviders: Type.Optional(Type.Array(Type.String())),
    allowedPorts: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }))),
    denyHosts: Type.Optional(Type.Array(Type.String())),
    denyCidrs: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: true },
);

export const documentSchema = Type.Object(
  {
    providers: Type.Optional(Type.Record(Type.String(), providerSchema)),
    models: Type.Optional(
      Type.Object(
        {
          mode: Type.Optional(
            literals(['merge', 'replace'] as const, {
              description: 'whether model lists add to the catalog’s or replace them; default merge',
            }),
          ),
          providers: Type.Optional(Type.Record(Type.String(), providerSchema, { description: 'merged over `providers`' })),
        },
        { additionalProperties: true },
      ),
    ),
    activeProviderIds: Type.Optional(Type.Array(Type.String(), { description: 'when not empty, only these are used' })),
    defaultModel: Type.Optional(Type.String({ description: 'serves an absent model and the name `default`' })),
    publicHosts: Type.Optional(Type.Array(Type.String(), { description: 'Host names served besides this machine’s own' })),
    egressPolicy: Type.Optional(egressSchema),
    serverToken: Type.Optional(secret('an admin token, as the original program kept it')),
  },
  { additionalProperties: true },
);
export type ConfigDocument = Omit<Static<typeof documentSchema>, 'providers' | 'models' | 'serverToken'> & {
  readonly providers?: Readonly<Record<string, ProviderConfig>>;
  readonly models?: { readonly mode?: 'merge' | 'replace'; readonly providers?: Readonly<Record<string, ProviderConfig>> };
  readonly serverToken?: string;
};

/** One accepted write: the document with references in place of secrets. */
export interface Revision {
  readonly number: number;
  readonly at: number;
  readonly actor: string;
  /** What changed, in words without values: `provider.update acme`. */
  readonly summary: string;
  readonly document: JsonObject;
}

export interface ConfigStore {
  /** The newest revision, null before the first write. */
  current(): Promise<Revision | null>;
  secrets(): Promise<SealedSecret[]>;
  /**
   * Writes a revision, the secrets that it brings, and its audit event, in one transaction; drops secrets that no
   * kept revision names (50 are kept).
   * @throws OlaError `precondition_failed` when the newest revision is not `revision.number - 1`
   */
  write(revision: Revision, secrets: readonly SealedSecret[], event: AuditEvent): Promise<void>;
}
