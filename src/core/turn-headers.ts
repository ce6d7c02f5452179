/** Headers that tell a host what a request is about, made of its body; for hosts that count or route requests by them. Pure. */
import { isObject } from './json.ts';
import type { HeaderMap } from './ports.ts';

/** The names of such headers, in lower case. */
export interface TurnHeaders {
  /** `user` when a person's words ask for the answer, else `agent`: the request goes on with the results of tools. */
  readonly initiator: string;
  /** `true` when the request has an image; else it is not sent. */
  readonly images: string;
}

/** Types of parts and blocks that are images: of OpenAI's chats, Anthropic's messages, OpenAI's responses. */
const image = /"type"\s*:\s*"(?:image_url|image|input_image)"/;

/** @param body JSON of a chat, whose turns stand in `messages` or `input` */
export function turnHeaders({ initiator, images }: TurnHeaders, body: string | Uint8Array): HeaderMap {
  if (typeof body !== 'string') return {};
  return {
    [initiator]: isOfUser(lastTurn(body)) ? 'user' : 'agent',
    // In a text the quotes would be escaped.
    ...(image.test(body) ? { [images]: 'true' } : {}),
  };
}

function lastTurn(body: string): unknown {
  try {
    const request: unknown = JSON.parse(body);
    const turns = isObject(request) ? (request['messages'] ?? request['input']) : null;
    return Array.isArray(turns) ? turns.at(-1) : turns;
  } catch {
    return null;
  }
}

/** A text alone is the user's, as is a body without turns. */
function isOfUser(turn: unknown): boolean {
  if (!isObject(turn)) return true;
  const { role, content } = turn;
  // Anthropic's clients send the results of tools in turns of the user.
  const isResult = (block: unknown) => isObject(block) && block['type'] === 'tool_result';
  return role === 'user' && !(Array.isArray(content) && content.length > 0 && content.every(isResult));
}
