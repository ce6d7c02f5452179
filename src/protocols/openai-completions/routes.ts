/** The routes of OpenAI's API that clients may call: open schemas, checked only as deep as ola reads them. */
import { type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { OlaError } from '../../core/errors.ts';
import { longestModelName } from '../../core/models.ts';
import { type Form, fieldOf } from '../../core/multipart.ts';
import type { ClientBody, ClientRoute, Operation, Peek } from '../../core/protocol.ts';
import { createSpellingCheck } from '../second-spellings.ts';
import { refuseForeign } from '../wrong-route.ts';

type Fields = Readonly<Record<string, unknown>>;

const nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));
const open = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: true });

const model = nullable(Type.String({ maxLength: longestModelName }));
const stream = nullable(Type.Boolean());
const streamOptions = nullable(Type.Object({ include_usage: nullable(Type.Boolean()) }, { additionalProperties: true }));
const someObject = open({});
const tokens = Type.Array(Type.Integer());
const promptShapes = [Type.String(), Type.Array(Type.String()), tokens, Type.Array(tokens), Type.Null()];

/** @see https://platform.openai.com/docs/api-reference/chat/create */
export const chatRequestSchema = open({
  model,
  messages: Type.Array(someObject, { minItems: 1 }),
  stream,
  stream_options: streamOptions,
});

interface Details {
  readonly schema?: TSchema;
  readonly operation?: Operation;
  readonly needsModel?: string;
  readonly peek?: (fields: Fields) => Peek;
  readonly conversation?: (fields: Fields) => string | null;
  readonly refuseForeign?: (fields: Fields) => void;
}

function json(path: `/v1/${string}`, summary: string, schema: TSchema, details: Details = {}): ClientRoute {
  const { operation = 'other', needsModel = null, peek = peekAtFields, conversation, refuseForeign: foreign } = details;
  return {
    path,
    operation,
    summary,
    schema,
    needsModel,
    ...(foreign === undefined ? {} : { refuseForeign: foreign }),
    ...(conversation === undefined ? {} : { conversation: (body) => conversation(fieldsOf(body)) }),
    peek(body) {
      if ('text' in body) refuseSecondSpellings(body.text, body.fields);
      return peek(fieldsOf(body));
    },
  };
}

function form(path: `/v1/${string}`, summary: string): ClientRoute {
  return { path, operation: 'other', summary, schema: null, needsModel: null, peek: (body) => peekAtForm(formOf(body)) };
}

export const clientRoutes: readonly ClientRoute[] = [
  json('/v1/chat/completions', 'Create a chat completion', chatRequestSchema, {
    operation: 'chat',
    conversation: conversationOf,
    refuseForeign: (fields) => refuseForeign('chat', fields),
  }),
  json(
    '/v1/completions',
    'Create a completion (legacy)',
    open({ model, prompt: Type.Optional(Type.Union(promptShapes)), stream, stream_options: streamOptions }),
  ),
  json('/v1/embeddings', 'Create embeddings', open({ model, input: Type.Optional(Type.Unknown()) }), {
    operation: 'embeddings',
    peek: (fields) => {
      checkEmbeddingInput(fields['input']);
      return { ...peekAtFields(fields), stream: false };
    },
  }),
  json(
    '/v1/moderations',
    'Classify text and images by what is harmful',
    open({ model, input: Type.Union([Type.String(), Type.Array(Type.String()), Type.Array(someObject)]) }),
    {
      needsModel: 'A moderation needs a model that does it; name one, for example `openai/omni-moderation-latest`.',
      peek: (fields) => ({ ...peekAtFields(fields), stream: false }),
    },
  ),
  json('/v1/images/generations', 'Create images', open({ model, prompt: Type.String(), stream })),
  form('/v1/images/edits', 'Edit images'),
  form('/v1/images/variations', 'Create variations of an image'),
  json(
    '/v1/audio/speech',
    'Create speech from text',
    open({ model, input: Type.String(), stream_format: nullable(Type.String()) }),
    {
      peek: (fields) => ({ ...peekAtFields(fields), stream: fields['stream_format'] === 'sse' }),
    },
  ),
  form('/v1/audio/transcriptions', 'Transcribe audio'),
  form('/v1/audio/translations', 'Translate audio into English'),
];

const refuseSecondSpellings = createSpellingCheck({
  usual: ['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens'],
  rare: ['n', 'input', 'stream_format', 'encoding_format', 'store', 'reasoning_effort'],
});

function fieldsOf(body: ClientBody): Fields {
  return 'fields' in body ? body.fields : {};
}

function formOf(body: ClientBody): Form | null {
  return 'form' in body ? body.form : null;
}

function peekAtFields(fields: Fields): Peek {
  const name = fields['model'];
  return {
    model: typeof name === 'string' ? name : null,
    stream: fields['stream'] === true,
    maxTokens: tokenLimit(fields['max_completion_tokens']) ?? tokenLimit(fields['max_tokens']),
  };
}

/** Messages by which a conversation is known: its instructions and its first question. */
const openingMessages = 2;
/** Characters of them. */
const longestOpening = 16_384;

/** The cache key, else the user, else the beginning: it stays the same while the conversation grows. */
function conversationOf(fields: Fields): string | null {
  for (const name of ['prompt_cache_key', 'user']) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return `${name} ${value}`;
  }
  const messages = fields['messages'];
  return Array.isArray(messages) ? JSON.stringify(messages.slice(0, openingMessages)).slice(0, longestOpening) : null;
}

function tokenLimit(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}

/** @throws OlaError `invalid_request` for a model that stands twice, is too long, or is no text */
function peekAtForm(form: Form | null): Peek {
  if (form === null) return { model: null, stream: false, maxTokens: null };
  return {
    model: fieldOf(form, 'model', longestModelName),
    stream: fieldOf(form, 'stream', 16)?.trim().toLowerCase() === 'true',
    maxTokens: null,
  };
}

/**
 * `input` of an embeddings request: a string, a list of strings, or tokens as a list of integers or a list of such lists,
 * none of them empty.
 * @throws OlaError `invalid_request` for anything else, where other misfits are `invalid_field`: clients know it as 400
 */
export function checkEmbeddingInput(input: unknown): void {
  if (isWord(input)) return;
  if (Array.isArray(input) && input.length > 0 && (input.every(isWord) || isTokens(input) || input.every(isTokens))) return;
  const message =
    "'input' must be a string that is not empty, a list of such strings, or tokens (a list of integers, or of such lists).";
  throw new OlaError('invalid_request', message, { param: 'input' });
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTokens(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isSafeInteger(token) && token >= 0);
}
