/** Parts of the hub as content blocks of a request to Anthropic's API. */
import type { CacheHint, MediaPart, Part, ReasoningPart, ToolCallPart } from '../../core/conversation.ts';
import { argumentsObject } from '../object-arguments.ts';
import { ownExtras, protocolId, refuse } from './decode-blocks.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A block before it is written: members whose text must not change are apart. */
export interface Block {
  readonly fields: Fields;
  /** JSON text of the member `input`: numbers keep their digits. */
  readonly input?: string;
  /** The blocks of the member `content`. */
  readonly inner?: readonly Block[];
  /** The value of `cache_control`. */
  readonly mark?: unknown;
}

/** @param role the message that the part stands in. @returns null for a part that is left out */
export function encodePart(part: Part, role: 'user' | 'assistant' | 'system'): Block | null {
  switch (part.type) {
    case 'text':
      return textBlock(part.text, part);
    case 'refusal':
      return textBlock(part.text, part);
    case 'media':
      if (role === 'assistant') refuseMedia(part, 'in an answer of the assistant');
      return block(part, encodeMedia(part));
    case 'reasoning':
      return encodeReasoning(part);
    case 'opaque':
      return encodeOpaque(part);
    default:
      return null;
  }
}

/** Anthropic refuses a text block that is empty or blank. */
export function textBlock(text: string, part?: Part): Block | null {
  if (text.trim() === '') return null;
  return part === undefined ? { fields: { type: 'text', text } } : block(part, { type: 'text', text });
}

/** @param id the id in Anthropic's form */
export function encodeCall(part: ToolCallPart, id: string): Block {
  const input = part.kind === 'custom' ? JSON.stringify({ input: part.arguments }) : argumentsObject(part.arguments);
  return { ...block(part, { type: 'tool_use', id, name: part.name }), input };
}

/** The members of a block, those that were kept for this protocol, and the cache mark of its part. */
export function block(part: Part, fields: Fields): Block {
  const { cache_control: mark, ...kept } = ownExtras(part.extras).fields ?? {};
  const all = { ...fields, ...kept };
  return part.cache === undefined ? { fields: all } : { fields: all, mark: mark ?? cacheMark(part.cache) };
}

/** Anthropic knows two times to live; a mark without one lives five minutes. */
export function cacheMark({ ttl }: CacheHint): Fields {
  return ttl === '1h' || ttl === '5m' ? { type: 'ephemeral', ttl } : { type: 'ephemeral' };
}

/** A thinking block takes no cache mark. Reasoning that its maker did not sign is refused by Anthropic. */
function encodeReasoning(part: ReasoningPart): Block | null {
  const { fields } = ownExtras(part.extras);
  if (part.redacted !== undefined) return { fields: { type: 'redacted_thinking', data: part.redacted, ...fields } };
  if (part.signature === undefined || part.signature === '') return null;
  return { fields: { type: 'thinking', thinking: part.text, signature: part.signature, ...fields } };
}

function encodeOpaque(part: Extract<Part, { type: 'opaque' }>): Block {
  if (part.protocol === protocolId) return { fields: part.value as Fields };
  return refuse(
    `'${part.field ?? part.name}' is a '${part.name}' block of ${part.protocol}, which Anthropic's API does not have. Remove it, or ask a model of a provider that speaks ${part.protocol}.`,
    part.field ?? 'messages',
  );
}

export function encodeMedia(part: MediaPart): Fields {
  if (part.kind === 'image') return { type: 'image', source: imageSource(part) };
  if (part.kind !== 'document') refuseMedia(part, 'in the conversation');
  const title = part.name === null ? {} : { title: part.name };
  return { type: 'document', source: documentSource(part), ...title };
}

function imageSource(part: MediaPart): Fields {
  const { source } = part;
  if ('url' in source) return { type: 'url', url: source.url };
  if (!('data' in source)) return refuseMedia(part, 'without its bytes');
  // The registered name is image/jpeg; some clients write the ending of the file.
  const mime = source.mime === 'image/jpg' ? 'image/jpeg' : source.mime;
  return { type: 'base64', media_type: mime ?? 'image/png', data: source.data };
}

/** Anthropic reads PDF and plain text (https://docs.claude.com/en/docs/build-with-claude/pdf-support). */
function documentSource(part: MediaPart): Fields {
  const { source } = part;
  if ('url' in source) return { type: 'url', url: source.url };
  if ('text' in source) return { type: 'text', media_type: 'text/plain', data: source.text };
  if (source.mime === null || source.mime === 'application/pdf') {
    return { type: 'base64', media_type: 'application/pdf', data: source.data };
  }
  if (!source.mime.startsWith('text/'))
    return refuseMedia(part, `of the type ${source.mime}: Anthropic reads PDF and plain text`);
  return { type: 'text', media_type: 'text/plain', data: textOfBase64(source.data, part) };
}

function textOfBase64(data: string, part: MediaPart): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)));
  } catch {
    return refuseMedia(part, 'whose data is not base64');
  }
}

function refuseMedia(part: MediaPart, clause: string): never {
  const field = part.field ?? 'messages';
  const article = part.kind === 'image' || part.kind === 'audio' ? 'an' : 'a';
  refuse(
    `'${field}' is ${article} ${part.kind} block ${clause}, which Anthropic's API does not take. Remove it, or ask a model of a provider that speaks your client's own protocol.`,
    field,
  );
}
