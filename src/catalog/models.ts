/**
 * Which models the providers serve, how large they are and what they cost. The rows are data of pi-ai, made into
 * models.jsonl by scripts/catalog.ts: models-source.json names the version, LICENSE-pi-ai is its licence.
 */
import type { CatalogModel } from '../core/providers.ts';
import table from './models.jsonl' with { type: 'text' };

/** The day of the data: stored with every price that was computed from it. */
export const catalogVersion = '2026-11-10';

const known = new Map<string, readonly CatalogModel[]>();

/**
 * The models of a provider. Its lines are parsed at the first question about it: the start reads none of the others.
 * @param providerId the id of a row; none for a provider whose models are not known
 */
export function modelsOf(providerId: string): readonly CatalogModel[] {
  const models = known.get(providerId) ?? parsed(linesOf(providerId));
  known.set(providerId, models);
  return models;
}

type Line = CatalogModel & { readonly provider: string };

/** The lines of one provider stand beside each other, and each begins with its id. */
function linesOf(providerId: string): string {
  const head = `{"provider":${JSON.stringify(providerId)},`;
  const start = table.indexOf(head);
  return start < 0 ? '' : table.slice(start, table.indexOf('\n', table.lastIndexOf(head)));
}

function parsed(lines: string): readonly CatalogModel[] {
  const rows = JSON.parse(`[${lines.replaceAll('\n', ',')}]`) as readonly Line[];
  return rows.map(({ provider: _, ...model }) => model);
}
