/** The messages of a chat, from a client, as instructions and turns. */
import type { Extras, Part, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import { contentIn, textContentIn } from './decode-content.ts';
import {
  cacheIn,
  extrasOf,
  type Fields,
  keptIn,
  membersBeside,
  neededObject,
  neededString,
  objectIn,
  objectsIn,
  ownIn,
  ownProtocol,
  placeOf,
  refuse,
  stringIn,
} from './members.ts';
import { reasoningIn } from './reasoning-details.ts';

export interface Messages {
  readonly system: readonly Part[];
  readonly turns: readonly Turn[];
}

/** A turn while its messages are read. */
interface Draft {
  readonly role: Turn['role'];
  readonly parts: Part[];
  extras?: Extras;
  /** It has tool results alone: more of them, or the user's own words, may follow in it. */
  open?: boolean;
}

class Reading {
  readonly system: Part[] = [];
  readonly turns: Draft[] = [];
  /** The id that stands for the last `function_call`: such calls have none. */
  legacyCall = '';
}

type ReadMessage = (reading: Reading, message: Fields, place: string) => void;

const readers: Readonly<Record<string, ReadMessage>> = {
  system: readInstructions,
  developer: readInstructions,
  user: readUser,
  assistant: readAssistant,
  tool: readResult,
  function: readResult,
};

/** @throws OlaError `invalid_request` that names the field */
export function messagesIn(request: Fields): Messages {
  const messages = objectsIn(request, 'messages') ?? refuse('messages', '`messages` is missing; give a list of messages.');
  const reading = new Reading();
  for (const [at, message] of messages.entries()) {
    const place = placeOf('messages', at);
    const role = neededString(message, 'role', place);
    const read = Object.hasOwn(readers, role) ? readers[role] : undefined;
    if (read === undefined)
      refuse(placeOf(place, 'role'), `\`${role}\` is no role; use system, developer, user, assistant or tool.`);
    read(reading, message, place);
  }
  const turns = reading.turns.map(({ role, parts, extras }) =>
    extras === undefined ? { role, parts } : { role, parts, extras },
  );
  return { system: reading.system, turns };
}

/** Members and forms of a message that the hub has no place for. */
function ownOf(message: Fields, form: string | undefined, known: readonly string[], more: Fields = {}) {
  const members = membersBeside(message, ['role', 'content', 'cache_control', ...known]);
  return extrasOf({ ...more, members, form });
}

/** The cache hint of a message is that of its last part. */
function withCache(parts: readonly Part[], message: Fields, place: string): readonly Part[] {
  const hint = cacheIn(message, place);
  const last = parts.at(-1);
  return hint.cache === undefined || last === undefined ? parts : [...parts.slice(0, -1), { ...last, ...hint }];
}

/** Instructions in front of all turns are the system's; later ones stay in their place, or the prompt cache would be lost. */
function readInstructions({ system, turns }: Reading, message: Fields, place: string): void {
  const { parts, form } = textContentIn(message, place);
  const { extras } = ownOf(message, form, [], { role: message['role'], onMessage: onMessage(message) });
  const marked = withCache(parts, message, place);
  if (turns.length > 0) {
    if (marked.length > 0) turns.push(draft('system', [...marked], extras));
    return;
  }
  const [first, ...rest] = marked;
  if (first === undefined) return;
  // Each message keeps its own form in its first part: several messages become one list of parts.
  const own = { [ownProtocol]: { ...ownIn(first.extras), message: ownIn(extras) } };
  system.push({ ...first, extras: own });
  for (const part of rest) system.push(part);
}

const onMessage = (message: Fields): true | undefined => (message['cache_control'] === undefined ? undefined : true);

function draft(role: Turn['role'], parts: Part[], extras: Extras | undefined): Draft {
  return extras === undefined ? { role, parts } : { role, parts, extras };
}

/** Results of tools stand first in the turn of the user, and the user's own words behind them. */
function readUser({ turns }: Reading, message: Fields, place: string): void {
  const { parts, form } = contentIn(message, place);
  const { extras } = ownOf(message, form, [], { onMessage: onMessage(message) });
  const marked = withCache(parts, message, place);
  const last = turns.at(-1);
  if (last?.open !== true) {
    turns.push(draft('user', [...marked], extras));
    return;
  }
  for (const part of marked) last.parts.push(part);
  last.open = false;
  if (extras !== undefined) last.extras = extras;
}

function readResult({ turns, legacyCall }: Reading, message: Fields, place: string): void {
  const { parts, form } = contentIn(message, place);
  const legacy = message['role'] === 'function' ? neededString(message, 'name', place) : undefined;
  const result: ToolResultPart = {
    type: 'toolResult',
    callId: legacy === undefined ? neededString(message, 'tool_call_id', place) : legacyCall,
    parts,
    isError: false,
    field: place,
    ...cacheIn(message, place),
    ...ownOf(message, form, ['tool_call_id', ...(legacy === undefined ? [] : ['name'])], { legacy }),
  };
  const last = turns.at(-1);
  if (last?.open === true) last.parts.push(result);
  else turns.push({ role: 'user', parts: [result], open: true });
}

const assistantMembers = [
  'refusal',
  'tool_calls',
  'function_call',
  'audio',
  'reasoning',
  'reasoning_content',
  'reasoning_text',
  'reasoning_details',
];

/** Reasoning stands before text and calls: chat has no order among them. */
function readAssistant(reading: Reading, message: Fields, place: string): void {
  const { parts, form } = contentIn(message, place);
  const refusal = stringIn(message, 'refusal', place);
  const said: Part[] = [...reasoningIn(message, place), ...withCache(parts, message, place)];
  if (refusal !== null && refusal !== '') said.push({ type: 'refusal', text: refusal, field: placeOf(place, 'refusal') });
  const audio = objectIn(message, 'audio', place);
  if (audio !== null)
    said.push({ type: 'opaque', protocol: ownProtocol, name: 'audio', value: audio, field: placeOf(place, 'audio') });
  const calls = (objectsIn(message, 'tool_calls', place) ?? []).map((call, at) =>
    callIn(call, placeOf(`${place}.tool_calls`, at)),
  );
  const legacy = objectIn(message, 'function_call', place);
  if (legacy !== null) {
    reading.legacyCall = `function_call_${place.slice('messages.'.length)}`;
    calls.push(legacyCallIn(legacy, reading.legacyCall, placeOf(place, 'function_call')));
  }
  const { extras } = ownOf(message, form, assistantMembers, { onMessage: onMessage(message) });
  reading.turns.push(draft('assistant', [...said, ...calls], extras));
}

function callIn(call: Fields, place: string): ToolCallPart {
  const kind = call['type'] === 'custom' ? 'custom' : 'function';
  const made = neededObject(call, kind, place);
  const where = placeOf(place, kind);
  const text = kind === 'custom' ? 'input' : 'arguments';
  return {
    type: 'toolCall',
    id: neededString(call, 'id', place),
    name: neededString(made, 'name', where),
    kind,
    arguments: stringIn(made, text, where) ?? '',
    field: place,
    ...extrasOf({ members: membersBeside(call, ['id', 'type', kind]), inner: membersBeside(made, ['name', text]) }),
  };
}

function legacyCallIn(call: Fields, id: string, place: string): ToolCallPart {
  return {
    type: 'toolCall',
    id,
    name: neededString(call, 'name', place),
    kind: 'function',
    arguments: stringIn(call, 'arguments', place) ?? '',
    field: place,
    ...extrasOf({ legacy: true }),
  };
}

/** The form of the message that begins with a part of the instructions; null inside of one, and for those of other clients. */
export function messageBegunBy(part: Part): Fields | null {
  const own = ownIn(part.extras);
  return own['message'] === undefined ? null : keptIn(own, 'message');
}
