/** OpenAI chat completions, towards an upstream: the body as it came with only the model replaced. */
import type { ChatRequest } from '../../core/chat.ts';
import { isObject } from '../../core/json.ts';
import { dropMembers, setMembers, skipSpace } from '../../core/json-text.ts';
import { noQuirks, type ProviderQuirks } from '../../core/providers.ts';

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
  const spliced = quirks === noQuirks ? splice(text, request, model, addUsage) : null;
  if (spliced !== null) return { body: spliced, usageAsked };
  const values = new Map([['model', JSON.stringify(model)]]);
  if (addUsage) {
    values.set('stream_options', JSON.stringify({ ...request.stream_options, include_usage: true }));
  }
  const refused = new Set<string>();
  if (quirks.noStreamUsage === true) refused.add('stream_options');
  if (quirks.noStore === true) refused.add('store');
  if (quirks.noReasoningEffort === true) refused.add('reasoning_effort');
  if (quirks.noDeveloperRole === true && request.messages.some(isDeveloper)) {
    const messages = request.messages.map((message) => (isDeveloper(message) ? { ...message, role: 'system' } : message));
    values.set('messages', JSON.stringify(messages));
  }
  if (quirks.maxTokensOnly === true && Object.hasOwn(request, 'max_completion_tokens')) {
    // The newer name wins when both are there, as at OpenAI.
    refused.add('max_completion_tokens');
    values.set('max_tokens', JSON.stringify(request['max_completion_tokens']));
  }
  return { body: setMembers(refused.size === 0 ? text : dropMembers(text, refused), values), usageAsked };
}

const modelKey = '"model"';
/** What every escape of a letter of "model" begins with: a second key may hide behind it, and the last one counts. */
const escapedLetter = '\\u006';

/**
 * The usual case, by two native searches: `"model"` stands in the text once only and no key can be an escaped spelling
 * of it, so the one that was parsed is this one, wherever it stands. Null where that is not certain.
 */
function splice(text: string, request: ChatRequest, model: string, addUsage: boolean): string | null {
  if (typeof request.model !== 'string' || (addUsage && 'stream_options' in request)) return null;
  const key = text.indexOf(modelKey);
  if (key < 0 || text.indexOf(modelKey, key + modelKey.length) >= 0 || text.includes(escapedLetter)) return null;
  const value = JSON.stringify(request.model);
  const at = skipSpace(text, skipSpace(text, key + modelKey.length) + 1);
  // It may be spelled with escapes (`a\\/b`).
  if (!text.startsWith(value, at)) return null;
  const open = text.indexOf('{') + 1;
  const usage = addUsage ? '"stream_options":{"include_usage":true},' : '';
  return text.slice(0, open) + usage + text.slice(open, at) + JSON.stringify(model) + text.slice(at + value.length);
}

function isDeveloper(message: unknown): boolean {
  return isObject(message) && message['role'] === 'developer';
}
