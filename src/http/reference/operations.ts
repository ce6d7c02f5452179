/** What the reference page says of a route beyond its method, path, scope and summary. Data alone, read when it is asked for. */
import type { TSchema } from '@sinclair/typebox';
import type { ErrorCode } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { Route } from '../route.ts';

/** Groups of the reference page, in its order: what somebody new needs comes first. */
export const tags = ['Tokens', 'Providers', 'Inference', 'Models', 'Configuration', 'History', 'Health', 'Pages'] as const;
export type Tag = (typeof tags)[number];

export interface Example {
  readonly summary: string;
  readonly value: Json;
}

/** A parameter of the query, of the path (by the name that it has in `path`), or a header. Optional unless of the path. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header' | 'path';
  readonly description: string;
  readonly schema: TSchema;
  readonly example?: Json;
}

/** A body by its media type. */
export interface Content {
  readonly type: string;
  readonly schema: TSchema;
  /** By a short name; the first is what the page fills in. */
  readonly examples?: Readonly<Record<string, Example>>;
}

export interface DescribedAnswer {
  readonly status: number;
  readonly description: string;
  readonly content: readonly Content[];
  /** Response headers worth knowing: name to description. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Operation {
  /** Its `operationId`, by which generated clients call it: a verb and a noun, `createChatCompletion`. Never changed. */
  readonly id: string;
  readonly tag: Tag;
  /** Markdown, a few sentences; the summary stands with the route. */
  readonly description?: string;
  /** The path as the reference writes it, `/v1/models/{id}`; only needed for routes that end in `*`. */
  readonly path?: string;
  readonly parameters?: readonly Parameter[];
  /** The deep shape of the body, which the route itself may check less deeply. */
  readonly request?: readonly Content[];
  readonly answers: readonly DescribedAnswer[];
  /** Codes of ours that this route can answer with beyond those that every route of its kind has. */
  readonly errors?: readonly ErrorCode[];
}

/** `POST /v1/chat/completions`: method and path as the route table has them. */
export type OperationKey = `${Route['method']} /${string}`;
export type Operations = Readonly<Record<OperationKey, Operation>>;
