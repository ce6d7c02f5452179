/** Providers and the models they serve, as the gateway sees them. */
import type { TurnHeaders } from './turn-headers.ts';

/** The name of a wire protocol, as the configuration writes it: `openai-completions`. The table of protocols is `protocols/all.ts`. */
export type ProtocolId = string;

/** How a credential is put on a request: `Authorization: Bearer`, `x-api-key`, `x-goog-api-key`, `api-key`. */
export const credentialStyles = ['bearer', 'x-api-key', 'x-goog-api-key', 'api-key'] as const;
export type CredentialStyle = (typeof credentialStyles)[number];

/** A protocol that a provider serves, where, and with which deviations. */
export interface ProviderEndpoint {
  readonly protocol: ProtocolId;
  readonly baseUrl: string;
  readonly style: CredentialStyle;
  readonly quirks: ProviderQuirks;
}

/** A vendor's deviations from its protocol, as data. Absent means no. */
export interface ProviderQuirks {
  /** Refuses `stream_options`, or gives no usage in a stream. */
  readonly noStreamUsage?: true;
  /** Knows `max_tokens`, not `max_completion_tokens`. */
  readonly maxTokensOnly?: true;
  /** Refuses the role `developer`: what is meant by it is said as `system`. */
  readonly noDeveloperRole?: true;
  /** Refuses the field `store`. */
  readonly noStore?: true;
  /** Refuses the field `reasoning_effort`. */
  readonly noReasoningEffort?: true;
  /** The field by which its models are told to think, where it is not `reasoning_effort` alone. */
  readonly thinkingSwitch?: 'thinking' | 'reasoning' | 'enable_thinking';
  /** Wants the `reasoning_content` of its own turns with tool calls back. */
  readonly wantsReasoning?: true;
  /** Takes the cache hints of Anthropic (`cache_control`) on the parts of a message. */
  readonly cacheControl?: true;
  /** Takes no `anthropic-beta` header. */
  readonly noBetas?: true;
  /** Refuses `think`: the model cannot. */
  readonly noThink?: true;
  /** Has no call that counts tokens. */
  readonly noCount?: true;
  /** Serves its models below `publishers/google`, as Vertex AI does. */
  readonly publisherPath?: true;
  /** Gives no summaries of reasoning. */
  readonly noReasoningSummary?: true;
  /** Refuses a limit of the answer's tokens. */
  readonly noMaxTokens?: true;
  /** Wants to be told in headers what each chat is about. */
  readonly turnHeaders?: TurnHeaders;
}

/** What most providers have, as one object, so that it can be recognised at once. */
export const noQuirks: ProviderQuirks = {};

/** Secrets of one form, which go on a request in another way than the endpoint's `style` says. */
export interface SecretForm {
  /** The beginning of such a secret. It decides alone, before what the configuration says. */
  readonly prefix?: string;
  /** Environment variables whose value is such a secret. */
  readonly variables?: readonly string[];
  /** Kinds of auth profiles whose secret has this form. */
  readonly kinds?: readonly ('oauth' | 'token')[];
  readonly style: CredentialStyle;
  /** Headers that go with it, by lower-case name. A configured header of the same name is a list that they join. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A row of the catalog. */
export interface CatalogProvider {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  /** The first is the vendor's own; a client's protocol is preferred when it is among them. */
  readonly endpoints: readonly [ProviderEndpoint, ...ProviderEndpoint[]];
  /** Environment variables that hold its key, in the order they are tried. */
  readonly envVars: readonly string[];
  /** Where else the vendor takes the same keys (regions: `https://api.example.cn`): may be configured, is not the default. */
  readonly otherOrigins?: readonly string[];
  /** Served in each region under a host of its own. */
  readonly regional?: RegionalHosts;
  /** Runs on the user's own machine or network: never active by itself, may be reached locally. */
  readonly local?: true;
  /** It serves no embeddings at all, whatever the model. */
  readonly noEmbeddings?: true;
  /** A program of the host answers in place of a server: off until the configuration says `enabled: true`. */
  readonly program?: ProgramRow;
  /** Forms of its secrets; the first that fits decides. Absent: all secrets go as the endpoint's `style` says. */
  readonly secretForms?: readonly SecretForm[];
  /** Headers without which it refuses every call, by lower-case name; configured ones count before them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How its endpoint is told the account of a login; absent: it is not. */
  readonly account?: AccountHeader;
  /** Where the tokens of its logins are renewed, with the public client of those logins. */
  readonly oauth?: CatalogOauth;
}

export interface ProgramRow {
  /** The provider whose models it has. Their prices are not its own: a subscription pays for them. */
  readonly modelsOf: string;
  /** Why ola does not run it, as a sentence; absent: it does. */
  readonly refused?: string;
}

/** The region of a row's base URLs, which a configuration or a variable may change: a label of the host name. */
export interface RegionalHosts {
  /** The region that stands in the base URLs of the row. */
  readonly usual: string;
  /** Environment variables that name another one, in the order they are tried. */
  readonly variables: readonly string[];
}

/** A region's name: no other text may become a part of a host name. */
export const regionShape = /^[a-z]{2}(?:-[a-z]+)+-\d{1,2}$/;

/** @returns the base URL in that region */
export function inRegion(baseUrl: string, { usual }: RegionalHosts, region: string): string {
  return baseUrl.replace(`.${usual}.`, `.${region}.`);
}

/** A header that names the account of a login. */
export interface AccountHeader {
  /** In lower case. */
  readonly name: string;
  /** Paths of the claims of an access token that tell the account, where the profile does not. */
  readonly claims: readonly (readonly string[])[];
}

export interface CatalogOauth {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** `json`: the token endpoint takes JSON in place of a form. */
  readonly style: 'form' | 'json';
}

interface AddressForm {
  readonly protocol: ProtocolId;
  readonly baseUrl: string;
}

/** A provider whose address is the user's own: what is known of it besides. */
export interface AddressedByUser {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  /** Braces in a base URL stand for what the user fills in: `https://{resource}.example.com`. */
  readonly endpoints: readonly [AddressForm, ...AddressForm[]];
  readonly envVars: readonly string[];
  readonly style: CredentialStyle;
  readonly quirks?: ProviderQuirks;
}

/** A provider as the catalog describes it to people. */
export interface BuiltinProvider {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly endpoints: readonly { readonly api: ProtocolId; readonly baseUrl: string; readonly callable: boolean }[];
  /** Environment variables that hold its key, in the order they are tried. */
  readonly envVars: readonly string[];
  readonly local: boolean;
  /** Its base URL has braces: it is to be configured. */
  readonly needsBaseUrl: boolean;
  /** This program speaks one of its protocols. */
  readonly callable: boolean;
}

/** Prices of tokens by their kind, in micro-dollars per million tokens (so $2 is 2_000_000). Without a price of its own a cached token costs as much as input. */
export interface TokenPrices {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

/** Prices of a whole call whose prompt is longer than a number of tokens. */
export interface PriceTier extends TokenPrices {
  readonly above: number;
}

/** The prices of a model. A vendor that charges more for a long prompt has tiers, the shortest prompt first. */
export interface ModelPrice extends TokenPrices {
  readonly tiers?: readonly PriceTier[];
}

/** On Bedrock each vendor's models are asked for embeddings in a form of their own. */
export interface BedrockEmbeddings {
  readonly form: 'titan' | 'cohere';
  /** Texts of one call at most. */
  readonly texts: number;
  /** It can be told how many numbers a vector has. */
  readonly sized?: true;
}

/** A row of the model catalog. An absent field is not known. */
export interface CatalogModel {
  readonly id: string;
  /** For people. */
  readonly name?: string;
  /** Tokens. */
  readonly contextWindow?: number;
  /** Tokens of the longest answer. */
  readonly maxTokens?: number;
  readonly price?: ModelPrice;
  /** The kinds of input: `text`, `image`. */
  readonly input?: readonly string[];
  /** The model thinks before it answers. */
  readonly reasoning?: boolean;
  /** How a model of Anthropic's or Google's protocol is asked to think: it decides how long (`adaptive`), or it is given a number of tokens. */
  readonly thinking?: 'adaptive' | 'budget';
  /** The numbers of tokens that a model of Google's takes for thinking. */
  readonly thinkingBudget?: { readonly least: number; readonly most: number };
  /** Gemini before 3: its tool calls have no ids and need no signatures, and tool results take no media. */
  readonly plainCalls?: true;
  /**
   * Words for levels of effort (`off`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`) that are other than usual; null: the
   * model has no such level, and where `off` is null it always thinks. A level that is absent is sent as its own name, `off` as `none`.
   */
  readonly efforts?: Readonly<Record<string, string | null>>;
  /** The field by which a model on Bedrock is told its effort: `reasoning_effort`, or `effort` in `reasoning`; absent: it is not. */
  readonly effortField?: 'reasoning_effort' | 'reasoning';
  /** Takes cache points in its prompt, on Bedrock. */
  readonly cachePoints?: true;
  /** How a model on Bedrock is asked for embeddings; absent: it makes none, or its form is not known. */
  readonly embeddings?: BedrockEmbeddings;
  /** Refuses temperature, top_p and top_k. */
  readonly noSampling?: true;
  /** Takes instructions in the middle of a conversation. */
  readonly midSystem?: true;
  /** Takes `strict` on tools. */
  readonly strictTools?: true;
  /** The protocols by which its vendor documents it, where its provider has others besides; absent: all of them. */
  readonly protocols?: readonly ProtocolId[];
}

/** Whether a provider can be used now, for people; without secrets. */
export interface ProviderState {
  readonly id: string;
  readonly usable: boolean;
  /** Where its keys are: the name of a variable, `stored`, `file`, `profile:ID`; empty when it needs none, or cannot be used. */
  readonly keys: readonly string[];
  /** Why it cannot be used: `MY_KEY is not set`; null when it can. */
  readonly why: string | null;
}
