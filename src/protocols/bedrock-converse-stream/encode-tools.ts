/** Tools and tool choices for Converse (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html). */
import type { Conversation, Tool } from '../../core/conversation.ts';
import { objectSchema } from '../object-schema.ts';
import type { Block } from './cache-points.ts';
import { refuse } from './refuse.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface EncodedTools {
  /** Empty: no `toolConfig` is sent. */
  readonly tools: readonly Block[];
  /** Null: none is sent. */
  readonly choice: Fields | null;
}

const notOffered = 'It was called earlier in the conversation and is not offered now: do not call it.';

/**
 * @param called names of the tools that the history calls: Converse refuses calls without a `toolConfig`
 * @param strict the model takes `strict` on tools
 */
export function encodeTools(conversation: Conversation, called: readonly string[], strict: boolean): EncodedTools {
  const { tools, toolChoice } = conversation;
  const allowed = toolChoice !== null && typeof toolChoice === 'object' && 'allowed' in toolChoice ? toolChoice : null;
  const kept = tools.filter(({ name }) => allowed === null || allowed.allowed.includes(name));
  if (kept.length === 0 && tools.length > 0 && allowed?.mode === 'required') {
    refuse("'tool_choice' allows no tool of the request and asks for a call.", 'tool_choice');
  }
  if (kept.length > 0) return { tools: kept.map((tool) => encodeTool(tool, strict)), choice: encodeChoice(conversation) };
  const earlier = called.map((name) => specOf({ name, description: notOffered, inputSchema: { json: objectSchema(null) } }));
  return { tools: earlier, choice: null };
}

function encodeTool({ kind, name, description, parameters, strict: isStrict, cache }: Tool, strict: boolean): Block {
  if (kind === 'custom') {
    refuse(
      `'tools' has the free-form tool '${name}', which Amazon Bedrock does not have. Declare it as a function, or ask a model of another provider.`,
      'tools',
    );
  }
  const spec = {
    name,
    // Bedrock refuses an empty description.
    ...(description === null || description.trim() === '' ? {} : { description }),
    inputSchema: { json: schemaOf(parameters) },
    ...(strict && isStrict === true ? { strict: true } : {}),
  };
  return { ...specOf(spec), cache };
}

function specOf(toolSpec: Fields): Block {
  return { json: JSON.stringify({ toolSpec }) };
}

/** Some models refuse the name of the schema's own dialect. */
function schemaOf(parameters: Fields | null): Fields {
  const { $schema: _, ...schema } = objectSchema(parameters);
  return schema;
}

/** Converse has no choice that forbids a call, and no field for one call at a time. */
function encodeChoice({ toolChoice }: Conversation): Fields | null {
  if (toolChoice === null || toolChoice === 'none') return null;
  if (toolChoice === 'auto') return { auto: {} };
  if (toolChoice === 'required') return { any: {} };
  if ('name' in toolChoice) return { tool: { name: toolChoice.name } };
  return toolChoice.mode === 'required' ? { any: {} } : { auto: {} };
}

/** Whether the choice makes the model call a tool. */
export function forcesCall(choice: Fields | null): boolean {
  return choice !== null && !('auto' in choice);
}
