/** Ollama on both sides: the body with only the model replaced, lines as they come, usage read in passing. */
import type {
  AnswerKind,
  ClientCall,
  Exchange,
  StreamPipe,
  UpstreamFailure,
  UpstreamModel,
  WholeAnswer,
} from '../../core/protocol.ts';
import { streamType } from '../json-lines.ts';
import { withModel } from '../model-splice.ts';
import { readChat, readGenerated, readVectors } from './answer.ts';
import { chatPath, embeddingsPath, embedPath, generatePath } from './routes.ts';
import { createLineTap } from './stream.ts';

type Read = (text: string) => WholeAnswer | UpstreamFailure;

const readers: Readonly<Record<string, Read>> = {
  [chatPath]: readChat,
  [generatePath]: readGenerated,
  [embedPath]: readVectors,
  [embeddingsPath]: readVectors,
};

export function direct({ route, body, peek }: ClientCall, to: UpstreamModel): Exchange | null {
  const read = readers[route.path];
  if (!('text' in body) || read === undefined) return null;
  return new DirectExchange(route.path, withModel(body.text, body.fields['model'], to.id), peek.stream, read);
}

const none: readonly string[] = [];

class DirectExchange implements Exchange {
  readonly method = 'POST';
  readonly path: string;
  readonly body: string;
  readonly contentType = null;
  readonly headers = null;
  readonly notes = null;
  readonly added = none;
  readonly expects: AnswerKind;
  private readonly read: Read;

  constructor(path: string, body: string, isStream: boolean, read: Read) {
    this.path = path;
    this.body = body;
    this.expects = isStream ? 'stream' : 'whole';
    this.read = read;
  }

  answerKind(): AnswerKind {
    return this.expects;
  }

  labelOf(kind: AnswerKind): string {
    return kind === 'stream' ? streamType : 'application/json';
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    return this.read(text);
  }

  pipe(): StreamPipe {
    return createLineTap();
  }
}
