/** Judges the addresses that a write brings, before it is stored. */
import type { ConfigDocument, ProviderConfig } from '../../core/document.ts';
import type { Destination, Egress, EgressDenial, EgressPolicy } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Path } from '../../core/secrets.ts';
import { configuredProviders, destinationOf } from '../routing/destinations.ts';
import type { OriginContext } from './origins.ts';
import { isProvider, isWithin, nameIn } from './parts.ts';

export interface DestinationContext extends OriginContext {
  /** Judges destinations by the policy that a document brings, not by the policy in force. */
  readonly egressUnder: (document: ConfigDocument) => Pick<Egress, 'check' | 'explain'>;
}

/** How a write of a file is judged in place of what its policy says: less is asked of the network. */
export type Leniency = Partial<Pick<EgressPolicy, 'resolveDns' | 'failClosed'>>;

/** Names that are resolved at a time. */
const maxChecks = 16;

/**
 * @param document the next document
 * @param part the part that was written
 * @throws OlaError `unsafe_destination` naming the first place, in the document's order
 */
export async function refuseUnsafeDestinations(
  document: JsonObject,
  part: Path,
  context: DestinationContext,
  leniency: Leniency = {},
): Promise<void> {
  const typed = document as ConfigDocument;
  const egress = context.egressUnder({ ...typed, egressPolicy: { ...typed.egressPolicy, ...leniency } });
  const written = destinationsIn(typed, context).filter((address) => isWritten(address, part));
  const denied = await firstDenied(written, egress);
  if (denied !== null) throw unsafe(denied.address, denied.denial, part, egress);
}

/** A place of the document that names an address, and the destination that it makes. */
interface Address {
  /** Of the provider or profile. */
  readonly entry: Path;
  /** False: the address is the catalog's. */
  readonly isOwn: boolean;
  readonly destination: Destination;
}

function destinationsIn(document: ConfigDocument, context: OriginContext): Address[] {
  const merged = configuredProviders(document, context.catalog);
  const at = (entry: Path, id: string, baseUrl: string | undefined): Address[] => {
    const own = baseUrl === undefined ? {} : { baseUrl };
    const destination = destinationOf(id, { ...merged.get(id), ...own }, context, document);
    return destination === null ? [] : [{ entry, isOwn: baseUrl !== undefined, destination }];
  };
  const providers = (map: Readonly<Record<string, ProviderConfig>> | undefined, section: Path) =>
    Object.entries(map ?? {}).flatMap(([id, { baseUrl }]) => at([...section, id], id, baseUrl));
  return [
    ...providers(document.providers, ['providers']),
    ...providers(document.models?.providers, ['models', 'providers']),
    ...Object.entries(document.authProfiles ?? {}).flatMap(([id, { provider, baseUrl }]) =>
      at(['authProfiles', id], context.catalog.canonicalId(provider), baseUrl),
    ),
  ];
}

/** Fields of a provider or profile that decide where its calls may go. */
const destinationFields = ['baseUrl', 'allowLocal', 'ports', 'provider'] as const;

/**
 * Whether a write of a part decides the destination. A write of the policy decides all of them. A catalog's own address is
 * judged when its provider is written alone; a whole document would need the network for every vendor in it.
 */
function isWritten({ entry, isOwn }: Address, part: Path): boolean {
  if (!isOwn && !(isProvider(part) && isWithin(entry, part))) return false;
  const deciding = [['egressPolicy'], ...destinationFields.map((field) => [...entry, field])];
  return deciding.some((place) => isWithin(place, part) || isWithin(part, place));
}

/** Some destinations are checked at a time; after a denial no further check begins. */
async function firstDenied(addresses: readonly Address[], egress: Pick<Egress, 'check'>) {
  const denials = new Map<number, { readonly address: Address; readonly denial: EgressDenial }>();
  const waiting = addresses.entries();
  const checkSome = async () => {
    for (const [index, address] of waiting) {
      const denial = await egress.check(address.destination);
      if (denial !== null) denials.set(index, { address, denial });
      if (denials.size > 0) return;
    }
  };
  await Promise.all(Array.from({ length: maxChecks }, checkSome));
  const [first] = [...denials].sort(([one], [other]) => one - other);
  return first === undefined ? null : first[1];
}

function unsafe({ entry }: Address, denial: EgressDenial, part: Path, egress: Pick<Egress, 'explain'>): OlaError {
  const param = nameIn(part, [...entry, 'baseUrl']);
  const host = denial.host === '' ? 'the host' : denial.host;
  const message = `'${param}' may not be used: ${host} ${egress.explain(denial)} Nothing was saved.`;
  return new OlaError('unsafe_destination', message, { param, details: { ...denial } });
}
