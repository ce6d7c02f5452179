/**
 * What the reference says of a route beyond its method, path, scope, summary and schemas, which the route itself holds.
 * Data alone, loaded when the reference is asked for.
 */
import { type TSchema, Type } from '@sinclair/typebox';
import type { ErrorCode } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { pageQuery } from '../paging.ts';
import type { Route } from '../route.ts';

/** The error codes that a route answers with: not those of an unknown path, a wrong method, and a client that has left. */
export type DocumentedCode = Exclude<ErrorCode, 'route_not_found' | 'method_not_allowed' | 'client_closed_request'>;

/** Groups of the reference page, in its order: a newcomer needs the first ones first. */
export const tags = [
  'Tokens',
  'Providers',
  'Auth profiles',
  'Inference',
  'Models',
  'Usage',
  'Configuration',
  'History',
  'Health',
  'Pages',
] as const;
export type Tag = (typeof tags)[number];

/** A parameter of the query, of the path (by its name in `path`), or a header. Optional unless it is of the path. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header' | 'path';
  readonly description: string;
  readonly schema: TSchema;
  readonly example?: Json;
}

export interface DescribedRequest {
  /** The media type; absent: JSON. */
  readonly type?: string;
  /** The shape of the body, where the route itself checks less than the use-case does. */
  readonly schema?: TSchema;
  /** By name, what the schema does not say of a field: a description, or the whole shape that the use-case checks. */
  readonly fields?: Readonly<Record<string, string | TSchema>>;
  /** By their summaries; the page fills in the first. */
  readonly examples?: Readonly<Record<string, Json>>;
  /** By the summary of an example, the parameters that fit it, by name: the page fills them in with the example. */
  readonly fitting?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A body of another media type than JSON, or of JSON that is an upstream's. */
export interface Content {
  readonly type: string;
  readonly schema: TSchema;
  readonly example?: Json;
}

export interface DescribedAnswer {
  /** Absent: 200. */
  readonly status?: number;
  readonly description: string;
  /** An example of the JSON that the route answers with. */
  readonly example?: Json;
  /** In place of the JSON that the route answers with. */
  readonly content?: readonly Content[];
  /** Response headers worth knowing: name to description. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The form in which a protocol tells errors; the route writes them. */
export interface ErrorForm {
  /** Names the answers apart from those of another form. */
  readonly name: string;
  readonly schema: TSchema;
}

export interface Operation {
  /** Its `operationId`, by which generated clients call it: a verb and a noun, `createChatCompletion`. It never changes. */
  readonly id: string;
  readonly tag: Tag;
  /** Markdown, a few sentences. */
  readonly description?: string;
  /** The vendor's own page of a wire format that is not ola's. */
  readonly vendorPage?: string;
  /** The path as the reference writes it, `/v1/models/{id}`; only for routes that end in `*`. */
  readonly path?: string;
  readonly parameters?: readonly Parameter[];
  readonly request?: DescribedRequest;
  readonly answers: readonly DescribedAnswer[];
  /** The form of its errors; absent: OpenAI's, which is that of ola's own routes. */
  readonly errorForm?: ErrorForm;
  /** Error codes that the route can answer with besides those of every route of its kind. */
  readonly errors?: readonly DocumentedCode[];
}

/** `POST /v1/chat/completions`: method and path as the route table has them. */
export type OperationKey = `${Route['method']} /${string}`;
export type Operations = Readonly<Record<OperationKey, Operation>>;

export const pageParameters: readonly Parameter[] = [
  { name: 'limit', in: 'query', description: 'Items on a page.', schema: pageQuery.limit },
  { name: 'after', in: 'query', description: 'The `nextCursor` of the page before.', schema: pageQuery.after },
];
export const ifMatch: Parameter = {
  name: 'If-Match',
  in: 'header',
  description: 'The `ETag` of the configuration that you read. If the configuration has changed since, nothing is written (412).',
  schema: Type.String(),
};
export const etagHeader = { ETag: 'The revision of the configuration, for `If-Match`.' } as const;

/** Errors of every write of the configuration. */
export const writeErrors = ['config_managed_by_file', 'precondition_failed', 'persistence_unavailable'] as const;
