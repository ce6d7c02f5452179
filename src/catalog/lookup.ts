/** Questions to the catalog: pure, over the rows of providers.ts and models.ts. */
import { lazy } from '../core/lazy.ts';
import {
  type AddressedByUser,
  type BuiltinProvider,
  type CatalogModel,
  type CatalogProvider,
  inRegion,
  type ProtocolId,
  type ProviderEndpoint,
  regionShape,
} from '../core/providers.ts';
import { modelsOf } from './models.ts';
import { addressedByUser, catalogProviders, namedProtocols } from './providers.ts';

export interface Catalog {
  /** The protocols that can be called; the first is the one that a configured provider speaks unless it says otherwise. */
  readonly protocols: readonly ProtocolId[];
  /** Every protocol that a configuration may name: those that can be called, and those of rows that a later version will call. */
  readonly knownProtocols: readonly ProtocolId[];
  /** The row, with only the endpoints that can be called; null for an id that has none. */
  provider(idOrAlias: string): CatalogProvider | null;
  /** The row with all its endpoints, those that cannot be called too. */
  anyProvider(idOrAlias: string): CatalogProvider | null;
  /** Every row that can be called, local ones too, in the order of the catalog. */
  providers(): readonly CatalogProvider[];
  /** The ids of all rows, those that cannot be called too, in the order of the catalog. */
  everyId(): readonly string[];
  /** What is known of a provider whose address must be configured; null for any other. */
  addressedByUser(idOrAlias: string): AddressedByUser | null;
  /** Every provider that the catalog describes, those that cannot be called too: the rows in their order, then those whose address must be configured. */
  builtin(): readonly BuiltinProvider[];
  /** Trimmed, lower-cased and freed of aliases; an id that the catalog does not know stays as it is. */
  canonicalId(text: string): string;
  /** Whether a program of the host speaks the protocol: only the catalog's own row may have it. */
  isProgram(protocol: ProtocolId): boolean;
  /** The models listed for a canonical provider id; none when the provider is not listed or its models are not known. */
  models(providerId: string): readonly CatalogModel[];
  /**
   * Where the value of an environment variable may go: origins (`https://api.example.com`) of the rows that name it,
   * whether or not they can be called, so that a custom provider under a vendor's id does not get the vendor's key.
   * Null when it is bound nowhere: no row names it, or only local ones, whose address is the user's to choose.
   */
  envBinding(name: string): readonly string[] | null;
  /** Where the vendor of a protocol serves it: of the first row whose own protocol it is; null when it has none. */
  vendorEndpoint(protocol: ProtocolId): ProviderEndpoint | null;
  /** The provider whose own model a bare id is by its name; null when the name says nothing. */
  vendorOf(bareModel: string): string | null;
}

/** Tried in order. A model id belongs to whoever made the model: hosts list theirs. */
const vendorPatterns: readonly { readonly model: RegExp; readonly provider: string | null }[] = [
  // Open weights: hosts serve them, OpenAI does not.
  { model: /^gpt-oss/i, provider: null },
  { model: /^gpt-/i, provider: 'openai' },
  { model: /^o[0-9]/i, provider: 'openai' },
  { model: /^claude-/i, provider: 'anthropic' },
  { model: /^gemini-/i, provider: 'google' },
  { model: /minimax/i, provider: 'minimax' },
  // The coding plan has ids of its own, and a key that Moonshot's API does not take.
  { model: /^(?:kimi-for-coding|k2p5$|k3)/i, provider: 'kimi-coding' },
  { model: /^kimi-/i, provider: 'moonshot' },
];

/**
 * @param built the protocols that this program can call; rows and endpoints without one are left out
 * @param environment names the region of rows that have one
 */
export function createCatalog(built: readonly ProtocolId[], environment: Environment = {}): Catalog {
  const placed = catalogProviders.map((row) => inNamedRegion(row, environment));
  const rows = placed.flatMap((row) => callable(row, built));
  const everyRow = new Map(placed.map((row) => [row.id, row]));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const aliases = aliasIndex();
  const bindings = lazy(bindingIndex);
  const canonicalId = (text: string): string => {
    const id = text.trim().toLowerCase();
    return aliases.get(id) ?? id;
  };
  return {
    protocols: built,
    knownProtocols: [...new Set([...built, ...namedProtocols])],
    anyProvider: (idOrAlias) => everyRow.get(canonicalId(idOrAlias)) ?? null,
    provider: (idOrAlias) => byId.get(canonicalId(idOrAlias)) ?? null,
    providers: () => rows,
    everyId: () => [...everyRow.keys()],
    canonicalId,
    addressedByUser: (idOrAlias) => addressedByUser.find(({ id }) => id === canonicalId(idOrAlias)) ?? null,
    builtin: () => [...placed, ...addressedByUser].map((row) => described(row, built)),
    isProgram: (protocol) => programProtocols.has(protocol),
    models: (providerId) => modelsFor(byId.get(providerId)),
    envBinding: (name) => bindings().get(name) ?? null,
    vendorEndpoint: (protocol) =>
      rows.find((row) => row.endpoints[0].protocol === protocol && row.local !== true)?.endpoints[0] ?? null,
    vendorOf: (bareModel) => vendorPatterns.find(({ model }) => model.test(bareModel))?.provider ?? null,
  };
}

const programProtocols: ReadonlySet<ProtocolId> = new Set(
  catalogProviders.flatMap(({ program, endpoints }) => (program === undefined ? [] : endpoints.map(({ protocol }) => protocol))),
);

/** The models of a program stay the same list, so that they are recognised. */
const ofPrograms = new Map<string, readonly CatalogModel[]>();

function modelsFor(row: CatalogProvider | undefined): readonly CatalogModel[] {
  if (row?.program === undefined) return row === undefined ? [] : modelsOf(row.id);
  const known = ofPrograms.get(row.id) ?? modelsOf(row.program.modelsOf).map(({ price: _, ...model }) => model);
  ofPrograms.set(row.id, known);
  return known;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A text of a variable that is no region's name counts for none. */
function inNamedRegion(row: CatalogProvider, environment: Environment): CatalogProvider {
  const { regional } = row;
  const region = regional?.variables.map((name) => environment[name]?.trim() ?? '').find((text) => text !== '');
  if (regional === undefined || region === undefined || !regionShape.test(region)) return row;
  const placed = (endpoint: ProviderEndpoint) => ({ ...endpoint, baseUrl: inRegion(endpoint.baseUrl, regional, region) });
  const [first, ...others] = row.endpoints;
  return { ...row, endpoints: [placed(first), ...others.map(placed)], regional: { ...regional, usual: region } };
}

/** The row with the endpoints that are built; an empty list when there are none. */
function callable(row: CatalogProvider, built: readonly ProtocolId[]): CatalogProvider[] {
  const [first, ...others] = row.endpoints.filter((endpoint) => built.includes(endpoint.protocol));
  return first === undefined ? [] : [{ ...row, endpoints: [first, ...others] }];
}

function described(row: CatalogProvider | AddressedByUser, built: readonly ProtocolId[]): BuiltinProvider {
  const { id, name, aliases, envVars } = row;
  const endpoints = row.endpoints.map(({ protocol, baseUrl }) => ({
    api: protocol,
    baseUrl,
    callable: built.includes(protocol),
  }));
  return {
    id,
    name,
    aliases,
    endpoints,
    envVars,
    local: 'local' in row && row.local === true,
    needsBaseUrl: endpoints.every(({ baseUrl }) => baseUrl.includes('{')),
    callable: endpoints.some(({ callable }) => callable),
  };
}

/** Of all rows, built or not: what a provider is called must not depend on what this version can call. */
function aliasIndex(): ReadonlyMap<string, string> {
  const rows = [...catalogProviders, ...addressedByUser];
  return new Map(rows.flatMap(({ id, aliases }) => aliases.map((alias) => [alias, id] as const)));
}

/** Variables that at least one remote row names, with the origins of all rows that name them. */
function bindingIndex(): ReadonlyMap<string, readonly string[]> {
  const remote = catalogProviders.filter((row) => row.local !== true);
  const names = new Set(remote.flatMap((row) => row.envVars));
  return new Map([...names].map((name) => [name, originsOf(catalogProviders.filter((row) => row.envVars.includes(name)))]));
}

function originsOf(rows: readonly CatalogProvider[]): readonly string[] {
  const origins = rows.flatMap((row) => [
    ...row.endpoints.map((endpoint) => new URL(endpoint.baseUrl).origin),
    ...(row.otherOrigins ?? []),
  ]);
  return [...new Set(origins)];
}
