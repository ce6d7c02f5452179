/** Reasoning that other makers encrypted or signed, in a request to an upstream: no vendor is sent the wrapper. */
import { mapItems, mapMember } from '../../core/json-text.ts';
import { mayBeWrapped, unwrapMember } from '../wrapped-values.ts';

/**
 * Reasoning items of `maker` are unwrapped, those of other makers are cut out.
 * @param text of a body
 */
export function withOwnReasoning(text: string, maker: string): string {
  return mapMember(text, 'input', (input) => {
    if (!input.startsWith('[')) return input;
    return mapItems(input, (item) => {
      if (!item.startsWith('{') || !mayBeWrapped(item)) return item;
      return unwrapMember(item, 'encrypted_content', maker);
    });
  });
}
