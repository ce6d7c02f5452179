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
 * that is not certain to be right. It is right when `"model"` stands in the text once only and at the top level: as
 * the first key, or before any nested value. (Inside a string it would be written `\"model\"`.)
 */
function splice(text: string, request: ChatRequest, model: string, addUsage: boolean): string | null {
  if (typeof request.model !== 'string' || (addUsage && 'stream_options' in request)) return null;
  const key = text.indexOf(modelKey);
  if (key < 0 || text.indexOf(modelKey, key + modelKey.length) >= 0 || !isTopLevel(text, key)) return null;
  if (text.includes(escapedLetter)) return null;
  const value = JSON.stringify(request.model);
  let at = skipSpace(text, key + modelKey.length);
  if (text[at] !== ':') return null;
  at = skipSpace(text, at + 1);
  if (!text.startsWith(value, at)) return null;
  const open = text.indexOf('{') + 1;
  const usage = addUsage ? '"stream_options":{"include_usage":true},' : '';
  return text.slice(0, open) + usage + text.slice(open, at) + JSON.stringify(model) + text.slice(at + value.length);
}

/** Whether the key at `at` belongs to the outermost object; walks strings and brackets of what stands before it. */
function isTopLevel(text: string, at: number): boolean {
  let depth = 0;
  for (let i = 0; i < at; i++) {
    const character = text.charCodeAt(i);
    if (character === 0x22) {
      i = stringEnd(text, i);
    } else if (character === 0x7b || character === 0x5b) depth++;
    else if (character === 0x7d || character === 0x5d) depth--;
  }
  return depth === 1;
}

/** The offset of the quote that ends the string which begins at `quote`. */
function stringEnd(text: string, quote: number): number {
  let end = text.indexOf('"', quote + 1);
  while (end > 0) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return at;
}
