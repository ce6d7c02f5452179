/** The routes of Google's API that clients may call: a model in the path, and a verb behind it. Open schemas, as deep as ola reads them. */
import { type TProperties, Type } from '@sinclair/typebox';
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { ClientBody, ClientRoute, Operation, PathParams, Peek } from '../../core/protocol.ts';
import { createSpellingCheck } from '../second-spellings.ts';
import { camelOf, type Fields, member } from './names.ts';

export const modelsPath = '/v1beta/models';

const open = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: true });
const someObject = open({});

/** @see https://ai.google.dev/api/generate-content */
const contentSchema = open({ contents: Type.Union([Type.Array(someObject, { minItems: 1 }), someObject]) });
const countSchema = open({ contents: Type.Optional(Type.Union([Type.Array(someObject), someObject])) });

interface Row {
  readonly verb: string;
  readonly operation: Operation;
  readonly summary: string;
  readonly schema: ClientRoute['schema'];
  readonly stream?: true;
}

const rows: readonly Row[] = [
  { verb: 'generateContent', operation: 'chat', summary: 'Generate content (Google)', schema: contentSchema },
  {
    verb: 'streamGenerateContent',
    operation: 'chat',
    summary: 'Generate content as a stream (Google)',
    schema: contentSchema,
    stream: true,
  },
  { verb: 'countTokens', operation: 'count', summary: 'Count the tokens of a request (Google)', schema: countSchema },
  {
    verb: 'embedContent',
    operation: 'embeddings',
    summary: 'Create an embedding (Google)',
    schema: open({ content: someObject }),
  },
  {
    verb: 'batchEmbedContents',
    operation: 'embeddings',
    summary: 'Create several embeddings (Google)',
    schema: open({ requests: Type.Array(someObject, { minItems: 1 }) }),
  },
];

export const clientRoutes: readonly ClientRoute[] = rows.map(
  ({ verb, operation, summary, schema, stream = false }): ClientRoute => ({
    path: `${modelsPath}/*:${verb}`,
    operation,
    summary,
    schema,
    needsModel: null,
    ...(operation === 'embeddings' ? {} : { conversation: (body) => conversationOf(fieldsOf(body)) }),
    peek: (body, params) => peekAt(body, params, stream),
  }),
);

const refuseSecondSpellings = createSpellingCheck({ usual: ['contents', 'tools'], rare: ['model', 'requests', 'content'] });

function fieldsOf(body: ClientBody): Fields {
  return 'fields' in body ? body.fields : {};
}

/** The model is that of the path, whatever the body says. */
function peekAt(body: ClientBody, params: PathParams, stream: boolean): Peek {
  const fields = fieldsOf(body);
  if ('text' in body) refuseSecondSpellings(body.text, fields);
  refuseBothSpellings(fields);
  const config = member(fields, 'generationConfig');
  const most = isObject(config) ? member(config, 'maxOutputTokens') : null;
  return {
    model: params['*'] ?? null,
    stream,
    maxTokens: typeof most === 'number' && most > 0 ? most : null,
  };
}

/** Both spellings of one name are two readings of one request. */
function refuseBothSpellings(fields: Fields): void {
  const both = Object.keys(fields).find((name) => camelOf(name) !== name && Object.hasOwn(fields, camelOf(name)));
  if (both === undefined) return;
  const message = `'${both}' and '${camelOf(both)}' are one field of Google's API: send one of them.`;
  throw new OlaError('invalid_request', message, { param: both });
}

/** Characters of the first content, and of the instructions. */
const longestOpening = 8192;

/** The beginning: it stays the same while the conversation grows. */
function conversationOf(fields: Fields): string | null {
  const contents = member(fields, 'contents');
  const first: unknown = Array.isArray(contents) ? contents[0] : contents;
  if (first === undefined) return null;
  return beginning(first) + beginning(member(fields, 'systemInstruction'));
}

function beginning(value: unknown): string {
  return (JSON.stringify(value) ?? '').slice(0, longestOpening);
}
