/** Parts of a request of Google's clients as parts of the hub. */
import type { MediaPart, Part, ReasoningPart } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { exactArguments } from './arguments.ts';
import type { CallIds } from './call-ids.ts';
import { type Fields, member, nonEmpty, protocolId, refuse } from './names.ts';
import { kindOf } from './part-reading.ts';
import { holdSignature, missingSignature, type SignaturePlace } from './signatures.ts';
import { unpackReasoning } from './wrapped-thoughts.ts';

/** What a part is read with. */
export interface PartOfRequest {
  readonly ids: CallIds;
  /** The text of the part, from which numbers are read that no double holds; null where the parsed part will do. */
  readonly exact: string | null;
}

/**
 * @param field the place of the part in the request, as a dotted path
 * @returns one part, and in front of it the signature that stood on it
 * @throws OlaError `invalid_request` for a part that is no object
 */
export function decodePart(part: unknown, field: string, reading: PartOfRequest): readonly Part[] {
  if (!isObject(part)) return refuse(`'${field}' must be a part: an object with a 'text' or data.`, field);
  const given = nonEmpty(member(part, 'thoughtSignature'));
  const signature = given === missingSignature ? null : given;
  const { text } = part;
  if (part['thought'] === true) return [{ ...thought(typeof text === 'string' ? text : '', signature, 'call'), field }];
  const decoded = said(part, field, reading);
  if (signature === null) return [decoded];
  const place = decoded.type === 'toolCall' ? 'call' : 'text';
  return [{ ...thought('', signature, place), field }, decoded];
}

/** A signature that ola did not pack is Google's own. */
function thought(text: string, signature: string | null, place: SignaturePlace): ReasoningPart {
  if (signature === null) return { type: 'reasoning', text };
  const packed = unpackReasoning(signature);
  if (packed === null) return { type: 'reasoning', text, signature: holdSignature({ place, value: signature }) };
  return packed.redacted
    ? { type: 'reasoning', text, redacted: packed.value }
    : { type: 'reasoning', text, signature: packed.value };
}

function said(part: Fields, field: string, reading: PartOfRequest): Part {
  const { text } = part;
  const call = member(part, 'functionCall');
  const response = member(part, 'functionResponse');
  const blob = member(part, 'inlineData');
  const file = member(part, 'fileData');
  if (typeof text === 'string') return { type: 'text', text, field };
  if (isObject(call)) return decodeCall(call, field, reading);
  if (isObject(response)) return decodeResponse(response, field, reading.ids);
  if (isObject(blob)) return { ...decodeBlob(blob), field };
  if (isObject(file)) return decodeFile(file, part, field);
  const name = Object.keys(part).find((each) => isObject(part[each])) ?? 'part';
  return { type: 'opaque', protocol: protocolId, name, value: part, field };
}

function decodeCall(call: Fields, field: string, { ids, exact }: PartOfRequest): Part {
  const name = textIn(call, 'name', `${field}.functionCall`);
  const args = call['args'] ?? {};
  if (!isObject(args)) refuse(`'${field}.functionCall.args' must be an object.`, `${field}.functionCall.args`);
  const text = (exact === null ? null : exactArguments(exact)) ?? JSON.stringify(args);
  return { type: 'toolCall', id: ids.ofCall(nonEmpty(call['id']), name), name, kind: 'function', arguments: text, field };
}

function decodeResponse(response: Fields, field: string, ids: CallIds): Part {
  const name = textIn(response, 'name', `${field}.functionResponse`);
  const { isError, text } = readResponse(response['response']);
  const media = member(response, 'parts');
  const blobs = (Array.isArray(media) ? media : []).map((each: unknown, index): Part => {
    const blob = isObject(each) ? member(each, 'inlineData') : null;
    const place = `${field}.functionResponse.parts.${index}`;
    if (!isObject(blob)) return refuse(`'${place}' must have 'inlineData'.`, place);
    return { ...decodeBlob(blob), field: place };
  });
  const parts: readonly Part[] = [...(text === '' ? [] : [{ type: 'text', text, field } as const]), ...blobs];
  return { type: 'toolResult', callId: ids.ofResponse(nonEmpty(response['id']), name), parts, isError, field };
}

/** Google's names for the value of a result and of a failure; an object with others is the value itself. */
function readResponse(response: unknown): { readonly isError: boolean; readonly text: string } {
  if (!isObject(response)) return { isError: false, text: response === undefined ? '' : asText(response) };
  const names = Object.keys(response);
  const [name = ''] = names;
  const isError = names.length === 1 && name === 'error';
  const isValue = names.length === 1 && ['output', 'result', 'error'].includes(name);
  return { isError, text: isValue ? asText(response[name]) : JSON.stringify(response) };
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

function decodeBlob(blob: Fields): MediaPart {
  const mime = nonEmpty(member(blob, 'mimeType'));
  const { data } = blob;
  const source = { mime, detail: null, data: typeof data === 'string' ? data : '' };
  return { type: 'media', kind: kindOf(mime), source, name: nonEmpty(member(blob, 'displayName')) };
}

/** Files that lie at Google, which nobody else can fetch. */
const atGoogle = /^(?:gs:|https:\/\/generativelanguage\.googleapis\.com\/)/i;

function decodeFile(file: Fields, part: Fields, field: string): Part {
  const url = textIn(file, 'fileUri', `${field}.fileData`);
  if (atGoogle.test(url)) return { type: 'opaque', protocol: protocolId, name: 'fileData', value: part, field };
  const mime = nonEmpty(member(file, 'mimeType'));
  return { type: 'media', kind: kindOf(mime), source: { mime, detail: null, url }, name: null, field };
}

function textIn(fields: Fields, name: string, place: string): string {
  const value = member(fields, name);
  return typeof value === 'string' ? value : refuse(`'${place}.${name}' must be a text.`, `${place}.${name}`);
}
