/** The routes of Anthropic's API that clients may call: open schemas, checked only as deep as ola reads them. */
import { type TProperties, Type } from '@sinclair/typebox';
import { isObject } from '../../core/json.ts';
import { longestModelName } from '../../core/models.ts';
import type { ClientBody, ClientRoute, Peek } from '../../core/protocol.ts';
import { createSpellingCheck } from '../second-spellings.ts';
import { refuseForeign } from '../wrong-route.ts';

export const messagesPath = '/v1/messages';
export const countPath = '/v1/messages/count_tokens';

type Fields = Readonly<Record<string, unknown>>;

const open = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: true });
const nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

const model = nullable(Type.String({ maxLength: longestModelName }));
const messages = Type.Array(open({}), { minItems: 1 });

/** `max_tokens` is not required: a missing one is the upstream's to refuse. @see https://docs.anthropic.com/en/api/messages */
export const messagesRequestSchema = open({ model, messages, stream: nullable(Type.Boolean()) });
/** @see https://docs.anthropic.com/en/api/messages-count-tokens */
const countRequestSchema = open({ model, messages });

const refuseSecondSpellings = createSpellingCheck({
  usual: ['model', 'messages', 'stream', 'max_tokens', 'system', 'tools'],
  rare: ['metadata', 'thinking', 'tool_choice'],
});

export const clientRoutes: readonly ClientRoute[] = [
  {
    path: messagesPath,
    operation: 'chat',
    summary: 'Create a message (Anthropic)',
    schema: messagesRequestSchema,
    needsModel: null,
    refuseForeign: (fields) => refuseForeign('messages', fields),
    conversation: (body) => conversationOf(fieldsOf(body)),
    peek: (body) => peekAt(body, (fields) => fields['stream'] === true),
  },
  {
    path: countPath,
    operation: 'count',
    summary: 'Count the tokens of a message (Anthropic)',
    schema: countRequestSchema,
    needsModel: null,
    refuseForeign: (fields) => refuseForeign('messages', fields),
    conversation: (body) => conversationOf(fieldsOf(body)),
    peek: (body) => peekAt(body, () => false),
  },
];

function fieldsOf(body: ClientBody): Fields {
  return 'fields' in body ? body.fields : {};
}

function peekAt(body: ClientBody, streams: (fields: Fields) => boolean): Peek {
  const fields = fieldsOf(body);
  if ('text' in body) refuseSecondSpellings(body.text, fields);
  const { model: name, max_tokens: most } = fields;
  return {
    model: typeof name === 'string' ? name : null,
    stream: streams(fields),
    maxTokens: typeof most === 'number' && most > 0 ? most : null,
  };
}

/** Characters of the first message, and of the system prompt. */
const longestOpening = 8192;

/** The user's id, which is one of the session in Claude Code, else the beginning: it stays the same while the conversation grows. */
function conversationOf({ metadata, system, messages: turns }: Fields): string | null {
  const user = isObject(metadata) ? metadata['user_id'] : null;
  if (typeof user === 'string' && user !== '') return `user_id ${user}`;
  if (!Array.isArray(turns)) return null;
  return beginning(turns[0]) + beginning(system);
}

function beginning(value: unknown): string {
  return (JSON.stringify(value) ?? '').slice(0, longestOpening);
}
