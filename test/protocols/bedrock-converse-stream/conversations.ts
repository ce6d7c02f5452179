/** Requests to Converse as the upstream reads them. */
import type { Conversation } from '../../../src/core/conversation.ts';
import type { EncodedRequest } from '../../../src/core/protocol.ts';
import type { CatalogModel } from '../../../src/core/providers.ts';
import { encodeRequest } from '../../../src/protocols/bedrock-converse-stream/encode-request.ts';
import { conversation } from '../anthropic-messages/conversations.ts';
import { digest } from '../anthropic-messages/fixtures.ts';
import { upstreamModel } from '../upstream-model.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface Sent extends Omit<EncodedRequest, 'body'> {
  readonly text: string;
  readonly body: Fields;
  readonly messages: readonly { readonly role: string; readonly content: readonly Fields[] }[];
}

/** Facts of a model of Claude's that is given a number of tokens to think. */
export const claude: Partial<CatalogModel> = { reasoning: true, thinking: 'budget', cachePoints: true, maxTokens: 64_000 };

/** @param id of the model */
export function sent(rest: Partial<Conversation>, facts: Partial<CatalogModel> | null = null, id = 'vendor.model-v1:0'): Sent {
  const model = upstreamModel(id, { facts: facts === null ? null : { id, ...facts } });
  const { body, ...others } = encodeRequest(conversation(rest), model, digest);
  const fields = JSON.parse(body) as Fields;
  return { ...others, text: body, body: fields, messages: fields['messages'] as Sent['messages'] };
}
