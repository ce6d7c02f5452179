/** One attempt at an upstream of the client's own protocol whose streams are server-sent events: answers go on as they come. */
import type { HeaderMap } from '../core/ports.ts';
import type { AnswerKind, Exchange, StreamPipe, UpstreamFailure, WholeAnswer } from '../core/protocol.ts';
import { createAnyStream, type StreamForms } from './any-stream.ts';

export interface EventRequest {
  readonly path: string;
  readonly body: string;
  readonly headers: HeaderMap | null;
  readonly notes: HeaderMap | null;
}

const none: readonly string[] = [];

export class EventExchange implements Exchange {
  readonly method = 'POST';
  readonly path: string;
  readonly body: string;
  readonly contentType = null;
  readonly headers: HeaderMap | null;
  readonly notes: HeaderMap | null;
  readonly added = none;
  readonly expects: AnswerKind;
  private readonly forms: StreamForms;

  constructor({ path, body, headers, notes }: EventRequest, isStream: boolean, forms: StreamForms) {
    this.path = path;
    this.body = body;
    this.headers = headers;
    this.notes = notes;
    this.expects = isStream ? 'stream' : 'whole';
    this.forms = forms;
  }

  answerKind(): AnswerKind {
    return this.expects;
  }

  labelOf(kind: AnswerKind): string {
    return kind === 'stream' ? 'text/event-stream' : 'application/json';
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    return this.forms.read(text);
  }

  pipe(): StreamPipe {
    return createAnyStream(this.forms);
  }
}
