/** Anthropic's API on both sides: the body with only the model replaced, answers as they come, usage read in passing. */
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
import { mayBeWrapped, notesOf } from '../wrapped-values.ts';
import { readCount, readMessage } from './answer.ts';
import { eventsOfMessage } from './convert.ts';
import { requestHeaders } from './headers.ts';
import { type Renaming, withModelNamed } from './named-model.ts';
import { countPath, messagesPath } from './routes.ts';
import { createMessageTap } from './stream.ts';
import { withOwnThinking } from './wrapped-thinking.ts';

export function direct({ route, body, peek, query, headers }: ClientCall, to: UpstreamModel): Exchange | null {
  if (!('text' in body)) return null;
  const { quirks } = to;
  const own = mayBeWrapped(body.text) ? withOwnThinking(body.text, to.maker) : { text: body.text, cut: false };
  const request = {
    body: withModel(own.text, body.fields['model'], to.id),
    headers: requestHeaders(headers, quirks.noBetas === true),
    beta: asksBeta(query),
    notes: notesOf(own.cut),
  };
  if (route.path === messagesPath) {
    const renaming = peek.model === null || peek.model === to.id ? null : { asked: to.id, named: peek.model };
    const read = (text: string) => readMessage(text, renaming);
    return new DirectExchange(messagesPath, request, { isStream: peek.stream, renaming, read });
  }
  if (route.path !== countPath || quirks.noCount === true) return null;
  return new DirectExchange(countPath, request, { isStream: false, renaming: null, read: readCount });
}

/** Anthropic's SDKs call their beta methods so. Nothing else of a query goes up. */
function asksBeta(query: string): boolean {
  return query !== '' && /[?&]beta=true(?:&|$)/.test(query);
}

interface DirectRequest {
  readonly body: string;
  readonly headers: HeaderMap;
  readonly beta: boolean;
  readonly notes: HeaderMap | null;
}

interface Answering {
  readonly isStream: boolean;
  /** Null: the client names the model as the upstream does. */
  readonly renaming: Renaming | null;
  readonly read: StreamForms['read'];
}

const none: readonly string[] = [];

class DirectExchange implements Exchange, StreamForms {
  readonly method = 'POST';
  readonly path: string;
  readonly body: string;
  readonly contentType = null;
  readonly headers: HeaderMap;
  readonly notes: HeaderMap | null;
  readonly added = none;
  readonly expects: AnswerKind;
  readonly read: StreamForms['read'];
  private readonly renaming: Renaming | null;
  readonly eventsOf = eventsOfMessage;

  constructor(path: string, { body, headers, beta, notes }: DirectRequest, { isStream, renaming, read }: Answering) {
    this.path = beta ? `${path}?beta=true` : path;
    this.body = body;
    this.headers = headers;
    this.notes = notes;
    this.expects = isStream ? 'stream' : 'whole';
    this.read = read;
    this.renaming = renaming;
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
    const tap = createMessageTap();
    return this.renaming === null ? tap : withModelNamed(tap, this.renaming);
  }
}
