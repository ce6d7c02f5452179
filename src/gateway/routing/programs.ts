/** Providers that are programs of this host: no address, no credential, no model besides those that are listed. Pure. */
import type { ProviderConfig } from '../../core/document.ts';
import { type CatalogModel, type CatalogProvider, noQuirks } from '../../core/providers.ts';
import { type Candidate, programCandidate } from '../../credentials/candidates.ts';
import { timeoutsIn } from './destinations.ts';

/** A model's id goes on a command line: a dash at its beginning would make it an option. */
const modelShape = /^[A-Za-z0-9][A-Za-z0-9._:@/[\]-]{0,127}$/;

/** @param models those of the catalog and of the configuration */
export function programProvider(row: CatalogProvider, models: readonly CatalogModel[], config: ProviderConfig) {
  const [{ protocol, baseUrl }] = row.endpoints;
  const timeouts = timeoutsIn(config);
  // Nothing dials it: the policy of egress would refuse its scheme.
  const destination = { name: row.id, baseUrl, allowLocal: false, ...(timeouts === null ? {} : { timeouts }) };
  const endpoint = {
    protocol,
    destination,
    quirks: noQuirks,
    lacksVersion: false,
    candidates: [programCandidate()],
    named: new Map<string, Candidate>(),
    passed: [],
  } as const;
  return {
    id: row.id,
    endpoints: [endpoint],
    models: models.filter(({ id }) => modelShape.test(id)),
    asksModels: false,
    anyModel: false,
    noEmbeddings: true,
    passed: [],
  } as const;
}
