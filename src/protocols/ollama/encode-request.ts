/** Conversations as requests to Ollama (https://docs.ollama.com/api/chat). */
import type { Conversation, Part, Tool, ToolChoice } from '../../core/conversation.ts';
import type { RequestField } from '../../core/hub-fields.ts';
import type { Digest } from '../../core/ports.ts';
import type { EncodedRequest, UpstreamModel } from '../../core/protocol.ts';
import { wellFormedJson } from '../well-formed-json.ts';
import { writeObject } from '../write-object.ts';
import { messagesOf } from './encode-messages.ts';
import { type Think, thinkOf } from './encode-think.ts';
import { type Fields, ownIn, refuse } from './members.ts';

/** The extras of a request: members that only Ollama knows, as they came. */
export interface RequestExtras {
  readonly fields?: Fields;
  /** Those of `options`: `num_ctx`, `repeat_penalty`. */
  readonly options?: Fields;
}

/** @throws OlaError `invalid_request`, with the field as `param`, for what Ollama cannot be told */
export function encodeRequest(conversation: Conversation, to: UpstreamModel, _digest: Digest): EncodedRequest {
  const own: RequestExtras = ownIn(conversation.extras);
  const tools = toolsOf(conversation);
  const messages = [...messagesOf(withInstruction(conversation), to)];
  if (messages.length === 0) refuse('messages', 'Nothing is left to ask: no message has any content.');
  const think = to.quirks.noThink === true ? null : thinkOf(conversation.reasoning);
  const fields: Fields = {
    model: to.id,
    // Ollama streams unless it is told not to.
    stream: conversation.stream,
    // A prompt that is too long is an error then, where the server would cut off its beginning and say nothing.
    truncate: false,
    shift: false,
    ...own.fields,
    ...(think === null ? {} : { think }),
    ...optionsOf(conversation, own.options ?? {}),
    ...formatOf(conversation),
    ...(tools.length === 0 ? {} : { tools }),
  };
  const members = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return {
    path: '/api/chat',
    // The messages come last, so that the body of the next turn begins with the bytes of this one.
    body: wellFormedJson(writeObject([...members, ['messages', `[${messages.join(',')}]`]])),
    dropped: droppedOf(conversation, think),
    added: think === null || think === false ? [] : ['think'],
    headers: null,
    reasoningLost: false,
  };
}

function optionsOf({ maxTokens, sampling, stop }: Conversation, own: Fields): Fields {
  const told: Fields = {
    num_predict: maxTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    stop: stop.length === 0 ? null : stop,
  };
  const options = { ...own, ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null)) };
  return Object.keys(options).length === 0 ? {} : { options };
}

function formatOf({ format }: Conversation): Fields {
  if (format?.kind === 'json') return { format: 'json' };
  return format?.kind === 'schema' ? { format: format.schema } : {};
}

const instruction: Part = { type: 'text', text: 'Answer with one JSON object and nothing else.' };

/**
 * Ollama's page asks that the prompt says JSON too, or the model may write blanks without end. Only words that later turns have
 * as well are looked at: the beginning of the prompt must not change.
 */
function withInstruction(conversation: Conversation): Conversation {
  const { format, system, turns } = conversation;
  const opening = [...system, ...(turns[0]?.parts ?? [])];
  if (format?.kind !== 'json' || opening.some((part) => part.type === 'text' && /json/i.test(part.text))) return conversation;
  return { ...conversation, system: [...system, instruction] };
}

/** A model of Ollama's is free to call a tool or not: a choice that leaves it so is made by the tools that are sent. */
function toolsOf({ tools, toolChoice }: Conversation): readonly Fields[] {
  if (toolChoice === 'none' || tools.length === 0) return [];
  if (forcesCall(toolChoice)) {
    refuse(
      'tool_choice',
      'Ollama cannot be made to call a tool: let `tool_choice` be auto or none, or ask a model of another provider.',
    );
  }
  const allowed = toolChoice !== null && typeof toolChoice === 'object' && 'allowed' in toolChoice ? toolChoice.allowed : null;
  return tools.filter(({ name }) => allowed === null || allowed.includes(name)).map(toolOf);
}

function forcesCall(choice: ToolChoice | null): boolean {
  if (choice === null || typeof choice === 'string') return choice === 'required';
  return 'name' in choice || choice.mode === 'required';
}

function toolOf({ kind, name, description, parameters, extras }: Tool): Fields {
  if (kind === 'custom') {
    refuse('tools', `\`tools\` has the free-form tool \`${name}\`, which Ollama does not have: declare a function in its place.`);
  }
  return {
    type: 'function',
    function: {
      name,
      ...(description === null ? {} : { description }),
      // Templates of models read the properties, and fail where there are none.
      parameters: parameters ?? { type: 'object', properties: {} },
      ...ownIn(extras),
    },
  };
}

function droppedOf(conversation: Conversation, think: Think | null): readonly RequestField[] {
  const { system, turns, tools, parallelTools, reasoning, cacheKey, user } = conversation;
  const parts = [...system, ...turns.flatMap((turn) => turn.parts)];
  const inner = parts.flatMap((part) => (part.type === 'toolResult' ? part.parts : []));
  const marked = [...parts, ...inner, ...tools].some(({ cache }) => cache !== undefined);
  const isHidden = parts.some((part) => part.type === 'reasoning' && part.redacted !== undefined && part.text === '');
  const wishes = reasoning !== null && (reasoning.effort !== null || reasoning.budget !== null);
  return [
    ...(isHidden ? (['redactedReasoning'] as const) : []),
    ...(tools.some(({ strict }) => strict === true) ? (['strictTool'] as const) : []),
    ...(parallelTools === false && tools.length > 0 ? (['parallelTools'] as const) : []),
    ...(wishes && think === null ? (['effort'] as const) : []),
    ...(reasoning?.summary == null ? [] : (['reasoningSummary'] as const)),
    ...(marked ? (['cacheHint'] as const) : []),
    ...(cacheKey === null ? [] : (['cacheKey'] as const)),
    ...(user === null ? [] : (['user'] as const)),
  ];
}
