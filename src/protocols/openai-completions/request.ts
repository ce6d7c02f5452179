/** OpenAI chat completions, towards an upstream: the body as it came with only the model replaced. */
import type { ChatRequest } from '../../core/chat.ts';
import { isObject } from '../../core/json.ts';
import { dropMembers, setMembers } from '../../core/json-text.ts';
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
  const values = new Map([['model', JSON.stringify(model)]]);
  if (request.stream === true && !usageAsked && quirks.noStreamUsage !== true) {
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

function isDeveloper(message: unknown): boolean {
  return isObject(message) && message['role'] === 'developer';
}
