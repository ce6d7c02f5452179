/**
 * Calls of tools and their results as texts: Converse has no choice that forbids a call, and it takes calls in the history with
 * tools alone, which the model might call.
 */
import type { Part, ToolCallPart, Turn } from '../../core/conversation.ts';

export function withToldCalls(turns: readonly Turn[]): readonly Turn[] {
  const names = new Map(turns.flatMap(({ parts }) => parts.flatMap(callName)));
  return turns.map((turn) => ({ ...turn, parts: turn.parts.flatMap((part) => told(part, names)) }));
}

function callName(part: Part): (readonly [string, string])[] {
  return part.type === 'toolCall' ? [[part.id, part.name]] : [];
}

function told(part: Part, names: ReadonlyMap<string, string>): readonly Part[] {
  if (part.type === 'toolCall') return [{ type: 'text', text: textOfCall(part), ...marks(part) }];
  if (part.type !== 'toolResult') return [part];
  const name = names.get(part.callId) ?? 'a tool';
  const head = `[${part.isError ? 'Failed result' : 'Result'} of ${name}]`;
  return [
    { type: 'text', text: head },
    ...part.parts,
    ...(part.cache === undefined ? [] : [{ type: 'text', text: '[end]', ...marks(part) } as const]),
  ];
}

const textOfCall = ({ name, arguments: text }: ToolCallPart) => `[Called ${name} with ${text.trim() === '' ? '{}' : text}]`;

const marks = ({ cache }: Part) => (cache === undefined ? {} : { cache });
