/** The routes of Ollama's API on which models are called: open schemas, checked only as deep as ola reads them. */
import { type TProperties, Type } from '@sinclair/typebox';
import { isObject } from '../../core/json.ts';
import { longestModelName } from '../../core/models.ts';
import type { ClientBody, ClientRoute, Peek } from '../../core/protocol.ts';
import { createSpellingCheck } from '../second-spellings.ts';

export const chatPath = '/api/chat';
export const generatePath = '/api/generate';
export const embedPath = '/api/embed';
/** The older call, of one text. */
export const embeddingsPath = '/api/embeddings';

type Fields = Readonly<Record<string, unknown>>;

const open = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: true });
const nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

const model = nullable(Type.String({ maxLength: longestModelName }));
const stream = nullable(Type.Boolean());
const options = nullable(open({}));

const chatRequest = open({ model, messages: Type.Array(open({})), stream, options });
const generateRequest = open({ model, prompt: nullable(Type.String()), stream, options });
const embedRequest = open({ model, input: Type.Union([Type.String(), Type.Array(Type.String())]) });
const embeddingsRequest = open({ model, prompt: Type.String() });

const refuseSecondSpellings = createSpellingCheck({
  usual: ['model', 'messages', 'stream', 'options', 'tools', 'format'],
  rare: ['prompt', 'system', 'images', 'think', 'input', 'template', 'suffix', 'raw', 'context'],
});

export const clientRoutes: readonly ClientRoute[] = [
  {
    path: chatPath,
    operation: 'chat',
    summary: 'Chat (Ollama)',
    schema: chatRequest,
    needsModel: null,
    conversation: (body) => conversationOf(fieldsOf(body)),
    peek: (body) => peekAt(body, isStream),
  },
  {
    path: generatePath,
    operation: 'chat',
    summary: 'Answer one prompt (Ollama)',
    schema: generateRequest,
    needsModel: null,
    peek: (body) => peekAt(body, isStream),
  },
  {
    path: embedPath,
    operation: 'embeddings',
    summary: 'Create embeddings (Ollama)',
    schema: embedRequest,
    needsModel: null,
    peek: (body) => peekAt(body, () => false),
  },
  {
    path: embeddingsPath,
    operation: 'embeddings',
    summary: 'Create one embedding (Ollama, the older call)',
    schema: embeddingsRequest,
    needsModel: null,
    peek: (body) => peekAt(body, () => false),
  },
];

function fieldsOf(body: ClientBody): Fields {
  return 'fields' in body ? body.fields : {};
}

/** Ollama streams unless it is told not to. */
const isStream = (fields: Fields): boolean => fields['stream'] !== false;

function peekAt(body: ClientBody, streams: (fields: Fields) => boolean): Peek {
  const fields = fieldsOf(body);
  if ('text' in body) refuseSecondSpellings(body.text, fields);
  const { model: name, options: given } = fields;
  const most: unknown = isObject(given) ? given['num_predict'] : null;
  return {
    model: typeof name === 'string' ? name : null,
    stream: streams(fields),
    maxTokens: typeof most === 'number' && most > 0 ? most : null,
  };
}

/** Characters of the first messages. */
const longestOpening = 8192;

/** The beginning stays the same while the conversation grows. */
function conversationOf({ messages }: Fields): string | null {
  if (!Array.isArray(messages)) return null;
  const first = messages.findIndex((message: unknown) => isObject(message) && message['role'] !== 'system');
  return (JSON.stringify(messages.slice(0, first + 1)) ?? '').slice(0, longestOpening);
}
