/** The tool calls of a message of Ollama's, with the text of their arguments: a number that is parsed loses its digits above 2^53. */
import type { ToolCallPart } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { itemsOf, membersOf } from '../../core/json-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param answer a line or a whole answer
 * @param text its JSON
 * @returns the calls; the id of one is empty where the upstream gives none
 */
export function callsIn(answer: Fields, text: string): ToolCallPart[] {
  const message = answer['message'];
  const calls: unknown = isObject(message) ? message['tool_calls'] : null;
  if (!Array.isArray(calls) || calls.length === 0) return [];
  const texts = callTexts(text);
  return calls.flatMap((call: unknown, at) => {
    const made: unknown = isObject(call) ? call['function'] : null;
    if (!isObject(call) || !isObject(made) || typeof made['name'] !== 'string' || made['name'] === '') return [];
    const { id } = call;
    const args = argumentsText(made['arguments'], texts[at] ?? '');
    return [{ type: 'toolCall', id: typeof id === 'string' ? id : '', name: made['name'], kind: 'function', arguments: args }];
  });
}

/** Some servers write the arguments as a JSON text, as OpenAI does. */
function argumentsText(parsed: unknown, call: string): string {
  if (typeof parsed === 'string') return parsed;
  return parsed === undefined || parsed === null ? '' : memberText(memberText(call, 'function'), 'arguments');
}

function callTexts(text: string): string[] {
  const list = memberText(memberText(text, 'message'), 'tool_calls');
  return itemsOf(list).map(({ start, end }) => list.slice(start, end));
}

/** The text of a member's value; of several with one name that of the last, which the parser takes too. */
function memberText(text: string, name: string): string {
  const member = membersOf(text).findLast((each) => each.name === name);
  return member === undefined ? '' : text.slice(member.value, member.end);
}
