/**
 * Free-form tools for upstreams that have functions alone: such a tool goes up as a function with one text, and its calls come
 * back as calls of the tool that the client declared. Pure.
 */
import type { Conversation, Part, Step, Tool, ToolCallPart, Turn } from '../core/conversation.ts';
import { isObject } from '../core/json.ts';

export interface AsFunctions {
  readonly conversation: Conversation;
  /** Names of the tools that the client declared as free-form ones. */
  readonly names: ReadonlySet<string>;
}

const none: ReadonlySet<string> = new Set();

/** @returns the conversation with its free-form tools and their calls as functions */
export function asFunctions(conversation: Conversation): AsFunctions {
  const names = new Set(conversation.tools.flatMap(({ kind, name }) => (kind === 'custom' ? [name] : [])));
  const turns = conversation.turns.map((turn) =>
    turn.parts.some(isCustomCall) ? { ...turn, parts: turn.parts.map(callAsFunction) } : turn,
  );
  const changed = names.size > 0 || turns.some((turn: Turn, at) => turn !== conversation.turns[at]);
  if (!changed) return { conversation, names: none };
  return { conversation: { ...conversation, turns, tools: conversation.tools.map(toolAsFunction) }, names };
}

const isCustomCall = (part: Part): part is ToolCallPart => part.type === 'toolCall' && part.kind === 'custom';

function callAsFunction(part: Part): Part {
  return isCustomCall(part) ? { ...part, kind: 'function', arguments: JSON.stringify({ input: part.arguments }) } : part;
}

function toolAsFunction(tool: Tool): Tool {
  if (tool.kind === 'function') return tool;
  const { grammar, extras: _, ...rest } = tool;
  const rule = grammar === undefined ? '' : `The input follows this grammar (${grammar.syntax}):\n${grammar.definition}`;
  const description = [tool.description ?? '', rule].filter((text) => text !== '').join('\n\n');
  return { ...rest, kind: 'function', description: description === '' ? null : description, parameters: oneText };
}

const oneText = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The whole input of the tool, as plain text.' } },
  required: ['input'],
  additionalProperties: false,
} as const;

/** A call of a function as one of the free-form tool. Arguments that do not hold the text stay as they came. */
function callAsCustom(call: ToolCallPart): ToolCallPart {
  return { ...call, kind: 'custom', arguments: inputOf(call.arguments) };
}

function inputOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const input = isObject(value) ? value['input'] : null;
    return typeof input === 'string' ? input : text;
  } catch {
    return text;
  }
}

export function withCustomCalls(parts: readonly Part[], names: ReadonlySet<string>): readonly Part[] {
  return parts.map((part) => (part.type === 'toolCall' && names.has(part.name) ? callAsCustom(part) : part));
}

/** Restores the calls of a stream. The text of a call is held until its end, because only all of it is JSON. */
export class CustomCalls {
  private readonly names: ReadonlySet<string>;
  private readonly held = new Map<number, { readonly call: ToolCallPart; readonly pieces: string[] }>();

  constructor(names: ReadonlySet<string>) {
    this.names = names;
  }

  take(step: Step, emit: (step: Step) => void): void {
    if (step.type === 'partBegin' && step.part.type === 'toolCall' && this.names.has(step.part.name)) {
      this.held.set(step.index, { call: step.part, pieces: [step.part.arguments] });
      emit({ ...step, part: { ...step.part, kind: 'custom', arguments: '' } });
      return;
    }
    const held = step.type === 'partDelta' || step.type === 'partEnd' ? this.held.get(step.index) : undefined;
    if (held === undefined) emit(step);
    else if (step.type === 'partDelta') held.pieces.push(step.text);
    else if (step.type === 'partEnd') {
      this.held.delete(step.index);
      const text = inputOf(held.pieces.join(''));
      if (text !== '') emit({ type: 'partDelta', index: step.index, text });
      emit(step);
    }
  }
}
