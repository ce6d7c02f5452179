/** Content blocks of Anthropic's API as parts of the hub: those of requests and those of answers. */
import type { CacheHint, Extras, MediaSource, Part } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

export const protocolId = 'anthropic-messages';

type Fields = Readonly<Record<string, unknown>>;

/** Facts of a block that the hub has no place for. */
export interface BlockExtras {
  /** Members that are written back as they came. */
  readonly fields?: Fields;
  /** The form of the content, where it is not a list of blocks. */
  readonly form?: 'text' | 'absent';
}

/** @returns the extras of this protocol; empty when there are none */
export function ownExtras(extras: Extras | undefined): BlockExtras {
  return (extras?.[protocolId] ?? {}) as BlockExtras;
}

/** @returns the object to spread into a part; empty when there is nothing to keep */
export function extrasOf(own: BlockExtras): { extras?: Extras } {
  const kept: BlockExtras = {
    ...(own.fields === undefined || Object.keys(own.fields).length === 0 ? {} : { fields: own.fields }),
    ...(own.form === undefined ? {} : { form: own.form }),
  };
  return Object.keys(kept).length === 0 ? {} : { extras: { [protocolId]: { ...kept } } };
}

export function refuse(message: string, param: string): never {
  throw new OlaError('invalid_request', message, { param });
}

/**
 * @param content a text, or a list of blocks
 * @param field the place of the content in the request, as a dotted path; null in an answer
 * @throws OlaError `invalid_request` for content that is neither
 */
export function decodeContent(content: unknown, field: string | null): readonly Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content, ...placeOf(field) }];
  if (!Array.isArray(content)) refuse(`'${field}' must be a text or a list of content blocks.`, field ?? 'content');
  return content.map((block: unknown, index) => decodeBlock(block, field === null ? null : `${field}.${index}`));
}

/** @throws OlaError `invalid_request` for a block that is no object, or that lacks a member of its type */
export function decodeBlock(block: unknown, field: string | null): Part {
  if (!isObject(block)) refuse(`'${field}' must be a content block: an object with a 'type'.`, field ?? 'content');
  const type = typeof block['type'] === 'string' ? block['type'] : '';
  const decode = Object.hasOwn(decoders, type) ? decoders[type] : undefined;
  const part = decode?.(block, field) ?? null;
  if (part !== null) return { ...part, ...placeOf(field) };
  return { type: 'opaque', protocol: protocolId, name: nameOf(block, type), value: block, ...placeOf(field) };
}

/** The name of a block for people: `image file` for one whose source is a file that was uploaded. */
function nameOf({ source }: Fields, type: string): string {
  return isObject(source) && typeof source['type'] === 'string' ? `${type} ${source['type']}` : type;
}

function placeOf(field: string | null): { field?: string } {
  return field === null ? {} : { field };
}

/** @returns null for a block of a form that the hub has no place for */
type DecodeBlock = (block: Fields, field: string | null) => Part | null;

const decoders: Readonly<Record<string, DecodeBlock | undefined>> = {
  text(block, field) {
    const { type: _, text, cache_control: cache, ...fields } = block;
    return { type: 'text', text: textIn(text, field, 'text'), ...marked(cache, { fields }) };
  },
  image(block) {
    const { type: _, source, cache_control: cache, ...fields } = block;
    const read = imageSource(source);
    return read === null ? null : { type: 'media', kind: 'image', source: read, name: null, ...marked(cache, { fields }) };
  },
  document(block) {
    const { type: _, source, title, cache_control: cache, ...rest } = block;
    const read = documentSource(source);
    if (read === null) return null;
    const fields = isPlainSource(source) ? rest : { ...rest, source };
    const name = typeof title === 'string' ? title : null;
    return { type: 'media', kind: 'document', source: read, name, ...marked(cache, { fields }) };
  },
  thinking(block, field) {
    const { type: _, thinking, signature, ...fields } = block;
    const signed = typeof signature === 'string' && signature !== '' ? { signature } : {};
    return { type: 'reasoning', text: textIn(thinking, field, 'thinking'), ...signed, ...extrasOf({ fields }) };
  },
  redacted_thinking(block, field) {
    const { type: _, data, ...fields } = block;
    return { type: 'reasoning', text: '', redacted: textIn(data, field, 'data'), ...extrasOf({ fields }) };
  },
  tool_use(block, field) {
    const { type: _, id, name, input, cache_control: cache, ...fields } = block;
    const call = { type: 'toolCall', id: textIn(id, field, 'id'), name: textIn(name, field, 'name'), kind: 'function' } as const;
    return { ...call, arguments: JSON.stringify(input ?? {}), ...marked(cache, { fields }) };
  },
  tool_result(block, field) {
    const { type: _, tool_use_id: id, content, is_error: isError, cache_control: cache, ...rest } = block;
    const absent = content === undefined || content === null;
    const form = absent ? 'absent' : typeof content === 'string' ? 'text' : undefined;
    const fields = isError === false ? { ...rest, is_error: false } : rest;
    return {
      type: 'toolResult',
      callId: textIn(id, field, 'tool_use_id'),
      parts: absent ? [] : decodeContent(content, `${field}.content`),
      isError: isError === true,
      ...marked(cache, { fields, ...(form === undefined ? {} : { form }) }),
    };
  },
};

function textIn(value: unknown, field: string | null, name: string): string {
  if (typeof value === 'string') return value;
  const path = field === null ? name : `${field}.${name}`;
  return refuse(`'${path}' must be a text.`, path);
}

/** The cache hint of a block. A mark with more members than Anthropic's page names is also kept as it came. */
export function marked(cache: unknown, own: BlockExtras): { cache?: CacheHint; extras?: Extras } {
  if (!isObject(cache)) return extrasOf(own);
  const { type, ttl, ...others } = cache;
  const isPlain = type === 'ephemeral' && Object.keys(others).length === 0 && (ttl === undefined || typeof ttl === 'string');
  const fields = isPlain ? own.fields : { ...own.fields, cache_control: cache };
  return {
    cache: { ttl: typeof ttl === 'string' ? ttl : null },
    ...extrasOf({ ...(fields === undefined ? {} : { fields }), ...(own.form === undefined ? {} : { form: own.form }) }),
  };
}

/** @returns null for a source of another kind: a file that was uploaded to Anthropic */
function imageSource(source: unknown): MediaSource | null {
  if (!isObject(source)) return null;
  const { type, media_type: mime, data, url } = source;
  const facts = { mime: typeof mime === 'string' ? mime : null, detail: null };
  if (type === 'base64' && typeof data === 'string') return { ...facts, data };
  return type === 'url' && typeof url === 'string' ? { ...facts, url } : null;
}

function documentSource(source: unknown): MediaSource | null {
  if (!isObject(source)) return null;
  const { type, media_type: mime, data, content } = source;
  const plain = { mime: 'text/plain', detail: null };
  if (type === 'text' && typeof data === 'string') return { ...plain, mime: typeof mime === 'string' ? mime : null, text: data };
  if (type === 'content') {
    const text = textOfContent(content);
    return text === null ? null : { ...plain, text };
  }
  return imageSource(source);
}

/** Whether the source is written back from the hub's form alone. */
function isPlainSource(source: unknown): boolean {
  return isObject(source) && (source['type'] === 'base64' || source['type'] === 'url' || source['type'] === 'text');
}

/** The text of a document made of blocks; null when it has other blocks than text. */
function textOfContent(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts = content.map((block: unknown) => (isObject(block) && block['type'] === 'text' ? block['text'] : null));
  return texts.every((text) => typeof text === 'string') ? texts.join('\n\n') : null;
}
