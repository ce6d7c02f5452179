/** The messages of Ollama's clients as instructions and turns. */

import type { MediaPart, Part, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import { argumentsText } from './calls.ts';
import { extrasOf, type Fields, listIn, membersBeside, objectIn, objectsIn, placeOf, refuse, stringIn } from './members.ts';

export interface Messages {
  readonly system: readonly Part[];
  readonly turns: readonly Turn[];
}

/** A call that waits for its result. */
interface Waiting {
  readonly id: string;
  readonly name: string;
}

/** A turn while its messages are read. */
interface Draft {
  readonly role: Turn['role'];
  readonly parts: Part[];
  readonly extras?: Turn['extras'];
  /** It has results of tools alone: more of them may follow, or the user's words. */
  open: boolean;
}

interface Reading {
  readonly system: Part[];
  readonly turns: Draft[];
  /** The calls of the last answer, in their order: older versions give them no ids. */
  waiting: Waiting[];
}

type ReadMessage = (reading: Reading, message: Fields, place: string) => void;

const readers: Readonly<Record<string, ReadMessage>> = {
  system: readInstructions,
  user: readUser,
  assistant: readAssistant,
  tool: readResult,
};

/** @throws OlaError `invalid_request` that names the field */
export function messagesIn(request: Fields): Messages {
  const reading: Reading = { system: [], turns: [], waiting: [] };
  for (const [at, message] of objectsIn(request, 'messages').entries()) {
    const place = placeOf('messages', at);
    const role = stringIn(message, 'role', place) ?? '';
    const read = Object.hasOwn(readers, role) ? readers[role] : undefined;
    if (read === undefined)
      refuse(placeOf(place, 'role'), `\`${placeOf(place, 'role')}\` must be system, user, assistant or tool.`);
    read(reading, message, place);
  }
  const turns = reading.turns.map(({ role, parts, extras }) => ({ role, parts, ...(extras === undefined ? {} : { extras }) }));
  return { system: reading.system, turns };
}

const read = new Set(['role', 'content', 'images', 'thinking', 'tool_calls', 'tool_name', 'tool_call_id']);

function pushTurn({ turns }: Reading, role: Turn['role'], parts: Part[], message: Fields): void {
  turns.push({ role, parts, ...extrasOf(membersBeside(message, read)), open: false });
}

/** Instructions in front of all turns are the system's; later ones stay in their place, or the prompt cache would be lost. */
function readInstructions(reading: Reading, message: Fields, place: string): void {
  const text = textPart(message, place);
  if (text.length === 0) return;
  if (reading.turns.length === 0) reading.system.push(...text);
  else pushTurn(reading, 'system', text, message);
}

/** Results of tools stand first in the turn of the user, and the user's own words behind them. */
function readUser(reading: Reading, message: Fields, place: string): void {
  const parts = [...imagesIn(message, place), ...textPart(message, place)];
  const last = reading.turns.at(-1);
  if (last?.open === true) {
    last.parts.push(...parts);
    last.open = false;
  } else pushTurn(reading, 'user', parts, message);
}

function readAssistant(reading: Reading, message: Fields, place: string): void {
  const thinking = stringIn(message, 'thinking', place) ?? '';
  const thought: Part[] = thinking === '' ? [] : [{ type: 'reasoning', text: thinking, field: placeOf(place, 'thinking') }];
  const calls = objectsIn(message, 'tool_calls', place).map((call, at) =>
    callIn(call, placeOf(placeOf(place, 'tool_calls'), at), `call_${place.slice('messages.'.length)}_${at}`),
  );
  reading.waiting = calls.map(({ id, name }) => ({ id, name }));
  pushTurn(reading, 'assistant', [...thought, ...imagesIn(message, place), ...textPart(message, place), ...calls], message);
}

/** @param made the id of a call that has none: its place stays the same in every turn */
function callIn(call: Fields, place: string, made: string): ToolCallPart {
  const id = stringIn(call, 'id', place) ?? '';
  const what =
    objectIn(call, 'function', place) ?? refuse(placeOf(place, 'function'), `\`${placeOf(place, 'function')}\` is missing.`);
  const where = placeOf(place, 'function');
  const name = stringIn(what, 'name', where) ?? refuse(placeOf(where, 'name'), `\`${placeOf(where, 'name')}\` is missing.`);
  const text = argumentsText(what['arguments'] ?? {});
  return { type: 'toolCall', id: id === '' ? made : id, name, kind: 'function', arguments: text, field: place };
}

/** A result belongs to the call with its id, else to the first call of its tool that waits, else to the first that waits. */
function readResult(reading: Reading, message: Fields, place: string): void {
  const id = stringIn(message, 'tool_call_id', place) ?? '';
  const name = stringIn(message, 'tool_name', place) ?? stringIn(message, 'name', place) ?? '';
  const waiting =
    takeWaiting(reading, ({ id: other }) => id !== '' && other === id) ??
    (id === '' ? takeWaiting(reading, (call) => name === '' || call.name === name) : null);
  const result: ToolResultPart = {
    type: 'toolResult',
    callId: waiting?.id ?? (id === '' ? `call_of_${name === '' ? 'a_tool' : name}` : id),
    parts: [...imagesIn(message, place), ...textPart(message, place)],
    isError: false,
    field: place,
  };
  const last = reading.turns.at(-1);
  if (last?.open === true) last.parts.push(result);
  else reading.turns.push({ role: 'user', parts: [result], open: true });
}

function takeWaiting(reading: Reading, fits: (call: Waiting) => boolean): Waiting | null {
  const at = reading.waiting.findIndex(fits);
  return at < 0 ? null : (reading.waiting.splice(at, 1)[0] ?? null);
}

function textPart(message: Fields, place: string): Part[] {
  const text = stringIn(message, 'content', place) ?? '';
  return text === '' ? [] : [{ type: 'text', text, field: placeOf(place, 'content') }];
}

/** The beginnings of base64 by which images are known: Ollama's clients name no type. */
const types: readonly (readonly [start: string, mime: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** @param place of the object with the images; empty for the request itself */
export function imagesIn(message: Fields, place: string): MediaPart[] {
  return listIn(message, 'images', place).map((image, at) => {
    const field = placeOf(placeOf(place, 'images'), at);
    if (typeof image !== 'string' || image === '') return refuse(field, `\`${field}\` must be an image in base64.`);
    // Some clients leave the head of a data URL in front.
    const data = image.startsWith('data:') ? image.slice(image.indexOf(',') + 1) : image;
    const mime = types.find(([start]) => data.startsWith(start))?.[1] ?? null;
    return { type: 'media', kind: 'image', source: { data, mime, detail: null }, name: null, field };
  });
}
