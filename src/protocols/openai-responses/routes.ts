/** The routes of OpenAI's responses that clients may call: open schemas, checked only as deep as ola reads them. */
import { type TProperties, Type } from '@sinclair/typebox';
import { OlaError } from '../../core/errors.ts';
import { longestModelName } from '../../core/models.ts';
import type { ClientBody, ClientRoute, Peek } from '../../core/protocol.ts';
import { createSpellingCheck } from '../second-spellings.ts';
import type { Fields } from './members.ts';

export const createPath = '/v1/responses';
export const countPath = '/v1/responses/input_tokens';
export const compactPath = '/v1/responses/compact';

const open = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: true });
const nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

const model = nullable(Type.String({ maxLength: longestModelName }));
/** A response may have its input from a stored prompt or conversation. */
const input = nullable(Type.Union([Type.String(), Type.Array(open({}))]));

/** @see https://platform.openai.com/docs/api-reference/responses/create */
export const responseRequestSchema = open({ model, input, stream: nullable(Type.Boolean()) });
const wholeRequestSchema = open({ model, input });

const refuseSecondSpellings = createSpellingCheck({
  usual: ['model', 'input', 'stream', 'instructions', 'tools', 'store'],
  rare: ['max_output_tokens', 'reasoning', 'tool_choice', 'previous_response_id', 'background'],
});

type RouteFacts = Pick<ClientRoute, 'path' | 'operation' | 'summary' | 'schema'>;

function route(facts: RouteFacts, streams: (fields: Fields) => boolean): ClientRoute {
  return {
    ...facts,
    needsModel: null,
    refuseForeign,
    conversation: (body) => conversationOf(fieldsOf(body)),
    peek: (body) => peekAt(body, streams),
  };
}

export const clientRoutes: readonly ClientRoute[] = [
  route(
    { path: createPath, operation: 'chat', summary: 'Create a response', schema: responseRequestSchema },
    (fields) => fields['stream'] === true,
  ),
  route(
    { path: countPath, operation: 'count', summary: 'Count the tokens of a response', schema: wholeRequestSchema },
    () => false,
  ),
  route(
    { path: compactPath, operation: 'other', summary: 'Make the conversation of a response shorter', schema: wholeRequestSchema },
    () => false,
  ),
];

/** @throws OlaError `invalid_request` for a request of chats, which upstreams would answer with a riddle */
function refuseForeign(fields: Fields): void {
  if (!Object.hasOwn(fields, 'messages') || Object.hasOwn(fields, 'input')) return;
  const message =
    "This is a request of OpenAI’s chat completions (it has 'messages' and no 'input'), whose route is /v1/chat/completions. Set your client to that API, or send 'input' in the form of this route.";
  throw new OlaError('invalid_request', message, { param: 'messages' });
}

function fieldsOf(body: ClientBody): Fields {
  return 'fields' in body ? body.fields : {};
}

function peekAt(body: ClientBody, streams: (fields: Fields) => boolean): Peek {
  const fields = fieldsOf(body);
  if ('text' in body) refuseSecondSpellings(body.text, fields);
  const { model: name, max_output_tokens: most } = fields;
  return {
    model: typeof name === 'string' ? name : null,
    stream: streams(fields),
    maxTokens: typeof most === 'number' && most > 0 ? most : null,
  };
}

/** Items by which a conversation is known: its first notes and its first question. */
const openingItems = 2;
/** Characters of them, and of the instructions. */
const longestOpening = 8192;

/** The cache key, else the user, else the beginning: it stays the same while the conversation grows. */
function conversationOf(fields: Fields): string | null {
  for (const name of ['prompt_cache_key', 'conversation', 'user']) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return `${name} ${value}`;
  }
  const { input: items, instructions } = fields;
  if (items === undefined || items === null) return null;
  return beginning(Array.isArray(items) ? items.slice(0, openingItems) : items) + beginning(instructions);
}

function beginning(value: unknown): string {
  return (JSON.stringify(value) ?? '').slice(0, longestOpening);
}
