/** Thinking that other makers signed, in a request to Anthropic: no vendor is sent the wrapper. */
import { isObject } from '../../core/json.ts';
import { mapItems, mapMember } from '../../core/json-text.ts';
import { isEmptyList, mapMessages, mayBeWrapped, type OwnBody, unwrapMember } from '../wrapped-values.ts';

/** The member that holds the signature, or the encrypted reasoning. */
const signedMember: ReadonlyMap<unknown, string> = new Map([
  ['thinking', 'signature'],
  ['redacted_thinking', 'data'],
]);

/**
 * Thinking blocks that `maker` signed are unwrapped, those of other makers are cut out. A message that has nothing else goes
 * with them: Anthropic refuses empty content, and joins turns of the same role.
 * @param text of a body
 */
export function withOwnThinking(text: string, maker: string): OwnBody {
  let cut = false;
  const own = (block: string): string | null => {
    const changed = ownBlock(block, maker);
    cut ||= changed === null;
    return changed;
  };
  const edited = mapMessages(text, (message) => {
    let isEmptied = false;
    const changed = mapMember(message, 'content', (content) => {
      if (!content.startsWith('[')) return content;
      const blocks = mapItems(content, own);
      isEmptied = isEmptyList(blocks) && !isEmptyList(content);
      return blocks;
    });
    return isEmptied ? null : changed;
  });
  return { text: edited, cut };
}

function ownBlock(text: string, maker: string): string | null {
  if (!mayBeWrapped(text)) return text;
  const block: unknown = JSON.parse(text);
  const member = isObject(block) ? signedMember.get(block['type']) : undefined;
  return member === undefined ? text : unwrapMember(text, member, maker);
}
