/** One attempt at embeddings from an upstream of another protocol. */
import type { HeaderMap } from '../core/ports.ts';
import type {
  AnswerKind,
  EmbeddingsClient,
  EmbeddingsUpstream,
  EncodedRequest,
  Exchange,
  Making,
  ReadHeader,
  StreamPipe,
  UpstreamFailure,
  WholeAnswer,
} from '../core/protocol.ts';
import { brokenProtocol } from './failures.ts';

export interface EmbeddingsTranslation {
  readonly request: EncodedRequest;
  readonly notes: HeaderMap | null;
  /** Texts of the request. */
  readonly texts: number;
  /** The upstream's codec. */
  readonly from: EmbeddingsUpstream;
  /** The client's codec. */
  readonly to: EmbeddingsClient;
  readonly making: Making;
}

export class EmbeddingsExchange implements Exchange {
  readonly method = 'POST';
  readonly path: string;
  readonly body: string;
  readonly contentType = null;
  readonly headers: HeaderMap | null;
  readonly notes: HeaderMap | null;
  readonly added: readonly string[];
  readonly expects = 'whole';
  private readonly translation: EmbeddingsTranslation;

  constructor(translation: EmbeddingsTranslation) {
    this.translation = translation;
    this.path = translation.request.path;
    this.body = translation.request.body;
    this.headers = translation.request.headers;
    this.added = translation.request.added;
    this.notes = translation.notes;
  }

  answerKind(): AnswerKind {
    return this.expects;
  }

  labelOf(): string {
    return 'application/json';
  }

  whole(text: string, header?: ReadHeader): WholeAnswer | UpstreamFailure {
    const { from, to, making, texts } = this.translation;
    const answer = from.decodeAnswer(text, header);
    if ('kind' in answer) return answer;
    // A client pairs vectors and texts by their places: one that is missing would shift all behind it.
    if (answer.vectors.length !== texts) {
      return brokenProtocol(`answered ${answer.vectors.length} embeddings of ${texts} texts`);
    }
    return { body: to.encodeAnswer(answer, making), tokens: answer.tokens };
  }

  pipe(): StreamPipe {
    throw new Error('embeddings come whole');
  }
}
