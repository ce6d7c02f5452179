/** The fields that ola adds to a request. An endpoint that refuses one is asked again without it, and is not sent it any more. */
import type { Exchange, UpstreamFailure } from '../../core/protocol.ts';
import type { ProviderQuirks } from '../../core/providers.ts';
import type { ActiveEndpoint } from '../routing/registry.ts';

export interface AddedFields {
  /** The quirks of an endpoint, with what it has refused since it is configured. */
  quirksOf(endpoint: ActiveEndpoint): ProviderQuirks;
  /** @returns true when a refusal names a field that ola added; the endpoint is not sent that field again */
  isRefused(endpoint: ActiveEndpoint, failure: UpstreamFailure, exchange: Pick<Exchange, 'added'>): boolean;
}

/** The quirk that leaves an added field out. */
const quirks: Readonly<Record<string, ProviderQuirks>> = {
  stream_options: { noStreamUsage: true },
  'reasoning.summary': { noReasoningSummary: true },
};

export function createAddedFields(): AddedFields {
  const learned = new WeakMap<ActiveEndpoint, ProviderQuirks>();
  return {
    quirksOf: (endpoint) => learned.get(endpoint) ?? endpoint.quirks,
    isRefused(endpoint, { status, message, param }, { added }) {
      if (status !== 400 && status !== 422) return false;
      const field = added.find((name) => param?.includes(name) === true || message?.includes(name) === true);
      const quirk = field === undefined ? undefined : quirks[field];
      if (quirk === undefined) return false;
      learned.set(endpoint, { ...(learned.get(endpoint) ?? endpoint.quirks), ...quirk });
      return true;
    },
  };
}
