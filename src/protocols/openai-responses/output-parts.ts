/** Items of a response's output as parts of the hub. */
import type { Part } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { extrasOf, type Fields, ownProtocol } from './members.ts';
import { reasoningPart } from './reasoning-item.ts';

/** Gives each call of one answer an id of its own: clients pair calls and results by it. */
export type DistinctId = (id: string) => string;

export function textOfValue(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** @returns the parts of an item; none for one that says nothing */
export function partsOfItem(item: Fields, distinct: DistinctId): readonly Part[] {
  switch (item['type']) {
    case 'message':
      return messageParts(item);
    case 'function_call':
    case 'custom_tool_call':
      return [callPart(item, distinct)];
    case 'reasoning': {
      const part = reasoningPart(item);
      return part === null ? [] : [part];
    }
    default:
      return [opaquePart(item)];
  }
}

/** A call with the arguments that are known of it. */
export function callPart(item: Fields, distinct: DistinctId): Extract<Part, { type: 'toolCall' }> {
  const isCustom = item['type'] === 'custom_tool_call';
  return {
    type: 'toolCall',
    id: distinct(textOfValue(item['call_id']) || textOfValue(item['id'])),
    name: textOfValue(item['name']),
    kind: isCustom ? 'custom' : 'function',
    arguments: textOfValue(isCustom ? item['input'] : item['arguments']),
    ...extrasOf({ members: typeof item['namespace'] === 'string' ? { namespace: item['namespace'] } : {} }),
  };
}

function messageParts({ content }: Fields): readonly Part[] {
  return Array.isArray(content) ? content.flatMap((part: unknown) => (isObject(part) ? contentPart(part) : [])) : [];
}

/** @returns nothing for content of another kind */
export function contentPart(part: Fields): readonly Part[] {
  if (part['type'] === 'refusal') return [{ type: 'refusal', text: textOfValue(part['refusal']) }];
  if (part['type'] !== 'output_text' && part['type'] !== 'text') return [];
  const annotations: unknown = part['annotations'];
  const noted = Array.isArray(annotations) && annotations.length > 0 ? { annotations } : {};
  return [{ type: 'text', text: textOfValue(part['text']), ...extrasOf({ output: noted }) }];
}

export function opaquePart(item: Fields): Part {
  return { type: 'opaque', protocol: ownProtocol, name: textOfValue(item['type']), value: item };
}
