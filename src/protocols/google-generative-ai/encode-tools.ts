/** Tools and tool choices for Google's API (https://ai.google.dev/gemini-api/docs/function-calling). */
import type { Conversation, Tool } from '../../core/conversation.ts';
import { type Fields, refuse } from './names.ts';

/** @returns the members `tools` and `toolConfig`; none without tools */
export function encodeTools({ tools, toolChoice }: Conversation, ownTools: readonly Fields[]): Fields {
  const allowed = toolChoice !== null && typeof toolChoice === 'object' && 'allowed' in toolChoice ? toolChoice : null;
  const kept = tools.filter(({ name }) => allowed === null || allowed.allowed.includes(name));
  if (kept.length === 0 && tools.length > 0 && allowed?.mode === 'required') {
    refuse("'tool_choice' allows no tool of the request and asks for a call.", 'tool_choice');
  }
  const functions = kept.length === 0 ? [] : [{ functionDeclarations: kept.map(encodeTool) }];
  const all = [...functions, ...ownTools];
  if (all.length === 0) return {};
  const choice = kept.length === 0 ? null : encodeChoice(toolChoice);
  return { tools: all, ...(choice === null ? {} : { toolConfig: { functionCallingConfig: choice } }) };
}

/** `parametersJsonSchema` takes a schema whole, where `parameters` knows a few words of OpenAPI alone. */
function encodeTool(tool: Tool): Fields {
  if (tool.kind === 'custom') {
    refuse(
      `'tools' has the free-form tool '${tool.name}', which Google's API does not have. Declare it as a function, or ask a model of a provider that speaks your client's own protocol.`,
      'tools',
    );
  }
  return {
    name: tool.name,
    ...(tool.description === null || tool.description === '' ? {} : { description: tool.description }),
    ...(tool.parameters === null ? {} : { parametersJsonSchema: tool.parameters }),
  };
}

function encodeChoice(choice: Conversation['toolChoice']): Fields | null {
  if (choice === null) return null;
  if (choice === 'auto') return { mode: 'AUTO' };
  if (choice === 'none') return { mode: 'NONE' };
  if (choice === 'required') return { mode: 'ANY' };
  if ('name' in choice) return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  return { mode: choice.mode === 'required' ? 'ANY' : 'AUTO' };
}
