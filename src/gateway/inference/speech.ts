/** How an attempt is spoken: the upstream's side as the protocols see it, and the exchange with it. */
import type { Digest } from '../../core/ports.ts';
import type { Exchange, OwnAnswer, Protocol, Translator, UpstreamModel } from '../../core/protocol.ts';
import type { ProtocolId, ProviderQuirks } from '../../core/providers.ts';
import type { Attempt } from '../routing/routing.ts';
import type { InferenceCall, InferenceRequest } from './call.ts';
import type { ReasoningMemories } from './reasoning-memory.ts';

export interface Speech {
  /** The protocol of an endpoint. */
  protocolOf(id: ProtocolId): Protocol;
  /**
   * @returns null when the upstream has no such operation
   * @throws OlaError `invalid_request`, with the field as `param`, for what the upstream cannot be told
   */
  exchange(call: InferenceCall, request: InferenceRequest, attempt: Attempt, quirks: ProviderQuirks): Exchange | OwnAnswer | null;
}

export interface SpeechPorts {
  readonly protocols: readonly Protocol[];
  readonly translator: Translator;
  readonly memories: ReasoningMemories;
  readonly digest: Digest;
}

/** Characters of a maker's name. */
const makerLength = 16;
/** Anonymous callers share one subject: no reasoning is remembered for it. */
const anonymous = 'anonymous';

export function createSpeech({ protocols, translator, memories, digest }: SpeechPorts): Speech {
  const table = new Map(protocols.map((protocol) => [protocol.id, protocol]));
  /** Attempts are made once a configuration. */
  const upstreams = new WeakMap<Attempt, UpstreamModel>();

  function upstreamOf(attempt: Attempt, quirks: ProviderQuirks): UpstreamModel {
    const known = upstreams.get(attempt);
    if (known !== undefined && known.quirks === quirks) return known;
    const { provider, endpoint, model, candidate, facts } = attempt;
    const maker = JSON.stringify([endpoint.protocol, provider.id, endpoint.destination.baseUrl, model, candidate.source]);
    const { protocol } = endpoint;
    const made = { id: model, provider: provider.id, protocol, quirks, facts, maker: digest(maker).slice(0, makerLength) };
    upstreams.set(attempt, made);
    return made;
  }

  return {
    protocolOf(id) {
      const protocol = table.get(id);
      if (protocol === undefined) throw new Error(`no protocol ${id}`);
      return protocol;
    },
    exchange({ protocol, principal, requestId, startedAt }, request, attempt, quirks) {
      const to = upstreamOf(attempt, quirks);
      if (protocol.id === to.protocol && !to.quirks.noCount) return protocol.direct(request, to);
      const memory = principal.subject === anonymous ? null : memories.of(principal.subject, to.maker);
      return translator.exchange(protocol, request, to, { requestId, startedAt, memory });
    },
  };
}
