/** Reasoning that other makers signed, in a request to an OpenAI-compatible upstream: no vendor is sent the wrapper. */
import { mapItems, mapMember } from '../../core/json-text.ts';
import { wrapperPrefix } from '../../core/signed-reasoning.ts';
import { isEmptyList, mapMessages, mayBeWrapped, type OwnBody, unwrapMember } from '../wrapped-values.ts';

/**
 * `reasoning_details` of OpenRouter's convention that `maker` signed are unwrapped, those of other makers are cut out, and so are
 * Google's signatures of tool calls.
 * @param text of a body
 */
export function withOwnDetails(text: string, maker: string): OwnBody {
  let cut = false;
  const watched = (own: string | null): string | null => {
    cut ||= own === null;
    return own;
  };
  const edited = mapMessages(text, (message) => {
    const details = mapMember(message, 'reasoning_details', (list) => {
      if (!list.startsWith('[')) return list;
      const own = mapItems(list, (entry) => watched(ownDetail(entry, maker)));
      return isEmptyList(own) ? null : own;
    });
    return mapMember(details, 'tool_calls', (calls) => {
      if (!calls.startsWith('[')) return calls;
      return mapItems(calls, (call) => ownCall(call, (extra) => watched(ownExtra(extra, maker))));
    });
  });
  return { text: edited, cut };
}

function ownDetail(entry: string, maker: string): string | null {
  if (!entry.startsWith('{') || !mayBeWrapped(entry)) return entry;
  const signed = unwrapMember(entry, 'signature', maker);
  return signed === null ? null : unwrapMember(signed, 'data', maker);
}

function ownCall(call: string, change: (extra: string) => string | null): string {
  return call.startsWith('{') && mayBeWrapped(call) ? mapMember(call, 'extra_content', change) : call;
}

/** `extra_content.google.thought_signature`, which is base64. */
function ownExtra(extra: string, maker: string): string | null {
  const own = extra.replaceAll(`${wrapperPrefix}${maker}.`, '');
  return mayBeWrapped(own) ? null : own;
}
