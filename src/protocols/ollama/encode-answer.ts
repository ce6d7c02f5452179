/** Answers of the hub for Ollama's clients, whole: of `/api/chat`, and of `/api/generate`, which has no calls. */
import type { Answer, Part, ToolCallPart } from '../../core/conversation.ts';
import type { Making } from '../../core/protocol.ts';
import { argumentsObject, isObjectText } from '../object-arguments.ts';
import { wellFormedJson } from '../well-formed-json.ts';
import { writeObject } from '../write-object.ts';
import { isGenerate } from './decode-request.ts';
import { writeEnd } from './done-reasons.ts';
import { writeUsage } from './usage.ts';

type Member = readonly [name: string, json: string];

/** @returns JSON */
export function encodeAnswer({ model, parts, tokens, end }: Answer, making: Making): string {
  const calls = parts.filter((part) => part.type === 'toolCall').flatMap((part) => writeCall(part, end.reason === 'length'));
  const said = { text: joined(parts, ['text', 'refusal']), thinking: joined(parts, ['reasoning']), calls };
  const refused = parts.some(({ type }) => type === 'refusal');
  return line(headOf(model, making), [
    ...saidMembers(said, making),
    ['done', 'true'],
    ['done_reason', JSON.stringify(writeEnd(end, refused))],
    ...membersOf(writeUsage(tokens)),
  ]);
}

/** The members with which each line of an answer begins, as JSON. */
export function headOf(model: string | null, { createdAt, model: asked }: Making): readonly Member[] {
  return membersOf({ model: model ?? asked, created_at: new Date(createdAt * 1000).toISOString() });
}

export interface Said {
  readonly text: string;
  readonly thinking: string;
  /** JSON. */
  readonly calls: readonly string[];
}

/** The words of a line. */
export function saidMembers({ text, thinking, calls }: Said, { request }: Making): readonly Member[] {
  const thought: readonly Member[] = thinking === '' ? [] : [['thinking', JSON.stringify(thinking)]];
  if (isGenerate(request)) return [['response', JSON.stringify(text)], ...thought];
  const message = writeObject([
    ['role', '"assistant"'],
    ['content', JSON.stringify(text)],
    ...thought,
    ...(calls.length === 0 ? [] : [['tool_calls', `[${calls.join(',')}]`] as const]),
  ]);
  return [['message', message]];
}

/** @returns JSON */
export function line(head: readonly Member[], members: readonly Member[]): string {
  return wellFormedJson(writeObject([...head, ...members]));
}

export function membersOf(fields: Readonly<Record<string, unknown>>): readonly Member[] {
  return Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]);
}

/**
 * A call that the length limit cut is left out: an agent would run its tool with half of the arguments.
 * @returns JSON, or nothing
 */
export function writeCall(call: ToolCallPart, isCut: boolean): readonly string[] {
  const { id, name, kind, arguments: text } = call;
  if (isCut && kind === 'function' && !isObjectText(text)) return [];
  const input = kind === 'custom' ? JSON.stringify({ input: text }) : argumentsObject(text);
  const made = writeObject([
    ['name', JSON.stringify(name)],
    ['arguments', input],
  ]);
  return [
    writeObject([
      ['id', JSON.stringify(id)],
      ['function', made],
    ]),
  ];
}

/** Texts follow each other without a joint, as the pieces of a stream do. */
function joined(parts: readonly Part[], types: readonly Part['type'][]): string {
  return parts.map((part) => (types.includes(part.type) && 'text' in part ? part.text : '')).join('');
}
