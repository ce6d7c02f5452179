/** Tools and tool choices for Anthropic's API (https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview). */
import type { Conversation, Tool } from '../../core/conversation.ts';
import { objectSchema } from '../object-schema.ts';
import { ownExtras, refuse } from './decode-blocks.ts';
import type { ServerTool } from './decode-tools.ts';
import { type Block, cacheMark } from './encode-blocks.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface EncodedTools {
  /** Written like blocks: a tool has a cache mark too. */
  readonly tools: readonly Block[];
  /** Null: none is sent. */
  readonly choice: Fields | null;
}

/** @param strict the model takes `strict` on tools */
export function encodeTools(conversation: Conversation, serverTools: readonly ServerTool[], strict: boolean): EncodedTools {
  const { toolChoice } = conversation;
  const allowed =
    toolChoice !== null && typeof toolChoice === 'object' && 'allowed' in toolChoice ? new Set(toolChoice.allowed) : null;
  const kept = conversation.tools.filter(({ name }) => allowed === null || allowed.has(name));
  if (kept.length === 0 && conversation.tools.length > 0 && needsCall(toolChoice)) {
    refuse("'tool_choice' allows no tool of the request and asks for a call.", 'tool_choice');
  }
  const tools = kept.map((tool) => encodeTool(tool, strict));
  for (const { at, value } of serverTools) tools.splice(at, 0, { fields: value });
  return { tools, choice: tools.length === 0 ? null : encodeChoice(conversation) };
}

function needsCall(choice: Conversation['toolChoice']): boolean {
  return choice !== null && typeof choice === 'object' && 'allowed' in choice && choice.mode === 'required';
}

function encodeTool(tool: Tool, strict: boolean): Block {
  if (tool.kind === 'custom') {
    refuse(
      `'tools' has the free-form tool '${tool.name}', which Anthropic's API does not have. Declare it as a function, or ask a model of a provider that speaks your client's own protocol.`,
      'tools',
    );
  }
  const { cache_control: mark, ...kept } = ownExtras(tool.extras).fields ?? {};
  const fields = {
    name: tool.name,
    ...(tool.description === null ? {} : { description: tool.description }),
    input_schema: objectSchema(tool.parameters),
    ...(strict && tool.strict === true ? { strict: true } : {}),
    ...kept,
  };
  return tool.cache === undefined ? { fields } : { fields, mark: mark ?? cacheMark(tool.cache) };
}

/** `parallelTools: false` alone never forces a call. */
function encodeChoice({ toolChoice, parallelTools }: Conversation): Fields | null {
  const single = parallelTools === false ? { disable_parallel_tool_use: true } : {};
  if (toolChoice === null) return parallelTools === false ? { type: 'auto', ...single } : null;
  if (toolChoice === 'none') return { type: 'none' };
  if (toolChoice === 'auto') return { type: 'auto', ...single };
  if (toolChoice === 'required') return { type: 'any', ...single };
  if ('name' in toolChoice) return { type: 'tool', name: toolChoice.name, ...single };
  return { type: toolChoice.mode === 'required' ? 'any' : 'auto', ...single };
}

/** Whether the choice makes the model call a tool. */
export function forcesCall(choice: Fields | null): boolean {
  return choice?.['type'] === 'any' || choice?.['type'] === 'tool';
}
