/** OpenAI's responses on both sides: the body with only the model replaced, answers as they come, usage read in passing. */
import { dropMembers } from '../../core/json-text.ts';
import type { ClientCall, Exchange, UpstreamModel } from '../../core/protocol.ts';
import type { StreamForms } from '../any-stream.ts';
import { EventExchange } from '../event-exchange.ts';
import { withModel } from '../model-splice.ts';
import { createSameHeaders } from '../same-headers.ts';
import { mayBeWrapped } from '../wrapped-values.ts';
import { readCompacted, readCount, readWhole } from './answer.ts';
import { eventsOfResponse } from './convert.ts';
import { compactPath, countPath, createPath } from './routes.ts';
import { createResponseTap } from './stream.ts';
import { withOwnReasoning } from './wrapped-items.ts';

/** Paths behind a provider's base URL, and how their answers are read. */
const endpoints: ReadonlyMap<string, { readonly path: string; readonly read: StreamForms['read'] }> = new Map([
  [createPath, { path: '/responses', read: readWhole }],
  [countPath, { path: '/responses/input_tokens', read: readCount }],
  [compactPath, { path: '/responses/compact', read: readCompacted }],
]);

const sameHeaders = createSameHeaders((given) => given);

export function direct({ route, body, peek, headers: given }: ClientCall, to: UpstreamModel): Exchange | null {
  const endpoint = endpoints.get(route.path);
  if (endpoint === undefined || !('text' in body)) return null;
  const own = mayBeWrapped(body.text) ? withOwnReasoning(body.text, to.maker) : { text: body.text, cut: false };
  const refused = refusedFields(body.fields, to);
  const dropped = [...refused, ...(own.cut ? ['reasoning'] : [])];
  const request = {
    path: endpoint.path,
    body: withModel(refused.size === 0 ? own.text : dropMembers(own.text, refused), body.fields['model'], to.id),
    headers: given === null ? null : sameHeaders(given),
    notes: dropped.length === 0 ? null : { 'x-ola-dropped': dropped.join(', ') },
  };
  return new EventExchange(request, peek.stream, { read: endpoint.read, tap: createResponseTap, eventsOf: eventsOfResponse });
}

/** Fields that the vendor refuses, where the client sends them. */
function refusedFields(fields: Readonly<Record<string, unknown>>, { quirks }: UpstreamModel): ReadonlySet<string> {
  const names = [...(quirks.noStore === true ? ['store'] : []), ...(quirks.noMaxTokens === true ? ['max_output_tokens'] : [])];
  return new Set(names.filter((name) => Object.hasOwn(fields, name)));
}
