/** The input of a response, from a client: items become turns, and the leading instructions stand apart. */
import type { Part, Turn } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { contentIn } from './decode-content.ts';
import { extrasOf, type Fields, membersBeside, neededString, ownProtocol, refuse, refuseType } from './members.ts';
import { reasoningPart } from './reasoning-item.ts';

export interface DecodedInput {
  readonly system: readonly Part[];
  readonly turns: readonly Turn[];
}

/** @param instructions the request's own; null: none */
export function decodeInput(input: unknown, instructions: string | null): DecodedInput {
  const turns = new Turns();
  if (instructions !== null && instructions !== '')
    turns.system.push({ type: 'text', text: instructions, field: 'instructions' });
  if (typeof input === 'string') turns.user(contentIn(input, 'input'));
  else if (Array.isArray(input)) for (const [at, item] of (input as readonly unknown[]).entries()) takeItem(item, at, turns);
  else if (input !== undefined && input !== null) refuseType('input', 'a text or a list of items');
  return { system: turns.system, turns: turns.all };
}

function takeItem(item: unknown, at: number, turns: Turns): void {
  const place = `input.${at}`;
  if (!isObject(item)) refuseType(place, 'an object');
  const type = item['type'] ?? (item['role'] === undefined ? undefined : 'message');
  if (typeof type !== 'string') refuse(`${place}.type`, `\`${place}.type\` is missing; give the type of the item.`);
  const take = Object.hasOwn(items, type) ? items[type] : undefined;
  if (take === undefined) takeOther(item, type, place, turns);
  else take(item, place, turns);
}

type TakeItem = (item: Fields, place: string, turns: Turns) => void;

const items: Readonly<Record<string, TakeItem>> = {
  message: takeMessage,
  reasoning(item, place, turns) {
    const part = reasoningPart(item);
    if (part !== null) turns.assistant({ ...part, field: place });
  },
  function_call(item, place, turns) {
    turns.assistant({ ...callIn(item, place), kind: 'function', arguments: neededString(item, 'arguments', place) });
  },
  custom_tool_call(item, place, turns) {
    turns.assistant({ ...callIn(item, place), kind: 'custom', arguments: neededString(item, 'input', place) });
  },
  function_call_output: takeResult,
  custom_tool_call_output: takeResult,
  item_reference(_item, place) {
    refuse(place, `\`${place}\` refers to an item that one provider keeps; send the item itself.`);
  },
};

/** Blocks that only this protocol knows: calls of tools that run at the provider, and what clients answer to them. */
function takeOther(item: Fields, type: string, place: string, turns: Turns): void {
  const part: Part = { type: 'opaque', protocol: ownProtocol, name: type, value: item, field: place };
  if (/_(?:output|response)$/.test(type)) turns.result(part);
  else turns.assistant(part);
}

function takeMessage(item: Fields, place: string, turns: Turns): void {
  const { role } = item;
  const parts = contentIn(item['content'], `${place}.content`);
  const members = membersBeside(item, ['type', 'role', 'content', 'id', 'status']);
  if (role === 'assistant') for (const part of parts) turns.assistant({ ...part, ...extrasOf({ members }) });
  else if (role === 'user') turns.user(parts, members);
  else if (role === 'system' || role === 'developer') turns.instructions(parts, role, place);
  else refuse(`${place}.role`, `\`${place}.role\` must be user, assistant, system or developer.`);
}

function callIn(item: Fields, place: string) {
  const members = membersBeside(item, ['type', 'id', 'call_id', 'name', 'arguments', 'input', 'status']);
  return {
    type: 'toolCall',
    id: neededString(item, 'call_id', place),
    name: neededString(item, 'name', place),
    field: place,
    ...extrasOf({ members }),
  } as const;
}

function takeResult(item: Fields, place: string, turns: Turns): void {
  const callId = neededString(item, 'call_id', place);
  const parts = contentIn(item['output'], `${place}.output`);
  turns.result({ type: 'toolResult', callId, parts, isError: false, field: place });
}

interface OpenTurn extends Turn {
  readonly parts: Part[];
}

class Turns {
  readonly system: Part[] = [];
  readonly all: OpenTurn[] = [];
  /** The turn of results that the next result belongs to. */
  private results: OpenTurn | null = null;

  user(parts: readonly Part[], members: Fields = {}): void {
    this.push({ role: 'user', parts: [...parts], ...extrasOf({ members }) });
  }

  /** Items of the model that stand together are one turn. */
  assistant(part: Part): void {
    const last = this.all.at(-1);
    if (last?.role === 'assistant') last.parts.push(part);
    else this.push({ role: 'assistant', parts: [part] });
  }

  result(part: Part): void {
    if (this.results !== null) this.results.parts.push(part);
    else this.results = this.push({ role: 'user', parts: [part] });
  }

  /** Those in front of all other items are leading ones; later ones stay in their place. */
  instructions(parts: readonly Part[], role: string, place: string): void {
    for (const { type, field = place } of parts)
      if (type !== 'text') refuse(field, `\`${field}\` must be a text: instructions are text alone.`);
    if (this.all.length > 0) this.push({ role: 'system', parts: [...parts], ...extrasOf({ role }) });
    else this.system.push(...parts.map((part, at): Part => ({ ...part, ...extrasOf({ role, begins: at === 0 }) })));
  }

  private push(turn: OpenTurn): OpenTurn {
    this.results = null;
    this.all.push(turn);
    return turn;
  }
}
