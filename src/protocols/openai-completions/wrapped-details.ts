/** Reasoning that other makers signed, in a request to an OpenAI-compatible upstream: no vendor is sent the wrapper. */
import { mapItems, mapMember } from '../../core/json-text.ts';
import { wrapperPrefix } from '../../core/signed-reasoning.ts';
import { isEmptyList, mapMessages, mayBeWrapped, unwrapMember } from '../wrapped-values.ts';

/**
 * `reasoning_details` of OpenRouter's convention that `maker` signed are unwrapped, those of other makers are cut out, and so are
 * Google's signatures of tool calls.
 * @param text of a body
 */
export function withOwnDetails(text: string, maker: string): string {
  return mapMessages(text, (message) => {
    const details = mapMember(message, 'reasoning_details', (list) => ownDetails(list, maker));
    return mapMember(details, 'tool_calls', (calls) =>
      calls.startsWith('[') ? mapItems(calls, (call) => ownCall(call, maker)) : calls,
    );
  });
}

function ownDetails(list: string, maker: string): string | null {
  if (!list.startsWith('[')) return list;
  const own = mapItems(list, (entry) => {
    if (!entry.startsWith('{') || !mayBeWrapped(entry)) return entry;
    const signed = unwrapMember(entry, 'signature', maker);
    return signed === null ? null : unwrapMember(signed, 'data', maker);
  });
  return isEmptyList(own) ? null : own;
}

/** `extra_content.google.thought_signature`, which is base64. */
function ownCall(call: string, maker: string): string {
  if (!call.startsWith('{') || !mayBeWrapped(call)) return call;
  return mapMember(call, 'extra_content', (extra) => {
    const own = extra.replaceAll(`${wrapperPrefix}${maker}.`, '');
    return mayBeWrapped(own) ? null : own;
  });
}
