/** Tools and tool choices, towards an upstream. */
import type { Conversation, Tool, ToolChoice } from '../../core/conversation.ts';
import type { RequestExtras } from './decode-request.ts';
import { type Fields, keptIn, ownIn } from './members.ts';

export function toolFields({ tools, toolChoice, parallelTools }: Conversation, { hosted = [], choice }: RequestExtras): Fields {
  const encoded = tools.map(encodeTool);
  for (const { at, value } of hosted) encoded.splice(at, 0, value);
  if (encoded.length === 0) return {};
  return {
    tools: encoded,
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(toolChoice === null ? {} : { tool_choice: encodeChoice(toolChoice, tools) }),
    ...(parallelTools === null ? {} : { parallel_tool_calls: parallelTools }),
  };
}

const noParameters = { type: 'object', properties: {} };

function encodeTool(tool: Tool): Fields {
  const own = ownIn(tool.extras);
  const described = tool.description === null ? {} : { description: tool.description };
  const head = { type: tool.kind, name: tool.name, ...described };
  if (tool.kind === 'custom') {
    const format = tool.grammar === undefined ? {} : { format: { type: 'grammar', ...tool.grammar } };
    return { ...head, ...format, ...keptIn(own, 'members') };
  }
  return { ...head, parameters: tool.parameters ?? noParameters, ...strictOf(tool, own['strict']), ...keptIn(own, 'members') };
}

/** The vendor makes a function strict, and changes its schema, unless it is told not to: chats have it the other way round. */
function strictOf({ strict }: Tool, asked: unknown): Fields {
  return asked === 'absent' ? {} : { strict: strict ?? asked ?? false };
}

function encodeChoice(choice: ToolChoice, tools: readonly Tool[]): unknown {
  if (typeof choice === 'string') return choice;
  const named = (name: string): Fields => ({ type: tools.find((tool) => tool.name === name)?.kind ?? 'function', name });
  if ('name' in choice) return named(choice.name);
  return { type: 'allowed_tools', mode: choice.mode, tools: choice.allowed.map(named) };
}
