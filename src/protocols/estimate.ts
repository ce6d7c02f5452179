/** The tokens of a request, by its characters, for upstreams that have no call to count them. Pure. */
import type { Conversation, Part } from '../core/conversation.ts';

/** Characters of one token, of text in Latin letters; in other scripts a character is about a token. */
const charactersPerToken = 4;
/** Tokens of an image of usual size, as Anthropic's documentation counts one of 1.15 megapixels. */
const imageTokens = 1600;
/** Tokens of a page of a document, and base64 characters of a page. */
const pageTokens = 2000;
const pageCharacters = 70_000;
/** Tokens around each turn, tool call and tool. */
const frameTokens = 4;

export function estimateTokens({ system, turns, tools }: Conversation): number {
  let tokens = sumOf(system);
  for (const turn of turns) tokens += frameTokens + sumOf(turn.parts);
  for (const { name, description, parameters } of tools)
    tokens += frameTokens + textTokens(name + (description ?? '') + (parameters === null ? '' : JSON.stringify(parameters)));
  return Math.max(1, Math.ceil(tokens));
}

function sumOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + partTokens(part), 0);
}

function partTokens(part: Part): number {
  if (part.type === 'toolCall') return frameTokens + textTokens(part.name + part.arguments);
  if (part.type === 'toolResult') return frameTokens + sumOf(part.parts);
  if (part.type === 'opaque') return textTokens(JSON.stringify(part.value) ?? '');
  if (part.type !== 'media') return textTokens(part.text);
  const { source, kind } = part;
  if ('text' in source) return textTokens(source.text);
  if (kind === 'image') return imageTokens;
  return 'data' in source ? Math.max(1, Math.ceil(source.data.length / pageCharacters)) * pageTokens : pageTokens;
}

function textTokens(text: string): number {
  const others = text.replaceAll(/[\0-\u024f]/g, '').length;
  return others + (text.length - others) / charactersPerToken;
}
