/** Conversations as the standard input of Claude Code: one message of the user, which tells the turns one after the other. */
import type { Conversation, MediaPart, Part, Turn } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import type { OutputWatch } from '../../core/programs.ts';
import type { EncodedRequest, UpstreamModel } from '../../core/protocol.ts';
import { argumentsFor, program, versions } from './arguments.ts';

type Fields = Readonly<Record<string, unknown>>;
type Block = Fields & { readonly type: 'text' | 'image' };

/** The program looks into the last text for names of files and for commands: it is ola's own. */
const question = 'Write the next answer of the assistant to the conversation above, and nothing else.';
const jsonInstruction = 'The answer is one JSON object and nothing else: no code fence, no text around it.';
const speakers: Readonly<Record<Turn['role'], string>> = { user: 'User:', assistant: 'Assistant:', system: 'Instructions:' };

/**
 * @param watch is made for an answer that is read as a whole
 * @throws OlaError `invalid_request`, with the field as `param`, for what the program cannot be told
 */
export function encodeRequest(conversation: Conversation, to: UpstreamModel, watch: () => OutputWatch): EncodedRequest {
  refuseTools(conversation);
  const { system, turns, format } = conversation;
  const content: readonly Block[] = [
    ...(system.length === 0 ? [] : [text(speakers.system), ...system.flatMap(blockOf)]),
    ...turns.flatMap(({ role, parts }) => [text(speakers[role]), ...parts.flatMap(blockOf)]),
    text(format?.kind === 'json' ? `${question} ${jsonInstruction}` : question),
  ];
  const message = { type: 'user', message: { role: 'user', content } };
  const call = { program, arguments: argumentsFor(to.id), input: `${JSON.stringify(message)}\n`, versions };
  return {
    path: '',
    body: '',
    program: conversation.stream ? call : { ...call, watch },
    dropped: droppedOf(conversation),
    added: [],
    headers: null,
    reasoningLost: false,
  };
}

function refuse(param: string, message: string): never {
  throw new OlaError('invalid_request', message, { param });
}

const elsewhere = "Ask for the model at the provider 'anthropic'.";

function refuseTools({ tools, format, turns }: Conversation): void {
  if (tools.length > 0) refuse('tools', `Claude Code runs here without tools, and takes none of a client. ${elsewhere}`);
  if (format?.kind === 'schema') refuse('response_format', `Claude Code cannot be held to a JSON schema. ${elsewhere}`);
  if (turns.length === 0) refuse('messages', "'messages' must hold at least one message.");
}

const text = (value: string): Block => ({ type: 'text', text: value.toWellFormed() });

/** Empty texts are left out, which Anthropic's API refuses. */
function blockOf(part: Part): readonly Block[] {
  if (part.type === 'text' || part.type === 'refusal') return part.text.trim() === '' ? [] : [text(part.text)];
  if (part.type === 'reasoning') return [];
  if (part.type === 'media') return [mediaBlock(part)];
  const name = part.type === 'opaque' ? part.name : part.type;
  return refuse(part.field ?? 'messages', `Claude Code cannot be told the block \`${name}\`. ${elsewhere}`);
}

const imageTypes: readonly string[] = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

function mediaBlock({ kind, source, name, field }: MediaPart): Block {
  if ('text' in source) return text(name === null ? source.text : `${name}\n\n${source.text}`);
  const { mime } = source;
  if (kind === 'image' && 'data' in source && mime !== null && imageTypes.includes(mime)) {
    return { type: 'image', source: { type: 'base64', media_type: mime, data: source.data } };
  }
  const message = `Claude Code takes images as data of the types ${imageTypes.join(', ')}, and no other media. ${elsewhere}`;
  return refuse(field ?? 'messages', message);
}

/** Names in the hub of fields that the program has no place for. */
function droppedOf(conversation: Conversation): readonly string[] {
  const { sampling, reasoning, maxTokens, stop, cacheKey, user, parallelTools, system, turns } = conversation;
  const parts = [...system, ...turns.flatMap((turn) => turn.parts)];
  const wishes: Fields = { ...sampling, maxTokens, cacheKey, user, parallelTools, effort: reasoning?.effort };
  const budget: Fields = { reasoningBudget: reasoning?.budget, reasoningSummary: reasoning?.summary };
  return [
    ...Object.entries({ ...wishes, ...budget }).flatMap(([name, value]) => (value === null || value === undefined ? [] : [name])),
    ...(stop.length === 0 ? [] : ['stop']),
    ...(parts.some(({ cache }) => cache !== undefined) ? ['cacheHint'] : []),
    ...(parts.some(({ type }) => type === 'reasoning') ? ['reasoning'] : []),
  ];
}
