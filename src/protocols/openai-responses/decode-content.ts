/** Contents of messages and of tool results, from a client: a text or a list of parts. */
import type { MediaPart, MediaSource, Part } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { type Fields, neededString, ownProtocol, refuse, refuseType, stringIn } from './members.ts';

/** @param field the place of the content, as a dotted path. An empty text is no part. */
export function contentIn(content: unknown, field: string): readonly Part[] {
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content, field }];
  if (!Array.isArray(content)) return refuseType(field, 'a text or a list of parts');
  return content.map((part: unknown, at) => {
    const place = `${field}.${at}`;
    return isObject(part) ? { ...partIn(part, place), field: place } : refuseType(place, 'an object');
  });
}

type ReadPart = (part: Fields, place: string) => Part;

const textIn: ReadPart = (part, place) => ({ type: 'text', text: neededString(part, 'text', place) });

const readers: Readonly<Record<string, ReadPart>> = {
  input_text: textIn,
  output_text: textIn,
  // Agents write results of tools so.
  text: textIn,
  refusal: (part, place) => ({ type: 'refusal', text: neededString(part, 'refusal', place) }),
  input_image: imageIn,
  input_file: fileIn,
  input_audio: audioIn,
};

function partIn(part: Fields, place: string): Part {
  const type = neededString(part, 'type', place);
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  return read?.(part, place) ?? { type: 'opaque', protocol: ownProtocol, name: type, value: part };
}

/** A file that was uploaded lies at one provider, and only there. */
function refuseUpload(part: Fields, place: string): void {
  if (stringIn(part, 'file_id', place) === null) return;
  refuse(`${place}.file_id`, 'An uploaded file is known to one provider alone; send the file itself.');
}

function imageIn(part: Fields, place: string): MediaPart {
  refuseUpload(part, place);
  const source = sourceOf(neededString(part, 'image_url', place), stringIn(part, 'detail', place));
  return { type: 'media', kind: 'image', source, name: null };
}

function fileIn(part: Fields, place: string): MediaPart {
  refuseUpload(part, place);
  const url = stringIn(part, 'file_url', place);
  const source: MediaSource =
    url === null ? fileSource(neededString(part, 'file_data', place)) : { url, mime: null, detail: null };
  return { type: 'media', kind: 'document', source, name: stringIn(part, 'filename', place) };
}

function audioIn(part: Fields, place: string): MediaPart {
  const audio = part['input_audio'];
  if (!isObject(audio)) return refuseType(`${place}.input_audio`, 'an object');
  const where = `${place}.input_audio`;
  const format = neededString(audio, 'format', where);
  const mime = format === 'mp3' ? 'audio/mpeg' : `audio/${format}`;
  const source = { data: neededString(audio, 'data', where), mime, detail: null };
  return { type: 'media', kind: 'audio', source, name: null };
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
