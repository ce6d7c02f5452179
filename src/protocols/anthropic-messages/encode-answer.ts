/** Answers of the hub as whole messages for Anthropic's clients. */
import type { Answer, Part, ToolCallPart } from '../../core/conversation.ts';
import type { Making } from '../../core/protocol.ts';
import { argumentsObject, isObjectText } from '../object-arguments.ts';
import { wellFormedJson } from '../well-formed-json.ts';
import { writeObject } from '../write-object.ts';
import { ownExtras, protocolId } from './decode-blocks.ts';
import { writeEnd } from './end-reasons.ts';
import { writeUsage } from './usage.ts';

/** @returns JSON */
export function encodeAnswer(answer: Answer, making: Making): string {
  const { parts, end, tokens, extras } = answer;
  const blocks = parts.flatMap((part, index) => encodePart(part, end.reason === 'length', index === parts.length - 1));
  const { stop_reason: reason, stop_sequence: sequence } = writeEnd(end, hasRefusal(parts));
  const others = Object.entries(extras?.[protocolId] ?? {}).map(([name, value]) => member(name, value));
  return wellFormedJson(
    writeObject([
      member('id', answer.id ?? messageId(making)),
      member('type', 'message'),
      member('role', 'assistant'),
      member('model', answer.model ?? making.model),
      ['content', `[${blocks.join(',')}]`],
      member('stop_reason', reason),
      member('stop_sequence', sequence),
      member('usage', writeUsage(tokens)),
      ...others,
    ]),
  );
}

export function messageId({ id }: Making): string {
  return id.startsWith('msg_') ? id : `msg_${id}`;
}

function hasRefusal(parts: readonly Part[]): boolean {
  return parts.some(({ type }) => type === 'refusal');
}

function member(name: string, value: unknown): readonly [string, string] {
  return [name, JSON.stringify(value)];
}

/**
 * @param isCut the answer ended by the length limit
 * @returns the JSON texts of a part's blocks
 */
function encodePart(part: Part, isCut: boolean, isLast: boolean): readonly string[] {
  const { fields } = ownExtras(part.extras);
  switch (part.type) {
    case 'text':
      return [JSON.stringify({ type: 'text', text: part.text, ...fields })];
    case 'refusal':
      return [JSON.stringify({ type: 'text', text: part.text })];
    case 'reasoning': {
      const redacted = part.redacted === undefined ? [] : [{ type: 'redacted_thinking', data: part.redacted, ...fields }];
      const isShown = part.redacted === undefined || part.text !== '';
      const shown = isShown ? [{ type: 'thinking', thinking: part.text, signature: part.signature ?? '', ...fields }] : [];
      return [...shown, ...redacted].map((each) => JSON.stringify(each));
    }
    case 'toolCall':
      return encodeCall(part, isCut, isLast);
    case 'opaque':
      return part.protocol === protocolId ? [JSON.stringify(part.value)] : [];
    default:
      return [];
  }
}

/** A call that the length limit cut is left out: an agent would run its tool with half of the arguments. */
function encodeCall(part: ToolCallPart, isCut: boolean, isLast: boolean): readonly string[] {
  const isCustom = part.kind === 'custom';
  const isWhole = isCustom || isObjectText(part.arguments) || (part.arguments.trim() === '' && !isLast);
  if (isCut && !isWhole) return [];
  const { id, name } = part;
  const head = JSON.stringify({ type: 'tool_use', id, name }).slice(0, -1);
  const input = isCustom ? JSON.stringify({ input: part.arguments }) : argumentsObject(part.arguments);
  const others = JSON.stringify(ownExtras(part.extras).fields ?? {}).slice(1, -1);
  return [`${head},"input":${input}${others === '' ? '' : `,${others}`}}`];
}
