/** A model that is a script: what it is asked, and what it answers, in words of no protocol. The doubles beside it speak them. */

/** One request, as far as a script looks at it. */
export interface Asked {
  readonly model: string;
  readonly stream: boolean;
  /** Names of the tools on offer. */
  readonly tools: readonly string[];
  /** The role of each message, in the order of the request. */
  readonly roles: readonly string[];
  /** Answers of the model that the conversation has. */
  readonly answers: number;
  /** Results of the tool calls of the last answer, in the order of the request; empty when the last turn has none. */
  readonly results: readonly { readonly callId: string; readonly text: string }[];
  /** Base64 of all images, in the order of the request. */
  readonly images: readonly string[];
  /** The last text of the user; results of tools are none. */
  readonly lastText: string;
}

export interface Call {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface Told {
  /** Told before the text, where the request lets the model reason. */
  readonly reasoning?: string;
  readonly text?: string;
  readonly calls?: readonly Call[];
  readonly end?: 'length' | 'refusal';
  /** The connection is broken behind the text: nothing that ends an answer comes. */
  readonly breaksOff?: boolean;
}

export interface Refused {
  readonly status: number;
  /** The type of the error in the protocol's own words. */
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Reply = Told | Refused;
export type Script = (asked: Asked) => Reply;

/** Tokens of every answer, in both protocols: of the prompt 5 are read from a cache and 3 written to it. */
export const spent = { prompt: 19, cacheRead: 5, cacheWrite: 3, completion: 7 } as const;

/** JSON of any kind, looked into freely. */
export type Fields = Readonly<Record<string, unknown>>;

export const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/** A text as models stream it: in pieces, which cut words. */
export const piecesOf = (text: string): readonly string[] => text.match(/.{1,9}/gsu) ?? [];

/** The id of an answer and of its calls: equal conversations get equal ones. */
export const idOf = (asked: Asked, at = 0): string => `${asked.model.replaceAll(/[^A-Za-z0-9]/g, '')}${asked.answers}${at}`;
