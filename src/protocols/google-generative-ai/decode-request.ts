/** Requests of Google's clients as conversations (https://ai.google.dev/api/generate-content). */
import type { Conversation, OpaqueField, Part, ReasoningPart, Turn } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { exactContents } from './arguments.ts';
import { type CallIds, createCallIds } from './call-ids.ts';
import { decodeConfig } from './decode-config.ts';
import { decodePart } from './decode-parts.ts';
import { decodeToolChoice, decodeTools } from './decode-tools.ts';
import type { RequestExtras } from './encode-request.ts';
import { camelOf, type Fields, member, protocolId, refuse } from './names.ts';
import { placeSignature } from './signatures.ts';
import { unknownInside } from './unknown-members.ts';

/** Members that the hub holds. All others are kept as they came. */
const carried: ReadonlySet<string> = new Set([
  ...['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig'],
]);
/** A prompt that lies at Google. */
const atGoogle = 'cachedContent';

/**
 * @param text of the body: numbers keep their digits where it is given
 * @throws OlaError `invalid_request`, with the field as `param`
 */
export function decodeRequest(body: Fields, text = ''): Conversation {
  const { tools, own: ownTools, opaque: opaqueTools } = decodeTools(member(body, 'tools'));
  const { kept, opaque: opaqueConfig, ...config } = decodeConfig(member(body, 'generationConfig'));
  const others = Object.entries(body).filter(([name, value]) => !carried.has(camelOf(name)) && isTold(value));
  const opaque: readonly OpaqueField[] = [
    ...opaqueTools,
    ...opaqueConfig.map((name) => ({ protocol: protocolId, name, field: `generationConfig.${name}` })),
    ...others.flatMap(([name]) => (camelOf(name) === atGoogle ? [{ protocol: protocolId, name, field: name }] : [])),
  ];
  const own: RequestExtras = {
    ...(others.length === 0 ? {} : { fields: Object.fromEntries(others) }),
    ...(Object.keys(kept).length === 0 ? {} : { config: kept }),
    ...(ownTools.length === 0 ? {} : { tools: ownTools }),
  };
  return {
    system: decodeSystem(member(body, 'systemInstruction')),
    turns: decodeContents(member(body, 'contents'), exactContents(text)),
    tools,
    toolChoice: decodeToolChoice(member(body, 'toolConfig'), tools.length > 0),
    parallelTools: null,
    ...config,
    cacheKey: null,
    user: null,
    stream: false,
    extras: Object.keys(own).length === 0 ? {} : { [protocolId]: { ...own } },
    unknown: [
      ...others.flatMap(([name]) => (camelOf(name) === atGoogle ? [] : [name])),
      ...unknownInside(body),
      ...Object.keys(kept).flatMap((name) => (opaqueConfig.includes(name) ? [] : [`generationConfig.${name}`])),
    ],
    ...(opaque.length === 0 ? {} : { opaque }),
  };
}

/** An empty list asks for nothing. */
const isTold = (value: unknown) => value !== null && value !== undefined && value !== '' && !isEmptyList(value);
const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;

function decodeSystem(instruction: unknown): readonly Part[] {
  if (instruction === undefined) return [];
  if (typeof instruction === 'string') return [{ type: 'text', text: instruction, field: 'systemInstruction' }];
  if (!isObject(instruction)) return refuse("'systemInstruction' must be a content with text.", 'systemInstruction');
  const parts = partsOf(instruction, { field: 'systemInstruction', ids: createCallIds(), textOf: () => null });
  const other = parts.find(({ type }) => type !== 'text');
  if (other !== undefined) {
    const field = other.field ?? 'systemInstruction';
    refuse(`'${field}' must be a text: instructions have no other parts.`, field);
  }
  return parts;
}

function decodeContents(contents: unknown, exact: ReturnType<typeof exactContents>): readonly Turn[] {
  const list: readonly unknown[] = isObject(contents) ? [contents] : Array.isArray(contents) ? contents : [];
  if (list.length === 0) refuse("'contents' must be a list of contents, at least one.", 'contents');
  const ids = createCallIds();
  const turns: { readonly role: 'user' | 'assistant'; readonly parts: Part[] }[] = [];
  for (const [index, content] of list.entries()) {
    const field = `contents.${index}`;
    if (!isObject(content)) refuse(`'${field}' must be a content: an object with 'role' and 'parts'.`, field);
    const role = roleOf(content['role'], field);
    const before = turns.at(-1);
    // Google's SDKs keep each chunk of a streamed answer as a content of its own.
    const turn = role === 'assistant' && before?.role === role ? before : { role, parts: [] };
    if (turn !== before) turns.push(turn);
    const textOf = (place: number) => exact?.(index, place) ?? null;
    for (const part of partsOf(content, { field, ids, textOf })) turn.parts.push(part);
  }
  return turns.map(({ role, parts }) => ({ role, parts: role === 'assistant' ? joined(parts) : parts }));
}

/** `function` is the older role of results. */
function roleOf(role: unknown, field: string): 'user' | 'assistant' {
  if (role === 'model') return 'assistant';
  if (role === undefined || role === null || role === '' || role === 'user' || role === 'function') return 'user';
  return refuse(`'${field}.role' must be 'user' or 'model'.`, `${field}.role`);
}

interface PlaceOfParts {
  readonly field: string;
  readonly ids: CallIds;
  /** The text of a part; null where the parsed part will do. */
  readonly textOf: (place: number) => string | null;
}

function partsOf(content: Fields, { field, ids, textOf }: PlaceOfParts): readonly Part[] {
  const parts = content['parts'] ?? [];
  // The API takes one part in the place of a list.
  const list: readonly unknown[] = Array.isArray(parts) ? parts : [parts];
  return list.flatMap((part, index) => decodePart(part, `${field}.parts.${index}`, { ids, exact: textOf(index) }));
}

/** The pieces of a text are one, as they were streamed; so are those of a thought, with the signature behind them or on its call. */
function joined(parts: readonly Part[]): readonly Part[] {
  const made: Part[] = [];
  for (const part of parts) {
    const before = made.at(-1);
    if (isOpenThought(before) && isPieceOfThought(part)) {
      made.splice(-1, 1, { ...before, ...part, text: before.text + part.text });
    } else if (before?.type === 'text' && part.type === 'text') {
      made.splice(-1, 1, { ...before, text: before.text + part.text });
    } else made.push(part);
  }
  return made;
}

const isOpenThought = (part: Part | undefined): part is ReasoningPart =>
  part?.type === 'reasoning' && part.signature === undefined && part.redacted === undefined;

const isPieceOfThought = (part: Part): part is ReasoningPart =>
  part.type === 'reasoning' && part.redacted === undefined && placeSignature(part.signature ?? '').place !== 'text';
