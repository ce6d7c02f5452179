/** The content of a chat's messages, from a client: a text or a list of parts. */
import type { MediaPart, MediaSource, Part, TextPart } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import {
  cacheIn,
  extrasOf,
  type Fields,
  membersBeside,
  neededObject,
  neededString,
  ownProtocol,
  placeOf,
  refuse,
  refuseType,
  stringIn,
} from './members.ts';

/** The form in which a content came, so that it can be written in the same one. */
export type ContentForm = 'text' | 'list' | 'null' | 'absent';

export interface Content {
  readonly parts: readonly Part[];
  readonly form: ContentForm;
}

/** @param place of the message. An empty text is no part. */
export function contentIn(message: Fields, place: string): Content {
  const { content } = message;
  const param = placeOf(place, 'content');
  if (content === undefined) return { parts: [], form: 'absent' };
  if (content === null) return { parts: [], form: 'null' };
  if (typeof content === 'string')
    return { parts: content === '' ? [] : [{ type: 'text', text: content, field: param }], form: 'text' };
  if (!Array.isArray(content)) return refuseType(param, 'a text or a list of parts');
  const parts = content.map((part: unknown, at) => {
    const where = placeOf(param, at);
    return isObject(part) ? partIn(part, where) : refuseType(where, 'an object');
  });
  return { parts, form: 'list' };
}

/** A content that can be text alone: instructions. */
export function textContentIn(message: Fields, place: string): Content {
  const content = contentIn(message, place);
  for (const { type, field = place } of content.parts)
    if (type !== 'text') refuse(field, `\`${field}\` must be a text part: instructions are text alone.`);
  return content;
}

type ReadPart = (part: Fields, place: string) => Part;

const readers: Readonly<Record<string, ReadPart>> = {
  text: textIn,
  image_url: imageIn,
  input_audio: audioIn,
  file: fileIn,
  video_url: videoIn,
  refusal: (part, place) => ({ type: 'refusal', text: neededString(part, 'refusal', place), field: place }),
};

function partIn(part: Fields, place: string): Part {
  const type = neededString(part, 'type', place);
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  return read?.(part, place) ?? { type: 'opaque', protocol: ownProtocol, name: type, value: part, field: place };
}

function textIn(part: Fields, place: string): TextPart {
  const members = membersBeside(part, ['type', 'text', 'cache_control']);
  return {
    type: 'text',
    text: neededString(part, 'text', place),
    field: place,
    ...cacheIn(part, place),
    ...extrasOf({ members }),
  };
}

/** Members of the part beside the one that holds the medium, and those inside of it that the hub has no place for. */
function mediaMembers(part: Fields, holder: string, inner: Fields, known: readonly string[]) {
  return extrasOf({ members: membersBeside(part, ['type', holder, 'cache_control']), inner: membersBeside(inner, known) });
}

function imageIn(part: Fields, place: string): MediaPart {
  // Some clients give the address alone.
  const image = typeof part['image_url'] === 'string' ? { url: part['image_url'] } : neededObject(part, 'image_url', place);
  const where = placeOf(place, 'image_url');
  const detail = stringIn(image, 'detail', where);
  return {
    type: 'media',
    kind: 'image',
    source: sourceOf(neededString(image, 'url', where), detail),
    name: null,
    field: place,
    ...cacheIn(part, place),
    ...mediaMembers(part, 'image_url', image, ['url', 'detail']),
  };
}

/** OpenRouter's part for a video. */
function videoIn(part: Fields, place: string): MediaPart {
  const video = neededObject(part, 'video_url', place);
  const source = sourceOf(neededString(video, 'url', placeOf(place, 'video_url')), null);
  return { type: 'media', kind: 'video', source, name: null, field: place };
}

function audioIn(part: Fields, place: string): MediaPart {
  const audio = neededObject(part, 'input_audio', place);
  const where = placeOf(place, 'input_audio');
  const format = neededString(audio, 'format', where);
  const mime = format === 'mp3' ? 'audio/mpeg' : `audio/${format}`;
  return {
    type: 'media',
    kind: 'audio',
    source: { data: neededString(audio, 'data', where), mime, detail: null },
    name: null,
    field: place,
    ...cacheIn(part, place),
    ...mediaMembers(part, 'input_audio', audio, ['data', 'format']),
  };
}

function fileIn(part: Fields, place: string): MediaPart {
  const file = neededObject(part, 'file', place);
  const where = placeOf(place, 'file');
  if (stringIn(file, 'file_id', where) !== null) {
    const message = 'An uploaded file is known to one provider alone; send the file itself as `file_data`.';
    refuse(placeOf(where, 'file_id'), message);
  }
  return {
    type: 'media',
    kind: 'document',
    source: fileSource(neededString(file, 'file_data', where)),
    name: stringIn(file, 'filename', where),
    field: place,
    ...cacheIn(part, place),
    ...mediaMembers(part, 'file', file, ['file_data', 'filename']),
  };
}

const dataUrl = /^data:([^;,]*)[^,]*;base64,/i;
/** Characters. No media type is longer (RFC 6838, 4.2: two names of 127), and an address may be megabytes long. */
const longestHead = 300;

/** Some clients send the base64 alone. */
function fileSource(data: string): MediaSource {
  return /^(?:data|https?):/i.test(data) ? sourceOf(data, null) : { data, mime: null, detail: null };
}

/** A data URL (RFC 2397) in base64 becomes data; any other address stays one. */
function sourceOf(url: string, detail: string | null): MediaSource {
  const head = dataUrl.exec(url.slice(0, longestHead));
  if (head === null) return { url, mime: null, detail };
  return { data: url.slice(head[0].length), mime: head[1] === '' ? null : (head[1] ?? null), detail };
}
