/** Requests of OpenAI's responses for the backend of ChatGPT, which takes fewer fields and always streams. */
import type { Conversation } from '../../core/conversation.ts';
import type { HeaderMap } from '../../core/ports.ts';
import type { UpstreamChat, UpstreamModel } from '../../core/protocol.ts';
import { createSameHeaders } from '../same-headers.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Behind `https://chatgpt.com/backend-api`. */
export const codexPath = '/codex/responses';

/** Fields that the backend takes. It answers any other with 400, `Unsupported parameter`. */
const taken: ReadonlySet<string> = new Set([
  ...['model', 'instructions', 'input', 'tools', 'tool_choice', 'parallel_tool_calls', 'text', 'reasoning', 'include'],
  ...['prompt_cache_key', 'client_metadata', 'service_tier', 'store', 'stream'],
]);
/** Names in the hub of fields that are left out. */
const hubNames: Readonly<Record<string, string>> = {
  max_output_tokens: 'maxTokens',
  temperature: 'temperature',
  top_p: 'topP',
  user: 'user',
  safety_identifier: 'user',
};

/** The backend refuses a request without instructions. */
const usualInstructions = 'You are a helpful assistant.';
const encryptedReasoning = 'reasoning.encrypted_content';

/** @param encode makes the request of OpenAI's API */
export function codexRequest(encode: UpstreamChat['encodeRequest']): UpstreamChat['encodeRequest'] {
  return (conversation, to, digest) => {
    const request = encode(conversation, to, digest);
    const body = JSON.parse(request.body) as Fields;
    const left = Object.keys(body).filter((name) => !isTaken(name, body[name]));
    const kept = Object.fromEntries(Object.entries(body).filter(([name]) => !left.includes(name)));
    return {
      ...request,
      path: codexPath,
      body: JSON.stringify({ ...kept, ...compulsory(kept), ...reasoningOf(kept, to) }),
      dropped: [...new Set([...request.dropped, ...left.map((name) => hubNames[name] ?? name)])],
      headers: headersFor(conversation),
    };
  };
}

/** Plans have the usual tier and, some of them, a faster one. */
function isTaken(name: string, value: unknown): boolean {
  return taken.has(name) && (name !== 'service_tier' || value === 'priority');
}

/** Nothing is stored, so that all reasoning has to come with the answer: each model of the backend reasons. */
function compulsory({ instructions = usualInstructions, include }: Fields): Fields {
  const asked: readonly unknown[] = Array.isArray(include) ? include : [];
  return { instructions, include: [...new Set([...asked, encryptedReasoning])], store: false, stream: true };
}

/** Newer models of the backend refuse the level `minimal`. */
function reasoningOf({ reasoning }: Fields, { facts }: UpstreamModel): Fields {
  const wish = reasoning as Fields | undefined;
  const isRefused = wish?.['effort'] === 'minimal' && typeof facts?.efforts?.['minimal'] !== 'string';
  return isRefused ? { reasoning: { ...wish, effort: 'low' } } : {};
}

/** `originator` names the program that asks: it is ola's own, as the vendor expects of each client. */
const headers: HeaderMap = { accept: 'text/event-stream', 'openai-beta': 'responses=experimental', originator: 'ola' };

/** Calls of one session are sent to the same machine, which holds the prompt's cache. */
const sessionHeaders = createSameHeaders((session) => ({ ...headers, ...session }));
/** A session's name that a header may have. */
const headerSafe = /^[\x21-\x7e]{1,128}$/;

function headersFor({ cacheKey }: Conversation): HeaderMap {
  if (cacheKey === null || !headerSafe.test(cacheKey)) return headers;
  return sessionHeaders({ 'session-id': cacheKey, 'x-client-request-id': cacheKey });
}
