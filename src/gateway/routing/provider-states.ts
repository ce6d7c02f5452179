/** The state of each provider as people are shown it: usable and with which keys, or not and why. Pure, without secrets. */
import type { ProviderConfig } from '../../core/document.ts';
import type { ProviderState } from '../../core/providers.ts';
import { parseReference } from '../../core/secret-references.ts';
import type { PassedOver } from '../../credentials/resolve.ts';
import type { Registry } from './registry.ts';

/** The usable providers, then those that are meant to be usable and are not: configured ones, and those with a key that is passed over. */
export function providerStates({ active, inactive, configured }: Registry): ProviderState[] {
  const usable = [...active.values()].map(({ id, endpoints }): ProviderState => {
    const sources = new Set(endpoints.flatMap(({ candidates }) => candidates.map(({ source }) => source)));
    const keys = [...sources].flatMap((source) => keyName(source, configured.get(id)));
    return { id, usable: true, keys, why: null };
  });
  const unusable = [...inactive.values()]
    .filter(({ id, code, passed }) => configured.has(id) || (code !== 'provider_disabled' && passed.length > 0))
    .map(({ id, why }): ProviderState => ({ id, usable: false, keys: [], why }));
  return [...usable, ...unusable];
}

/** Nothing for a provider that needs no key, and for one of this process. */
function keyName(source: string, config: ProviderConfig | undefined): readonly string[] {
  if (source.startsWith('env:')) return [source.slice('env:'.length)];
  if (source.startsWith('profile:')) return [source];
  if (source !== 'provider-config' || config === undefined) return [];
  const named: unknown = config.apiKey;
  const reference = typeof named === 'string' ? parseReference(named) : null;
  if (reference?.kind === 'variable') return [reference.name];
  return [reference?.kind === 'file' ? 'file' : 'stored'];
}

/** The places with an access token of ola in the place of a provider's key: `OPENAI_API_KEY`, `providers.acme.apiKey`. */
export function ownTokens({ active, inactive }: Registry): string[] {
  const place = (id: string, source: string) => {
    if (source.startsWith('env:')) return source.slice('env:'.length);
    if (source.startsWith('profile:')) return `authProfiles.${source.slice('profile:'.length)}`;
    return `providers.${id}.${source === 'provider-config' ? 'apiKey' : source}`;
  };
  const own = (id: string, passed: readonly PassedOver[]) =>
    passed.filter(({ reason }) => reason === 'own_token').map(({ source }) => place(id, source));
  return [
    ...new Set([
      ...[...active.values()].flatMap(({ id, passed }) => own(id, passed)),
      ...[...inactive.values()].flatMap(({ id, passed }) => own(id, passed)),
    ]),
  ];
}
