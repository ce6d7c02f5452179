/** One attempt at an upstream of another protocol: the request as it was encoded, the answer decoded and encoded again. */
import { fold, unfold } from '../core/answers.ts';
import type { Answer, Step } from '../core/conversation.ts';
import type { HeaderMap } from '../core/ports.ts';
import type {
  AnswerKind,
  ChatCodec,
  EncodedRequest,
  Exchange,
  Making,
  ReasoningMemory,
  StreamPipe,
  UpstreamFailure,
  WholeAnswer,
} from '../core/protocol.ts';
import { createAnswerReasoning } from './answer-reasoning.ts';
import { createCallIds } from './call-ids.ts';
import { withCustomCalls } from './custom-tools.ts';
import { brokenProtocol } from './failures.ts';
import { createTranslatedStream } from './translated-stream.ts';

export interface Translation {
  readonly request: EncodedRequest;
  readonly notes: HeaderMap | null;
  /** The client asked for a stream. */
  readonly stream: boolean;
  /** The upstream's codec. */
  readonly from: ChatCodec;
  /** The client's codec. */
  readonly to: ChatCodec;
  readonly making: Making;
  readonly maker: string;
  /** Names of the client's free-form tools, which the upstream has as functions. */
  readonly customTools: ReadonlySet<string>;
  readonly memory: ReasoningMemory | null;
}

export class TranslatedExchange implements Exchange {
  readonly method = 'POST';
  readonly path: string;
  readonly body: string;
  readonly contentType = null;
  readonly headers: HeaderMap | null;
  readonly notes: HeaderMap | null;
  readonly added: readonly string[];
  readonly expects: AnswerKind;
  private readonly translation: Translation;

  constructor(translation: Translation) {
    this.translation = translation;
    this.path = translation.request.path;
    this.body = translation.request.body;
    this.headers = translation.request.headers;
    this.added = translation.request.added;
    this.notes = translation.notes;
    this.expects = translation.stream ? 'stream' : 'whole';
  }

  answerKind(): AnswerKind {
    return this.expects;
  }

  labelOf(kind: AnswerKind): string {
    return kind === 'stream' ? 'text/event-stream' : 'application/json';
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    const { from, to, making } = this.translation;
    const read = readAnswer(text, from);
    if ('kind' in read) return read;
    const answer = { ...read, parts: withCustomCalls(read.parts, this.translation.customTools) };
    const steps = createAnswerReasoning(this.translation);
    const ids = createCallIds(making.id);
    const wrapped = fold(Array.from(unfold(answer), (step) => steps.take(ids.take(step))));
    const { unknown } = answer.end;
    const body = to.encodeAnswer({ ...wrapped, ...(answer.extras === undefined ? {} : { extras: answer.extras }) }, making);
    return { body, tokens: answer.tokens, ...(unknown === null ? {} : { stop: unknown }) };
  }

  pipe(): StreamPipe {
    return createTranslatedStream(this.translation);
  }
}

/** A stream begins with a field of an event, or with a comment (WHATWG HTML, 9.2.5). */
const eventStart = /^\uFEFF?\s*(?:(?:data|event|id|retry)\s*:|:)/;
const encoder = new TextEncoder();

/** A stream that was not asked for is folded into one answer. */
function readAnswer(text: string, codec: ChatCodec): Answer | UpstreamFailure {
  if (!eventStart.test(text)) return codec.decodeAnswer(text);
  const decoder = codec.streamDecoder();
  const steps: Step[] = [];
  const take = (step: Step) => void steps.push(step);
  try {
    decoder.push(encoder.encode(text), take);
    if (decoder.fault === null && steps.at(-1)?.type !== 'end') decoder.finish(take);
  } finally {
    decoder.close();
  }
  if (decoder.failure !== null) return decoder.failure;
  if (decoder.fault === null && steps.at(-1)?.type === 'end') return fold(steps);
  return brokenProtocol('ended its answer before it was complete');
}
