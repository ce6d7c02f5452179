/** Tools and tool choices of a response, from a client. */
import type { OpaqueField, Tool, ToolChoice, ToolGrammar } from '../../core/conversation.ts';
import {
  booleanIn,
  extrasOf,
  type Fields,
  membersBeside,
  neededString,
  objectIn,
  objectsIn,
  ownProtocol,
  refuse,
  stringIn,
} from './members.ts';

/** A tool that runs at the provider, or whose form only its models know (`web_search`, `local_shell`). */
export interface HostedTool {
  /** Its place in the list of tools. */
  readonly at: number;
  readonly value: Fields;
}

export interface DecodedTools {
  readonly tools: readonly Tool[];
  readonly hosted: readonly HostedTool[];
}

export function decodeTools(request: Fields): DecodedTools {
  const tools: Tool[] = [];
  const hosted: HostedTool[] = [];
  for (const [at, tool] of (objectsIn(request, 'tools') ?? []).entries()) {
    const type = neededString(tool, 'type', `tools.${at}`);
    if (type === 'function') tools.push(functionIn(tool, `tools.${at}`));
    else if (type === 'custom') tools.push(customIn(tool, `tools.${at}`));
    else hosted.push({ at, value: tool });
  }
  return { tools, hosted };
}

function functionIn(tool: Fields, place: string): Tool {
  const strict = booleanIn(tool, 'strict', place);
  return {
    kind: 'function',
    name: neededString(tool, 'name', place),
    description: stringIn(tool, 'description', place),
    parameters: objectIn(tool, 'parameters', place),
    // A chat upstream is not strict unless it is told to be.
    strict: strict === true ? true : null,
    ...extrasOf({
      members: membersBeside(tool, ['type', 'name', 'description', 'parameters', 'strict']),
      strict: strict ?? 'absent',
    }),
  };
}

function customIn(tool: Fields, place: string): Tool {
  return {
    kind: 'custom',
    name: neededString(tool, 'name', place),
    description: stringIn(tool, 'description', place),
    parameters: null,
    strict: null,
    ...grammarIn(tool, place),
    ...extrasOf({ members: membersBeside(tool, ['type', 'name', 'description', 'format']) }),
  };
}

function grammarIn(tool: Fields, place: string): { readonly grammar?: ToolGrammar } {
  const format = objectIn(tool, 'format', place);
  if (format === null || format['type'] !== 'grammar') return {};
  const where = `${place}.format`;
  return {
    grammar: { syntax: neededString(format, 'syntax', where), definition: neededString(format, 'definition', where) },
  };
}

export function opaqueTool({ at, value }: HostedTool): OpaqueField {
  return { protocol: ownProtocol, name: String(value['type']), field: `tools.${at}` };
}

export interface DecodedChoice {
  readonly choice: ToolChoice | null;
  /** A choice of a tool that runs at the provider. */
  readonly hosted: Fields | null;
}

/** @param hasTools false: a choice without tools means nothing */
export function decodeChoice(request: Fields, hasTools: boolean): DecodedChoice {
  const value = request['tool_choice'];
  if (value === undefined || value === null || !hasTools) return { choice: null, hosted: null };
  if (value === 'auto' || value === 'none' || value === 'required') return { choice: value, hosted: null };
  if (typeof value === 'string') return refuseChoice('tool_choice');
  const wish = objectIn(request, 'tool_choice') ?? {};
  const type = neededString(wish, 'type', 'tool_choice');
  if (type === 'function' || type === 'custom') {
    return { choice: { name: neededString(wish, 'name', 'tool_choice') }, hosted: null };
  }
  return type === 'allowed_tools' ? allowedIn(wish) : { choice: null, hosted: wish };
}

function allowedIn(wish: Fields): DecodedChoice {
  const { mode } = wish;
  if (mode !== 'auto' && mode !== 'required') return refuseChoice('tool_choice.mode');
  const tools = objectsIn(wish, 'tools') ?? [];
  if (tools.some(({ type }) => type !== 'function' && type !== 'custom')) return { choice: null, hosted: wish };
  const allowed = tools.map((tool, at) => neededString(tool, 'name', `tool_choice.tools.${at}`));
  return { choice: { mode, allowed }, hosted: null };
}

function refuseChoice(param: string): never {
  return refuse(param, '`tool_choice` must be auto, none, required, or name a function, a custom tool or allowed tools.');
}
