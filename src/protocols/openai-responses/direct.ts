/** OpenAI's responses on both sides: the body with only the model replaced, answers as they come, usage read in passing. */
import { dropMembers } from '../../core/json-text.ts';
import type { HeaderMap } from '../../core/ports.ts';
import type {
  AnswerKind,
  ClientCall,
  Exchange,
  StreamPipe,
  UpstreamFailure,
  UpstreamModel,
  WholeAnswer,
} from '../../core/protocol.ts';
import { createAnyStream, type StreamForms } from '../any-stream.ts';
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
  const own = mayBeWrapped(body.text) ? withOwnReasoning(body.text, to.maker) : body.text;
  const refused = refusedFields(body.fields, to);
  const request = {
    body: withModel(refused.size === 0 ? own : dropMembers(own, refused), body.fields['model'], to.id),
    headers: given === null ? null : sameHeaders(given),
    notes: refused.size === 0 ? null : { 'x-ola-dropped': [...refused].join(', ') },
  };
  return new DirectExchange(endpoint, request, peek.stream);
}

/** Fields that the vendor refuses, where the client sends them. */
function refusedFields(fields: Readonly<Record<string, unknown>>, { quirks }: UpstreamModel): ReadonlySet<string> {
  const names = [...(quirks.noStore === true ? ['store'] : []), ...(quirks.noMaxTokens === true ? ['max_output_tokens'] : [])];
  return new Set(names.filter((name) => Object.hasOwn(fields, name)));
}

interface DirectRequest {
  readonly body: string;
  readonly headers: HeaderMap | null;
  readonly notes: HeaderMap | null;
}

const none: readonly string[] = [];

class DirectExchange implements Exchange, StreamForms {
  readonly method = 'POST';
  readonly path: string;
  readonly body: string;
  readonly contentType = null;
  readonly headers: HeaderMap | null;
  readonly notes: HeaderMap | null;
  readonly added = none;
  readonly expects: AnswerKind;
  readonly read: StreamForms['read'];
  readonly eventsOf = eventsOfResponse;

  constructor(
    { path, read }: { readonly path: string; readonly read: StreamForms['read'] },
    { body, headers, notes }: DirectRequest,
    isStream: boolean,
  ) {
    this.path = path;
    this.body = body;
    this.headers = headers;
    this.notes = notes;
    this.expects = isStream ? 'stream' : 'whole';
    this.read = read;
  }

  answerKind(): AnswerKind {
    return this.expects;
  }

  labelOf(kind: AnswerKind): string {
    return kind === 'stream' ? 'text/event-stream' : 'application/json';
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    return this.read(text);
  }

  pipe(): StreamPipe {
    return createAnyStream(this);
  }

  tap(): StreamPipe {
    return createResponseTap();
  }
}
