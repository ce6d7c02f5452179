/** Warnings about what a written configuration cannot do yet: it may be meant for later, or be a typing error. Pure. */
import type { ConfigDocument, ProviderConfig } from '../../core/document.ts';
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { didYouMean, nearestNames } from '../../core/nearest.ts';
import type { Warning } from '../../core/schema.ts';
import { parseReference } from '../../core/secret-references.ts';
import { isSecretReference, mapSecrets, type Path } from '../../core/secrets.ts';
import { holdsToken } from '../../core/tokens.ts';
import { profileIdOf } from '../../credentials/profiles.ts';
import { configuredProviders, endpointsOf } from '../routing/destinations.ts';
import { fallbackOf } from '../routing/fallback.ts';
import { buildRegistry, type ConfiguredSecrets, type RegistryInputs } from '../routing/registry.ts';
import { planOf } from '../routing/routing.ts';
import { isWithin, nameIn } from './parts.ts';

/** Ids that one warning suggests. */
const mostSuggestions = 3;

/**
 * @param next with references and new secrets in place
 * @param part the part that was written: the paths of the warnings are those in it
 */
export function unreadyParts(next: Omit<ConfiguredSecrets, 'open'>, part: Path, facts: RegistryInputs): Warning[] {
  const written = [
    ...withoutAddress(next.document, facts),
    ...withoutVariable(next.document, facts),
    ...withoutProfile(next.document, facts),
    ...withoutModel(next, facts),
  ];
  return written.filter(({ place }) => isWithin(place, part)).map(({ place, reason }) => ({ path: nameIn(part, place), reason }));
}

interface Unready {
  readonly place: Path;
  readonly reason: string;
}

function withoutAddress(document: JsonObject, { catalog }: RegistryInputs): Unready[] {
  const { providers, models } = document as ConfigDocument;
  const ids = catalog.providers().map(({ id }) => id);
  const at = (section: Path, map: Readonly<Record<string, ProviderConfig>> | undefined) =>
    Object.entries(map ?? {})
      // A provider of the catalog whose protocol is not built is warned of as that.
      .filter(([id, config]) => config.baseUrl === undefined && catalog.anyProvider(id) === null)
      .filter(([id, config]) => config.enabled !== false && endpointsOf(id, config, catalog).length === 0)
      .map(([id]): Unready => {
        const own = catalog.addressedByUser(id);
        const help =
          own === null
            ? `baseUrl.${didYouMean(nearestNames(id, ids, mostSuggestions))}`
            : `baseUrl, as in ${own.endpoints[0].baseUrl}`;
        return { place: [...section, id], reason: `ola does not know where '${id}' is; give it a ${help}` };
      });
  return [...at(['providers'], providers), ...at(['models', 'providers'], models?.providers)];
}

/** Ids in an order that no profile of the provider has, and profiles whose provider has no address. */
function withoutProfile(document: JsonObject, { catalog }: RegistryInputs): Unready[] {
  const { authOrder = {}, authProfiles = {} } = document as ConfigDocument;
  const configured = configuredProviders(document as ConfigDocument, catalog);
  const idsOf = (provider: string) =>
    Object.keys(authProfiles).filter((id) => catalog.canonicalId(authProfiles[id]?.provider ?? '') === provider);
  const unknown = Object.entries(authOrder).flatMap(([name, ids]) => {
    const provider = catalog.canonicalId(name);
    const known = new Set(idsOf(provider));
    return ids.flatMap((id, index): Unready[] => {
      if (known.has(profileIdOf(id, provider, known))) return [];
      const question = didYouMean(nearestNames(id, [...known], mostSuggestions));
      return [{ place: ['authOrder', name, String(index)], reason: `'${provider}' has no auth profile of this id.${question}` }];
    });
  });
  const homeless = Object.entries(authProfiles).flatMap(([id, { provider, baseUrl }]): Unready[] => {
    const canonical = catalog.canonicalId(provider);
    const isKnown = catalog.anyProvider(canonical) !== null || configured.has(canonical) || baseUrl !== undefined;
    return isKnown ? [] : [{ place: ['authProfiles', id, 'provider'], reason: homelessProfile }];
  });
  return [...unknown, ...homeless];
}

const homelessProfile =
  'ola does not know where this provider is, so no secret of the profile is ever sent; add the provider or a baseUrl, and send the secret again';

function withoutVariable(document: JsonObject, { environment }: RegistryInputs): Unready[] {
  const unready: Unready[] = [];
  mapSecrets(document, documentSchema, (value, place) => {
    const reference = typeof value === 'string' ? parseReference(value) : null;
    if (reference?.kind !== 'variable') return value;
    const { name } = reference;
    const set = environment[name] ?? '';
    if (set === '') unready.push({ place, reason: `the variable ${name} is not set where ola runs` });
    else if (holdsToken(set) && ['providers', 'models', 'authProfiles'].includes(place[0] ?? '')) {
      unready.push({ place, reason: `the variable ${name} is an access token of ola, which is never sent to a provider` });
    }
    return value;
  });
  return unready;
}

/** The default model and fallbacks that no call could reach. */
function withoutModel(next: Omit<ConfiguredSecrets, 'open'>, facts: RegistryInputs): Unready[] {
  const { defaultModel, providerFallback } = next.document as ConfigDocument;
  const names = Object.entries(providerFallback?.order ?? {}).flatMap(([key, list]) =>
    list.map((name, index) => ({ name, place: ['providerFallback', 'order', key, String(index)] })),
  );
  if (defaultModel === undefined && names.length === 0) return [];
  const why = reachable(next, facts);
  const unready = names.map(({ name, place }) => ({ place, reason: why(name) }));
  if (defaultModel !== undefined) {
    const isEmpty = defaultModel.trim() === '';
    const reason = isEmpty ? 'it is empty, so a request that names no model is refused' : why(defaultModel);
    unready.unshift({ place: ['defaultModel'], reason });
  }
  return unready.flatMap(({ place, reason }) => (reason === null ? [] : [{ place, reason }]));
}

/** @returns tells why no call could reach a model; null when one could */
function reachable(next: Omit<ConfiguredSecrets, 'open'>, facts: RegistryInputs): (name: string) => string | null {
  const { defaultModel = null, activeProviderIds = [] } = next.document as ConfigDocument;
  const registry = buildRegistry({ ...next, open: opened(next.document, facts) }, facts);
  const [protocol = ''] = facts.catalog.protocols;
  const fallback = fallbackOf({}, facts.catalog.canonicalId);
  // Lists that servers give of their models do not resolve a bare name.
  const asked = () => [];
  const { catalog, translates } = facts;
  return (name) => {
    try {
      const wanted = { name, profile: null, protocol, operation: 'chat' } as const;
      planOf(wanted, { registry, catalog, translates, defaultModel, activeProviderIds, asked, fallback });
      return null;
    } catch (thrown) {
      if (!(thrown instanceof OlaError)) throw thrown;
      return thrown.message;
    }
  };
}

/** The document with its secrets in place. A sealed secret stays sealed: the word `sealed` stands for it, because only its presence is asked for. */
function opened(document: JsonObject, { environment }: RegistryInputs): ConfigDocument {
  return mapSecrets(document, documentSchema, (value) => {
    if (isSecretReference(value)) return 'sealed';
    const reference = typeof value === 'string' ? parseReference(value) : null;
    if (reference?.kind === 'variable') return environment[reference.name] || undefined;
    return value;
  }) as ConfigDocument;
}
