/** Members inside of a request that only Anthropic knows and that other upstreams are not told, by the names of its documentation. */
import type { Part, Tool, Turn } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { ownExtras } from './decode-blocks.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Members of objects that the hub holds in part: those that it holds. */
const heldInside: Readonly<Record<string, readonly string[]>> = {
  metadata: ['user_id'],
  output_config: ['effort', 'format'],
  thinking: ['type', 'budget_tokens', 'display'],
};
/** Members that the hub holds in another way, and kept forms of what it holds. */
const heldOfTools: readonly string[] = ['cache_control', 'type'];
const heldOfBlocks: readonly string[] = ['cache_control', 'source', 'is_error'];

/** @returns dotted names, each once: `output_config.task_budget`, `tools.defer_loading`, `document.citations` */
export function unknownInside(body: Fields, tools: readonly Tool[], turns: readonly Turn[]): readonly string[] {
  const names = new Set<string>();
  for (const [name, held] of Object.entries(heldInside)) add(names, name, body[name], held);
  for (const { extras } of tools) add(names, 'tools', ownExtras(extras).fields, heldOfTools);
  for (const { parts } of turns) addBlocks(names, parts);
  return [...names];
}

function add(names: Set<string>, place: string, fields: unknown, held: readonly string[]): void {
  if (!isObject(fields)) return;
  for (const [name, value] of Object.entries(fields))
    if (value !== null && value !== undefined && !held.includes(name)) names.add(`${place}.${name}`);
}

function addBlocks(names: Set<string>, parts: readonly Part[]): void {
  for (const part of parts) {
    add(names, blockName(part), ownExtras(part.extras).fields, heldOfBlocks);
    if (part.type === 'toolResult') addBlocks(names, part.parts);
  }
}

function blockName(part: Part): string {
  if (part.type === 'media') return part.kind;
  if (part.type === 'toolCall') return 'tool_use';
  if (part.type === 'toolResult') return 'tool_result';
  return part.type === 'reasoning' ? 'thinking' : part.type;
}
