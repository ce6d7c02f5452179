/** Reasoning that other makers encrypted or signed, in a request to an upstream: no vendor is sent the wrapper. */
import { mapItems, mapMember } from '../../core/json-text.ts';
import { mayBeWrapped, type OwnBody, unwrapMember } from '../wrapped-values.ts';

/**
 * Reasoning items of `maker` are unwrapped, those of other makers are cut out.
 * @param text of a body
 */
export function withOwnReasoning(text: string, maker: string): OwnBody {
  let cut = false;
  const own = mapMember(text, 'input', (input) => {
    if (!input.startsWith('[')) return input;
    return mapItems(input, (item) => {
      if (!item.startsWith('{') || !mayBeWrapped(item)) return item;
      const unwrapped = unwrapMember(item, 'encrypted_content', maker);
      cut ||= unwrapped === null;
      return unwrapped;
    });
  });
  return { text: own, cut };
}
