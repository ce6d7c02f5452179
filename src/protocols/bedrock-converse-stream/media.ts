/** Images, documents and videos as blocks of Converse (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html). */
import type { MediaPart } from '../../core/conversation.ts';
import { refuse } from './refuse.ts';

type Formats = Readonly<Record<string, string>>;

const images: Formats = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
};
const documents: Formats = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/markdown': 'md',
  'text/plain': 'txt',
};
const videos: Formats = {
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/x-matroska': 'mkv',
  'video/webm': 'webm',
  'video/x-flv': 'flv',
  'video/mpeg': 'mpeg',
  'video/x-ms-wmv': 'wmv',
  'video/3gpp': 'three_gp',
};
const formatsOf: Readonly<Record<MediaPart['kind'], Formats | null>> = {
  image: images,
  document: documents,
  video: videos,
  // Converse has no block of sound that its models share.
  audio: null,
};
/** The format where the client names none. */
const usual: Readonly<Record<MediaPart['kind'], string | null>> = { image: 'png', document: 'pdf', video: 'mp4', audio: null };

/** Names of documents, which must differ in a request. */
export type DocumentNames = Set<string>;

/** @returns the JSON text of a block */
export function encodeMedia(part: MediaPart, names: DocumentNames): string {
  const formats = formatsOf[part.kind];
  if (formats === null) return refuseMedia(part, '');
  const source = sourceOf(part);
  const format = 'text' in part.source ? 'txt' : formatOf(part, formats);
  const name = part.kind === 'document' ? { name: documentName(part.name, names) } : {};
  return JSON.stringify({ [part.kind]: { format, ...name, source } });
}

function formatOf(part: MediaPart, formats: Formats): string {
  const mime = part.source.mime?.split(';')[0]?.trim().toLowerCase() ?? null;
  if (mime === null) return usual[part.kind] ?? refuseMedia(part, '');
  if (Object.hasOwn(formats, mime)) return formats[mime] ?? '';
  if (part.kind === 'document' && mime.startsWith('text/')) return 'txt';
  return refuseMedia(part, ` of the type ${mime}`);
}

/** Bedrock fetches from S3 alone. */
function sourceOf(part: MediaPart): object {
  const { source } = part;
  if ('data' in source) return { bytes: source.data };
  if ('text' in source) return { bytes: base64Of(source.text) };
  if (source.url.startsWith('s3://')) return { s3Location: { uri: source.url } };
  return refuseMedia(part, ' at a URL');
}

/** Characters of a document's name. */
const longestName = 200;

/** Bedrock takes letters, digits, single blanks, hyphens, parentheses and square brackets. */
function documentName(name: string | null, names: DocumentNames): string {
  const plain = (name ?? '')
    .replaceAll(/[^A-Za-z0-9\s()[\]-]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longestName)
    .trim();
  const wanted = plain === '' ? 'document' : plain;
  let made = wanted;
  for (let count = 2; names.has(made); count++) made = `${wanted.slice(0, longestName - 8)} (${count})`;
  names.add(made);
  return made;
}

/** Bytes that are made into characters at once: more would be too many arguments. */
const pieceLength = 8192;

function base64Of(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let characters = '';
  for (let at = 0; at < bytes.length; at += pieceLength)
    characters += String.fromCharCode(...bytes.subarray(at, at + pieceLength));
  return btoa(characters);
}

function refuseMedia(part: MediaPart, clause: string): never {
  const field = part.field ?? 'messages';
  const article = part.kind === 'image' || part.kind === 'audio' ? 'an' : 'a';
  const remedy = clause === ' at a URL' ? 'Send its bytes' : 'Remove it';
  return refuse(
    `'${field}' is ${article} ${part.kind}${clause}, which Amazon Bedrock does not take. ${remedy}, or ask a model of another provider.`,
    field,
  );
}
