/** The tools of a chat and the choice among them, from a client. */
import type { Tool, ToolChoice } from '../../core/conversation.ts';
import {
  booleanIn,
  cacheIn,
  extrasOf,
  type Fields,
  membersBeside,
  neededObject,
  neededString,
  objectIn,
  objectsIn,
  placeOf,
  refuse,
  stringIn,
} from './members.ts';

export interface Tools {
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  readonly parallelTools: boolean | null;
}

/**
 * A choice without tools means nothing, and some vendors refuse it: an empty list takes it away.
 * @throws OlaError for a choice that demands a call where no tools are given
 */
export function toolsIn(request: Fields): Tools {
  const listed = objectsIn(request, 'tools');
  const functions = objectsIn(request, 'functions');
  const modern = listed?.map((tool, at) => toolIn(tool, placeOf('tools', at))) ?? [];
  const legacy = functions?.map((tool, at) => functionIn(tool, {}, placeOf('functions', at), extrasOf({ legacy: true }))) ?? [];
  const tools = [...modern, ...legacy];
  const toolChoice = choiceIn(request) ?? legacyChoiceIn(request);
  const parallelTools = booleanIn(request, 'parallel_tool_calls');
  if (tools.length > 0) return { tools, toolChoice, parallelTools: legacy.length > 0 ? false : parallelTools };
  const isEmptied = listed !== null || functions !== null;
  if (!isEmptied && toolChoice !== null && toolChoice !== 'none' && toolChoice !== 'auto')
    refuse('tool_choice', '`tool_choice` demands a call, but the request has no tools; give `tools`, or leave it out.');
  return { tools: [], toolChoice: null, parallelTools: null };
}

function toolIn(tool: Fields, place: string): Tool {
  const type = stringIn(tool, 'type', place) ?? 'function';
  const hint = cacheIn(tool, place);
  if (type === 'custom') return customIn(tool, place);
  if (type !== 'function')
    refuse(placeOf(place, 'type'), `\`${type}\` is a tool of one provider alone; declare a function in its place.`);
  const made = objectIn(tool, 'function', place);
  if (made !== null) {
    const members = membersBeside(tool, ['type', 'function', 'cache_control']);
    const inner = membersBeside(made, functionMembers);
    return functionIn(made, hint, placeOf(place, 'function'), extrasOf({ members, inner, strict: made['strict'] ?? undefined }));
  }
  // Cursor sends tools in the forms of Anthropic's API and of OpenAI's Responses: flat.
  const schema = tool['parameters'] === undefined ? objectIn(tool, 'input_schema', place) : null;
  return functionIn(schema === null ? tool : { ...tool, parameters: schema }, hint, place, {});
}

const functionMembers = ['name', 'description', 'parameters', 'strict'];

function functionIn(made: Fields, hint: Pick<Tool, 'cache'>, place: string, own: Pick<Tool, 'extras'>): Tool {
  return {
    kind: 'function',
    name: neededString(made, 'name', place),
    description: stringIn(made, 'description', place),
    parameters: objectIn(made, 'parameters', place),
    strict: booleanIn(made, 'strict', place),
    ...hint,
    ...own,
  };
}

function customIn(tool: Fields, place: string): Tool {
  const made = neededObject(tool, 'custom', place);
  const where = placeOf(place, 'custom');
  return {
    kind: 'custom',
    name: neededString(made, 'name', where),
    description: stringIn(made, 'description', where),
    parameters: null,
    strict: null,
    ...grammarIn(made, where),
    ...cacheIn(tool, place),
    ...extrasOf({
      members: membersBeside(tool, ['type', 'custom', 'cache_control']),
      inner: membersBeside(made, ['name', 'description']),
    }),
  };
}

function grammarIn(made: Fields, place: string): Pick<Tool, 'grammar'> {
  const format = objectIn(made, 'format', place);
  if (format === null || format['type'] !== 'grammar') return {};
  const where = placeOf(place, 'format');
  const grammar = neededObject(format, 'grammar', where);
  const within = placeOf(where, 'grammar');
  return {
    grammar: { syntax: neededString(grammar, 'syntax', within), definition: neededString(grammar, 'definition', within) },
  };
}

function choiceIn(request: Fields): ToolChoice | null {
  const choice = request['tool_choice'];
  if (choice === undefined || choice === null) return null;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  if (typeof choice === 'string') return refuseChoice('tool_choice');
  const named = objectIn(request, 'tool_choice') ?? {};
  const type = neededString(named, 'type', 'tool_choice');
  if (type === 'function' || type === 'custom') return { name: nameIn(named, type, 'tool_choice') };
  if (type !== 'allowed_tools') return refuseChoice('tool_choice.type');
  const allowed = neededObject(named, 'allowed_tools', 'tool_choice');
  const place = 'tool_choice.allowed_tools';
  const mode = neededString(allowed, 'mode', place);
  if (mode !== 'auto' && mode !== 'required') refuse(placeOf(place, 'mode'), `\`${place}.mode\` must be auto or required.`);
  const tools = objectsIn(allowed, 'tools', place) ?? [];
  return { mode, allowed: tools.map((tool, at) => nameIn(tool, String(tool['type']), placeOf(`${place}.tools`, at))) };
}

function refuseChoice(param: string): never {
  return refuse(param, '`tool_choice` must be auto, none, required, or name a function, a custom tool or allowed tools.');
}

/** The name stands in a member of the tool's type, or beside it as in OpenAI's Responses. */
function nameIn(choice: Fields, type: string, place: string): string {
  const made = objectIn(choice, type, place);
  return made === null ? neededString(choice, 'name', place) : neededString(made, 'name', placeOf(place, type));
}

function legacyChoiceIn(request: Fields): ToolChoice | null {
  const choice = request['function_call'];
  if (choice === undefined || choice === null) return null;
  if (choice === 'auto' || choice === 'none') return choice;
  return { name: neededString(objectIn(request, 'function_call') ?? {}, 'name', 'function_call') };
}
