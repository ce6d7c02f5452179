/** Contents of messages, towards an upstream: texts, images, files and audio. */
import type { MediaPart, Part } from '../../core/conversation.ts';
import type { UpstreamModel } from '../../core/protocol.ts';
import { type Fields, keptIn, ownIn, ownProtocol, refuse } from './members.ts';

/** What the messages of one request are written with. */
export interface Writing {
  readonly to: UpstreamModel;
  /** Parts and tools whose cache hints are sent. */
  readonly cached: ReadonlySet<unknown>;
  /** The id of a tool call as the upstream takes it. */
  readonly idOf: (id: string) => string;
  readonly dropped: Set<string>;
}

/** `cache_control` where the upstream knows it. */
export function cacheOf(part: Pick<Part, 'cache'>, { cached }: Writing): Fields {
  const { cache } = part;
  if (cache === undefined || !cached.has(part)) return {};
  return { cache_control: { type: 'ephemeral', ...(cache.ttl === null ? {} : { ttl: cache.ttl }) } };
}

/** The text of a part, or null: a medium. A plain document is a text under its title. */
export function textOf(part: Part): string | null {
  if (part.type === 'text') return part.text;
  if (part.type !== 'media' || !('text' in part.source)) return null;
  return part.name === null ? part.source.text : `${part.name}\n\n${part.source.text}`;
}

/** @throws OlaError for a part that a chat cannot hold */
export function contentPart(part: Part, writing: Writing): Fields {
  const members = keptIn(ownIn(part.extras), 'members');
  const text = textOf(part);
  if (text !== null) return { type: 'text', text, ...members, ...cacheOf(part, writing) };
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.text };
  if (part.type === 'media') return { ...mediaPart(part, writing), ...members, ...cacheOf(part, writing) };
  if (part.type === 'opaque' && part.protocol === ownProtocol && typeof part.value === 'object') return part.value as Fields;
  return refuseBlock(part);
}

export function refuseBlock(part: Part): never {
  const name = part.type === 'opaque' ? part.name : part.type;
  const place = part.field ?? 'messages';
  const capable =
    part.type === 'opaque' ? ` Use a model of a provider that speaks \`${part.protocol}\`, or remove the block.` : '';
  return refuse(place, `OpenAI's chat completions cannot hold the block \`${name}\` at \`${place}\`.${capable}`);
}

function mediaPart(part: MediaPart, { to }: Writing): Fields {
  const { source, kind } = part;
  const place = part.field ?? 'messages';
  const inner = keptIn(ownIn(part.extras), 'inner');
  if (kind === 'image') {
    if (to.facts?.input !== undefined && !to.facts.input.includes('image'))
      refuse(place, `The model \`${to.id}\` takes no images; use one that does, or remove the image.`);
    const detail = source.detail === null ? {} : { detail: source.detail };
    return { type: 'image_url', image_url: { url: addressOf(part, 'image/png'), ...detail, ...inner } };
  }
  if (kind === 'audio') return { type: 'input_audio', input_audio: { ...audioOf(part, place), ...inner } };
  if (kind === 'document') return { type: 'file', file: { ...fileOf(part, place), ...inner } };
  return refuse(place, "OpenAI's chat completions take no videos; use a provider that does, or remove the video.");
}

function addressOf({ source }: MediaPart, mime: string): string {
  if ('url' in source) return source.url;
  return 'data' in source ? `data:${source.mime ?? mime};base64,${source.data}` : '';
}

const audioFormats: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/wav': 'wav',
  'audio/wave': 'wav',
  'audio/x-wav': 'wav',
  'audio/vnd.wave': 'wav',
};

function audioOf({ source }: MediaPart, place: string): Fields {
  const format = source.mime === null ? undefined : audioFormats[source.mime.toLowerCase()];
  if (format === undefined || !('data' in source))
    return refuse(place, "OpenAI's chat completions take audio as the bytes of an mp3 or wav file; convert it.");
  return { data: source.data, format };
}

function fileOf(part: MediaPart, place: string): Fields {
  if ('url' in part.source)
    refuse(place, "OpenAI's chat completions take the bytes of a document, not its address; send it in base64.");
  const type = part.source.mime?.split('/')[1] ?? 'pdf';
  return { filename: part.name ?? `document.${type}`, file_data: addressOf(part, 'application/pdf') };
}

/**
 * The content of a message: a text where it is one, which every server takes; a list where it has to be.
 * @param form the form in which it came from a chat client
 * @param joint stands between texts that become one
 */
export function contentOf(parts: readonly Part[], form: unknown, joint: string, writing: Writing): unknown {
  const filled = parts.filter((part) => textOf(part) !== '');
  const isMarked = filled.some((part) => part.cache !== undefined && writing.cached.has(part));
  const texts = filled.map(textOf);
  const isText = !isMarked && form !== 'list' && texts.every((text) => text !== null);
  if (isText) return texts.join(joint);
  return filled.map((part) => contentPart(part, writing));
}
