/** Contents of messages and of tool results, towards an upstream. */
import type { MediaPart, Part } from '../../core/conversation.ts';
import type { UpstreamModel } from '../../core/protocol.ts';
import { type Fields, ownProtocol, refuse } from './members.ts';

/** What the input of one request is written with. */
export interface Writing {
  readonly to: UpstreamModel;
  /** Names of fields that are not sent. */
  readonly dropped: Set<string>;
}

/** The text of a part, or null: a medium. A plain document is a text under its title. */
export function textOf(part: Part): string | null {
  if (part.type === 'text') return part.text;
  if (part.type === 'refusal') return part.text;
  if (part.type !== 'media' || !('text' in part.source)) return null;
  return part.name === null ? part.source.text : `${part.name}\n\n${part.source.text}`;
}

/** The parts of a message of the user, or of a result. Empty texts are left out. */
export function contentOf(parts: readonly Part[], writing: Writing): readonly Fields[] {
  return parts.filter((part) => textOf(part) !== '').map((part) => contentPart(part, writing));
}

/** @throws OlaError for a part that a response cannot be told */
function contentPart(part: Part, { to }: Writing): Fields {
  const text = textOf(part);
  if (text !== null) return { type: 'input_text', text };
  if (part.type === 'media') return mediaPart(part, to);
  if (part.type === 'opaque' && part.protocol === ownProtocol) return part.value as Fields;
  return refuseBlock(part);
}

export function refuseBlock(part: Part): never {
  const name = part.type === 'opaque' ? part.name : part.type;
  const place = part.field ?? 'input';
  const capable =
    part.type === 'opaque' ? ` Use a model of a provider that speaks \`${part.protocol}\`, or remove the block.` : '';
  return refuse(place, `OpenAI's responses cannot hold the block \`${name}\` at \`${place}\`.${capable}`);
}

function mediaPart(part: MediaPart, to: UpstreamModel): Fields {
  const { source, kind } = part;
  const place = part.field ?? 'input';
  if (kind === 'image') {
    if (to.facts?.input !== undefined && !to.facts.input.includes('image'))
      refuse(place, `The model \`${to.id}\` takes no images; use one that does, or remove the image.`);
    return { type: 'input_image', image_url: addressOf(part, 'image/png'), detail: source.detail ?? 'auto' };
  }
  if (kind !== 'document') {
    const name = kind === 'audio' ? 'audio' : 'videos';
    return refuse(place, `OpenAI's responses take no ${name}; use a provider that does, or remove the part.`);
  }
  if ('url' in source) return { type: 'input_file', file_url: source.url };
  const type = source.mime?.split('/')[1] ?? 'pdf';
  return { type: 'input_file', filename: part.name ?? `document.${type}`, file_data: addressOf(part, 'application/pdf') };
}

function addressOf({ source }: MediaPart, mime: string): string {
  if ('url' in source) return source.url;
  return 'data' in source ? `data:${source.mime ?? mime};base64,${source.data}` : '';
}
