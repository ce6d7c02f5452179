/** Tools and tool choices of Anthropic's requests. */
import type { Conversation, Tool } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { marked, refuse } from './decode-blocks.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A tool that runs at Anthropic, or whose form only Anthropic's models know (`web_search_20250305`, `bash_20250124`). */
export interface ServerTool {
  /** Its place in the list of tools. */
  readonly at: number;
  readonly value: Fields;
}

export interface DecodedTools {
  readonly tools: readonly Tool[];
  readonly serverTools: readonly ServerTool[];
}

export function decodeTools(list: unknown): DecodedTools {
  if (list === undefined) return { tools: [], serverTools: [] };
  if (!Array.isArray(list)) refuse("'tools' must be a list of tools.", 'tools');
  const tools: Tool[] = [];
  const serverTools: ServerTool[] = [];
  for (const [at, tool] of (list as readonly unknown[]).entries()) {
    if (!isObject(tool)) refuse(`'tools.${at}' must be a tool: an object with a 'name'.`, `tools.${at}`);
    if (tool['type'] === undefined || tool['type'] === null || tool['type'] === 'custom')
      tools.push(decodeTool(tool, `tools.${at}`));
    else serverTools.push({ at, value: tool });
  }
  return { tools, serverTools };
}

function decodeTool(tool: Fields, field: string): Tool {
  const { name, description, input_schema: schema, strict, cache_control: cache, ...fields } = tool;
  if (typeof name !== 'string') refuse(`'${field}.name' must be a text.`, `${field}.name`);
  if (schema !== undefined && !isObject(schema))
    refuse(`'${field}.input_schema' must be a JSON Schema.`, `${field}.input_schema`);
  return {
    kind: 'function',
    name,
    description: typeof description === 'string' ? description : null,
    parameters: schema ?? null,
    strict: typeof strict === 'boolean' ? strict : null,
    ...marked(cache, { fields }),
  };
}

type DecodedChoice = Pick<Conversation, 'toolChoice' | 'parallelTools'>;

/** @param hasTools false: a choice without tools means nothing */
export function decodeToolChoice(choice: unknown, hasTools: boolean): DecodedChoice {
  if (choice === undefined || !hasTools) return { toolChoice: null, parallelTools: null };
  if (!isObject(choice)) refuse("'tool_choice' must be an object with a 'type'.", 'tool_choice');
  const disabled = choice['disable_parallel_tool_use'];
  return { toolChoice: wishIn(choice), parallelTools: typeof disabled === 'boolean' ? !disabled : null };
}

function wishIn({ type, name }: Fields): Conversation['toolChoice'] {
  if (type === 'auto' || type === 'none') return type;
  if (type === 'any') return 'required';
  if (type === 'tool' && typeof name === 'string') return { name };
  return refuse("'tool_choice.type' must be 'auto', 'any', 'none', or 'tool' with a 'name'.", 'tool_choice');
}
