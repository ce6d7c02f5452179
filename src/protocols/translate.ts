/** Any client over any upstream: one protocol on both sides goes through as it is, two meet in the hub. The only place that knows pairs. */
import type { Conversation } from '../core/conversation.ts';
import { OlaError } from '../core/errors.ts';
import type { Digest, HeaderMap } from '../core/ports.ts';
import type {
  ChatCodec,
  ClientCall,
  Exchange,
  Making,
  Operation,
  OwnAnswer,
  Protocol,
  TranslatedCall,
  Translator,
  UpstreamModel,
} from '../core/protocol.ts';
import type { ProtocolId } from '../core/providers.ts';
import { noTokenCounts } from '../core/usage.ts';
import { asFunctions } from './custom-tools.ts';
import { clientNames } from './dropped-names.ts';
import { EmbeddingsExchange } from './embeddings-exchange.ts';
import { estimateTokens } from './estimate.ts';
import { reasoningFor } from './reasoning.ts';
import { TranslatedExchange } from './translated-exchange.ts';

type Fields = Readonly<Record<string, unknown>>;

export function createTranslator(protocols: readonly Protocol[], digest: Digest): Translator {
  const table = new Map(protocols.map((protocol) => [protocol.id, protocol]));

  function translates(clientId: ProtocolId, upstreamId: ProtocolId, operation: Operation): boolean {
    const [client, upstream] = [table.get(clientId), table.get(upstreamId)];
    if (client === undefined || upstream === undefined) return false;
    if (operation === 'chat') return clientChat(client) !== null && upstream.chat !== null;
    if (operation === 'embeddings') return hasClient(client) && hasUpstream(upstream);
    return operation === 'count' && client.count !== null && upstream.chat !== null;
  }

  function conversationOf(call: ClientCall, decode: (fields: Fields, text?: string) => Conversation): Conversation {
    if (call.conversation !== undefined) return call.conversation;
    const decoded = decode(fieldsOf(call), 'text' in call.body ? call.body.text : undefined);
    // Some protocols ask for a stream by the path.
    call.conversation = { ...decoded, stream: call.peek.stream };
    return call.conversation;
  }

  function translated(client: Protocol, call: ClientCall, to: UpstreamModel, facts: TranslatedCall): Exchange | null {
    const [from, upstream] = [clientChat(client), table.get(to.protocol)?.chat ?? null];
    if (from === null || upstream === null) return null;
    const conversation = conversationOf(call, from.decodeRequest);
    const isKin = upstream.kin === client.id;
    if (!isKin) refuseOpaque(conversation, to);
    const { conversation: own, cut } = reasoningFor(conversation, to.maker, facts.memory);
    const asked = upstream.customTools ? { conversation: own, names: noNames } : asFunctions(own);
    const request = upstream.encodeRequest(asked.conversation, to, digest);
    const told = clientNames(request.dropped, from, fieldsOf(call));
    const dropped = [...(isKin ? [] : conversation.unknown), ...told, ...(cut ? ['reasoning'] : [])];
    return new TranslatedExchange({
      request,
      notes: notesOf(dropped, request.reasoningLost),
      stream: conversation.stream,
      from: upstream,
      to: from,
      making: makingOf(call, to, facts),
      maker: to.maker,
      customTools: asked.names,
      memory: facts.memory,
    });
  }

  function embedded(client: Protocol, call: ClientCall, to: UpstreamModel, facts: TranslatedCall): Exchange | null {
    const [asked, maker] = [client.embeddings?.client ?? null, table.get(to.protocol)?.embeddings?.upstream ?? null];
    if (asked === null || maker === null) return null;
    const wanted = asked.decodeRequest(fieldsOf(call));
    const request = maker.encodeRequest(wanted, to);
    return new EmbeddingsExchange({
      request,
      notes: notesOf([...wanted.unknown, ...request.dropped], false),
      texts: wanted.input.length,
      from: maker,
      to: asked,
      making: makingOf(call, to, facts),
    });
  }

  function counted(client: Protocol, call: ClientCall): OwnAnswer | null {
    if (client.count === null) return null;
    const tokens = estimateTokens(conversationOf(call, client.count.decodeRequest));
    const notes = { 'x-ola-estimated': 'input_tokens' };
    return { own: { body: client.count.encodeAnswer(tokens), tokens: noTokenCounts }, notes };
  }

  return {
    translates,
    exchange(client, call, to, facts) {
      if (client.id === to.protocol) {
        const isUncounted = call.route.operation === 'count' && to.quirks.noCount === true;
        return isUncounted ? counted(client, call) : client.direct(call, to);
      }
      const { operation } = call.route;
      if (!translates(client.id, to.protocol, operation)) return null;
      if (operation === 'embeddings') return embedded(client, call, to, facts);
      if (operation === 'count') return counted(client, call);
      const exchange = translated(client, call, to, facts);
      return exchange === null || client.framed === undefined ? exchange : client.framed(exchange, call);
    },
  };
}

const hasClient = ({ embeddings }: Protocol) => embeddings !== undefined && embeddings.client !== null;
const hasUpstream = ({ embeddings }: Protocol) => embeddings !== undefined && embeddings.upstream !== null;

function makingOf(call: ClientCall, to: UpstreamModel, { requestId, startedAt }: TranslatedCall): Making {
  return {
    id: requestId.replaceAll(/[^A-Za-z0-9-]/g, '-'),
    createdAt: Math.floor(startedAt / 1000),
    model: call.peek.model ?? to.id,
    request: fieldsOf(call),
  };
}

const noNames: ReadonlySet<string> = new Set();

/** @returns null for a protocol without clients */
function clientChat({ chat }: Protocol): ChatCodec | null {
  return chat !== null && 'decodeRequest' in chat ? chat : null;
}

/** Tools and fields that only the client's own protocol knows change the answer: they are never left out. */
function refuseOpaque({ opaque }: Conversation, { provider }: UpstreamModel): void {
  const [first] = opaque ?? [];
  if (first === undefined) return;
  const { name, field, protocol } = first;
  throw new OlaError(
    'invalid_request',
    `\`${field}\` asks for \`${name}\`, which provider '${provider}' does not have. Remove it, or use a model of a provider that speaks \`${protocol}\`.`,
    { param: field },
  );
}

function fieldsOf({ body }: ClientCall): Fields {
  if ('fields' in body) return body.fields;
  throw new OlaError('invalid_request', 'This request must be JSON.');
}

/** Names that a header has room for, and characters of each. */
const mostNames = 32;
const longestName = 64;

/** The names of fields are the client's: those that fit into no header are told in the part that does. */
function notesOf(dropped: readonly string[], reasoningLost: boolean): HeaderMap | null {
  const names = dropped.map((name) => name.replaceAll(/[^\x21-\x2b\x2d-\x7e]/g, '?').slice(0, longestName));
  const distinct = [...new Set(names)].slice(0, mostNames);
  if (distinct.length === 0 && !reasoningLost) return null;
  return {
    ...(distinct.length === 0 ? {} : { 'x-ola-dropped': distinct.join(', ') }),
    ...(reasoningLost ? { 'x-ola-reasoning': 'lost' } : {}),
  };
}
