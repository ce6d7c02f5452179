/** Paths of Google's API: a model, and a verb behind a colon (https://google.aip.dev/136). */
import type { UpstreamModel } from '../../core/protocol.ts';

/** Collections that a model's id may name itself. */
const collection = /^(?:models|tunedModels)\//;

/** @param verb `generateContent` */
export function modelPath({ id, quirks }: Pick<UpstreamModel, 'id' | 'quirks'>, verb: string): string {
  const named = collection.exec(id)?.[0] ?? '';
  const name = encodeURIComponent(id.slice(named.length));
  const parent = quirks.publisherPath === true ? 'publishers/google/models/' : named === '' ? 'models/' : named;
  return `/${parent}${name}:${verb}`;
}

/** The stream as events; without the parameter it is a list in JSON. */
export const asEvents = '?alt=sse';
