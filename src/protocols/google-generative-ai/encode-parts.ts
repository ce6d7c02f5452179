/** Parts of the hub as JSON texts of parts for Google's API (https://ai.google.dev/api/caching#Part). */
import type { MediaPart, Part, ToolCallPart } from '../../core/conversation.ts';
import { argumentsObject } from './arguments.ts';
import { type Fields, protocolId, refuse } from './names.ts';

/** A part before it is written. */
export interface WrittenPart {
  readonly fields: Fields;
  /** The members of `functionCall`, JSON text: numbers keep their digits. */
  readonly call?: string;
  readonly signature?: string;
}

export function writePart({ fields, call, signature }: WrittenPart): string {
  const members = [
    ...Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`),
    ...(call === undefined ? [] : [`"functionCall":${call}`]),
    ...(signature === undefined ? [] : [`"thoughtSignature":${JSON.stringify(signature)}`]),
  ];
  return `{${members.join(',')}}`;
}

/** @returns null for a part that is left out: an empty text, and parts that are written elsewhere */
export function encodePart(part: Part): WrittenPart | null {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? null : { fields: { text: part.text } };
    case 'media':
      return { fields: encodeMedia(part) };
    case 'opaque':
      if (part.protocol === protocolId) return { fields: part.value as Fields };
      return refuse(
        `'${part.field ?? part.name}' is a '${part.name}' block of ${part.protocol}, which Google's API does not have. Remove it, or ask a model of a provider that speaks ${part.protocol}.`,
        part.field ?? 'contents',
      );
    default:
      return null;
  }
}

/** @param id null: the model's calls have none */
export function encodeCall(part: ToolCallPart, id: string | null): string {
  const input = part.kind === 'custom' ? JSON.stringify({ input: part.arguments }) : argumentsObject(part.arguments);
  const head = JSON.stringify({ ...(id === null ? {} : { id }), name: part.name });
  return `${head.slice(0, -1)},"args":${input}}`;
}

/** Types of media that go inside a result of a tool; others follow behind it. */
const usualTypes: Readonly<Record<MediaPart['kind'], string>> = {
  image: 'image/png',
  audio: 'audio/wav',
  document: 'application/pdf',
  video: 'video/mp4',
};

export function encodeMedia(part: MediaPart): Fields {
  const { source, kind } = part;
  if ('url' in source) return { fileData: fileData(part, source.url) };
  if ('text' in source) return { inlineData: { mimeType: 'text/plain', data: base64Of(source.text) } };
  return { inlineData: { mimeType: mimeOf(source.mime) ?? usualTypes[kind], data: source.data } };
}

/** The registered name is image/jpeg; some clients write the ending of the file. */
function mimeOf(mime: string | null): string | null {
  return mime === 'image/jpg' ? 'image/jpeg' : mime;
}

/** Google fetches these itself (https://ai.google.dev/gemini-api/docs/file-input-methods). */
const fetched = /^(?:https|gs):\/\//i;

function fileData(part: MediaPart, url: string): Fields {
  if (!fetched.test(url)) {
    const field = part.field ?? 'contents';
    refuse(`'${field}' has an address that Google does not fetch. Send an https address, or the bytes.`, field);
  }
  const mime = mimeOf(part.source.mime) ?? mimeOfName(url);
  return { ...(mime === null ? {} : { mimeType: mime }), fileUri: url };
}

const endings: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  pdf: 'application/pdf',
  txt: 'text/plain',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  mp4: 'video/mp4',
};

/** The type by the ending of a path; null where it says none, and Google looks at the answer's own type. */
function mimeOfName(url: string): string | null {
  const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(endings, ending) ? (endings[ending] ?? null) : null;
}

function base64Of(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
