/** OpenAI chat completions, towards an upstream: the body as it came with only the model replaced. */
import type { ChatRequest } from '../../core/chat.ts';
import type { ProviderQuirks } from '../../core/providers.ts';

export interface EncodedRequest {
  readonly body: string;
  /** The client asked for usage in its stream; without it the usage event is withheld. */
  readonly usageAsked: boolean;
}

/**
 * @param text the body as the client sent it
 * @param request the same, parsed
 * @param model the upstream's own id
 */
export function encodeRequest(text: string, request: ChatRequest, model: string, quirks: ProviderQuirks): EncodedRequest {
  const usageAsked = request.stream_options?.include_usage === true;
  const addUsage = request.stream === true && !usageAsked && quirks.noStreamUsage !== true;
  const renameMaximum = quirks.maxTokensOnly === true && 'max_completion_tokens' in request;
  const dropOptions = quirks.noStreamUsage === true && 'stream_options' in request;
  if (!renameMaximum && !dropOptions) {
    const spliced = splice(text, request, model, addUsage);
    if (spliced !== null) return { body: spliced, usageAsked };
  }
  const body: Record<string, unknown> = { ...request, model };
  if (addUsage) body['stream_options'] = { ...request.stream_options, include_usage: true };
  if (dropOptions) delete body['stream_options'];
  if (renameMaximum) {
    body['max_tokens'] = request['max_completion_tokens'];
    delete body['max_completion_tokens'];
  }
  return { body: JSON.stringify(body), usageAsked };
}

const modelKey = '"model"';
/** What every escape of a letter of "model" begins with: a second key may hide behind it, and the last one counts. */
const escapedLetter = '\\u006';

/**
 * The text with the model's value cut out and replaced, so that a megabyte of messages is not written anew; null where
 * that is not certain to be right. It is right when `"model"` stands in the text once only and no key can be an escaped
 * spelling of it: then the one that was parsed is this one, wherever it stands.
 */
function splice(text: string, request: ChatRequest, model: string, addUsage: boolean): string | null {
  if (typeof request.model !== 'string' || (addUsage && 'stream_options' in request)) return null;
  const key = text.indexOf(modelKey);
  if (key < 0 || text.indexOf(modelKey, key + modelKey.length) >= 0 || text.includes(escapedLetter)) return null;
  const value = JSON.stringify(request.model);
  const colon = skipSpace(text, key + modelKey.length);
  const at = skipSpace(text, colon + 1);
  // It may be spelled with escapes (`a\/b`).
  if (!text.startsWith(value, at)) return null;
  const open = text.indexOf('{') + 1;
  const usage = addUsage ? '"stream_options":{"include_usage":true},' : '';
  return text.slice(0, open) + usage + text.slice(open, at) + JSON.stringify(model) + text.slice(at + value.length);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return at;
}
