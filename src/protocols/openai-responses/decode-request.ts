/** Requests of OpenAI's responses, from a client, as conversations (https://platform.openai.com/docs/api-reference/responses/create). */
import {
  type AnswerFormat,
  type Conversation,
  noSampling,
  type OpaqueField,
  type ReasoningWish,
  type Tool,
} from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { decodeInput } from './decode-items.ts';
import { decodeChoice, decodeTools, type HostedTool, opaqueTool } from './decode-tools.ts';
import {
  booleanIn,
  extrasOf,
  type Fields,
  keptIn,
  membersBeside,
  neededString,
  numberIn,
  objectIn,
  ownIn,
  ownProtocol,
  refuse,
  stringIn,
} from './members.ts';

/** The extras of a conversation: members of the request as they came, for an upstream of the same form. */
export interface RequestExtras {
  readonly members?: Fields;
  readonly hosted?: readonly HostedTool[];
  /** A choice of a tool that runs at the provider. */
  readonly choice?: Fields;
  readonly verbosity?: string;
  /** The client asked for its response to be stored, or did not say that it must not be. */
  readonly stored?: true;
}

/** Members that the hub holds. All others are kept as they came. */
const carried = [
  ...['model', 'input', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_output_tokens', 'temperature'],
  ...['top_p', 'stream', 'stream_options', 'text', 'reasoning', 'prompt_cache_key', 'user', 'store', 'background'],
];
/** Members that are kept and are not among the unknown ones. */
const held: readonly string[] = ['include', 'safety_identifier'];

/** The client reasons over its own history: no other upstream gives more for it. */
const encryptedReasoning = 'reasoning.encrypted_content';

/** @throws OlaError `invalid_request`, with the field as `param` */
export function decodeRequest(request: Fields): Conversation {
  refuseStored(request);
  const { tools, hosted } = decodeTools(request);
  const hasTools = tools.length + hosted.length > 0;
  const { choice, hosted: hostedChoice } = decodeChoice(request, hasTools);
  const members = membersBeside(request, carried);
  const text = objectIn(request, 'text') ?? {};
  const opaque: readonly OpaqueField[] = [
    ...hosted.map(opaqueTool),
    ...(hostedChoice === null ? [] : [{ protocol: ownProtocol, name: String(hostedChoice['type']), field: 'tool_choice' }]),
  ];
  const own = {
    members,
    verbosity: stringIn(text, 'verbosity', 'text') ?? undefined,
    stored: request['store'] === false ? undefined : true,
    hosted: hosted.length === 0 ? undefined : hosted,
    choice: hostedChoice ?? undefined,
  };
  return {
    ...decodeInput(request['input'], stringIn(request, 'instructions')),
    tools,
    toolChoice: choice,
    parallelTools: hasTools ? booleanIn(request, 'parallel_tool_calls') : null,
    maxTokens: numberIn(request, 'max_output_tokens'),
    sampling: { ...noSampling, temperature: numberIn(request, 'temperature'), topP: numberIn(request, 'top_p') },
    stop: [],
    format: formatIn(text),
    reasoning: wishIn(request),
    cacheKey: stringIn(request, 'prompt_cache_key'),
    user: stringIn(request, 'user') ?? stringIn(request, 'safety_identifier'),
    stream: request['stream'] === true,
    ...withExtras(own),
    unknown: [...unknownIn(request, members, text), ...unknownInside(request['input'], tools)],
    ...(opaque.length === 0 ? {} : { opaque }),
  };
}

function withExtras(own: Fields): Pick<Conversation, 'extras'> {
  return { extras: extrasOf(own).extras ?? {} };
}

/** What one provider keeps is not in the request: another one would answer without it. */
function refuseStored(request: Fields): void {
  for (const name of ['previous_response_id', 'conversation', 'prompt'] as const) {
    if (request[name] === undefined || request[name] === null) continue;
    const kept = name === 'prompt' ? 'a prompt' : 'a conversation';
    const message = `\`${name}\` names ${kept} that another provider keeps; this one has not seen it. Send all of it in \`instructions\` and \`input\`.`;
    refuse(name, message);
  }
  if (request['background'] === true) {
    refuse(
      'background',
      'A response in the background is kept by the provider that makes it; this one keeps none. Ask for a stream.',
    );
  }
  const probabilities = request['top_logprobs'];
  if (typeof probabilities === 'number' && probabilities > 0)
    refuse('top_logprobs', 'This provider gives no probabilities of tokens; leave `top_logprobs` out.');
}

/** Members that are not sent on, by their names. Nothing is stored at another provider, whether or not it was asked for. */
function unknownIn(request: Fields, members: Fields, text: Fields): readonly string[] {
  const include: unknown = request['include'];
  const asksMore = Array.isArray(include) && include.some((each) => each !== encryptedReasoning);
  return [
    ...Object.keys(members).filter((name) => !held.includes(name)),
    ...(request['store'] === false ? [] : ['store']),
    ...(asksMore ? ['include'] : []),
    ...(stringIn(text, 'verbosity', 'text') === null ? [] : ['text.verbosity']),
  ];
}

/** Members inside of tools and texts, by their dotted names, each once. */
function unknownInside(input: unknown, tools: readonly Tool[]): readonly string[] {
  const ofTools = tools.flatMap(({ extras }) => Object.keys(keptIn(ownIn(extras), 'members')));
  return [
    ...new Set(ofTools.map((name) => `tools.${name}`)),
    ...(Array.isArray(input) && input.some(isAnnotated) ? ['output_text.annotations'] : []),
  ];
}

function isAnnotated(item: unknown): boolean {
  const content: unknown = isObject(item) ? item['content'] : null;
  return Array.isArray(content) && content.some((part: unknown) => isObject(part) && isFilled(part['annotations']));
}

const isFilled = (list: unknown): boolean => Array.isArray(list) && list.length > 0;

function formatIn(text: Fields): AnswerFormat | null {
  const format = objectIn(text, 'format', 'text');
  if (format === null) return null;
  const type = neededString(format, 'type', 'text.format');
  if (type === 'text') return { kind: 'text' };
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema') refuse('text.format.type', '`text.format.type` must be text, json_object or json_schema.');
  const { schema } = format;
  if (!isObject(schema)) refuse('text.format.schema', '`text.format.schema` must be a JSON Schema.');
  return {
    kind: 'schema',
    name: stringIn(format, 'name', 'text.format'),
    description: stringIn(format, 'description', 'text.format'),
    schema,
    strict: booleanIn(format, 'strict', 'text.format'),
  };
}

/** `generate_summary` is the older name of `summary`. */
function wishIn(request: Fields): ReasoningWish | null {
  const wish = objectIn(request, 'reasoning');
  if (wish === null) return null;
  const effort = stringIn(wish, 'effort', 'reasoning');
  const summary = stringIn(wish, 'summary', 'reasoning') ?? stringIn(wish, 'generate_summary', 'reasoning');
  return effort === null && summary === null ? null : { effort, budget: null, summary };
}
