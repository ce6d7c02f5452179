/** The tool calls of an answer of Ollama's: their arguments are an object, and become the text that the hub holds. */
import type { ToolCallPart } from '../../core/conversation.ts';
import { parseExact } from '../../core/exact-json.ts';
import { isObject } from '../../core/json.ts';

/**
 * @param message of a line or a whole answer
 * @param text the JSON around it: numbers of the arguments keep their digits
 * @returns the calls; the id of one is empty where the upstream gives none
 */
export function callsIn(message: Readonly<Record<string, unknown>>, text: string): ToolCallPart[] {
  if (!Array.isArray(message['tool_calls']) || message['tool_calls'].length === 0) return [];
  const answer = parseExact(text);
  const exact: unknown = isObject(answer) ? answer['message'] : null;
  const calls: unknown = isObject(exact) ? exact['tool_calls'] : null;
  return Array.isArray(calls) ? calls.flatMap(callOf) : [];
}

/** Nothing for a call without a name. */
function callOf(call: unknown): ToolCallPart[] {
  const made: unknown = isObject(call) ? call['function'] : null;
  if (!isObject(call) || !isObject(made) || typeof made['name'] !== 'string' || made['name'] === '') return [];
  const { id } = call;
  const part = { type: 'toolCall', id: typeof id === 'string' ? id : '', name: made['name'], kind: 'function' } as const;
  return [{ ...part, arguments: argumentsText(made['arguments']) }];
}

/** Some servers write the arguments as a JSON text, as OpenAI does. */
export function argumentsText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
