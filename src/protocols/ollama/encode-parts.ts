/** Parts of the hub as the content and images of a message of Ollama's. */
import type { MediaPart, Part } from '../../core/conversation.ts';
import type { UpstreamModel } from '../../core/protocol.ts';
import { protocolId, refuse } from './members.ts';

/** A message has one text, and images beside it in base64 without a type. */
export interface Content {
  readonly text: string;
  readonly images: readonly string[];
}

/**
 * @param joint stands between texts that become one
 * @throws OlaError `invalid_request`, with the field as `param`, for a part that Ollama cannot be told
 */
export function contentOf(parts: readonly Part[], joint: string, to: UpstreamModel): Content {
  const texts: string[] = [];
  const images: string[] = [];
  for (const part of parts) {
    const text = textOf(part);
    if (text !== null) texts.push(text);
    else if (part.type === 'media') images.push(imageOf(part, to));
  }
  return { text: texts.filter((text) => text !== '').join(joint), images };
}

/** The text of a part; null for one that has none of its own. */
function textOf(part: Part): string | null {
  if (part.type === 'text' || part.type === 'refusal') return part.text;
  if (part.type === 'opaque') return refuseBlock(part);
  return part.type === 'media' ? documentText(part) : null;
}

/** A document of text is a text under its title. */
function documentText(part: MediaPart): string | null {
  const text = plainText(part);
  if (text === null) return null;
  return part.name === null ? text : `${part.name}\n\n${text}`;
}

function plainText(part: MediaPart): string | null {
  const { source, kind } = part;
  if ('text' in source) return source.text;
  if (kind !== 'document' || !('data' in source) || source.mime?.startsWith('text/') !== true) return null;
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(source.data), (character) => character.charCodeAt(0)));
  } catch {
    return refuseMedia(part, 'whose data is not base64');
  }
}

/** The part is an image that the model looks at, not a text. */
export function isImage(part: Part): boolean {
  return part.type === 'media' && plainText(part) === null;
}

function imageOf(part: MediaPart, { id, facts }: UpstreamModel): string {
  const { source, kind } = part;
  if (kind !== 'image') refuseMedia(part, kind === 'document' ? 'that is no plain text' : 'in the conversation');
  if (facts?.input !== undefined && !facts.input.includes('image')) {
    const field = part.field ?? 'messages';
    refuse(field, `The model \`${id}\` takes no images; use one that does, or remove the image.`);
  }
  if ('data' in source) return source.data;
  return refuseMedia(part, 'by its address: Ollama fetches none. Send its bytes in base64');
}

const articles: Readonly<Record<MediaPart['kind'], string>> = {
  image: 'an image',
  audio: 'a sound',
  document: 'a document',
  video: 'a video',
};

function refuseMedia(part: MediaPart, clause: string): never {
  const field = part.field ?? 'messages';
  const advice = 'Remove it, or ask a model of another provider.';
  return refuse(field, `\`${field}\` is ${articles[part.kind]} ${clause}, which Ollama does not take. ${advice}`);
}

function refuseBlock({ name, protocol, field = 'messages' }: Extract<Part, { type: 'opaque' }>): never {
  const advice =
    protocol === protocolId ? 'Remove the block.' : `Use a model of a provider that speaks \`${protocol}\`, or remove the block.`;
  return refuse(field, `Ollama cannot hold the block \`${name}\` at \`${field}\`. ${advice}`);
}
