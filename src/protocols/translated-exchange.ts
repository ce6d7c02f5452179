/** One attempt at an upstream of another protocol: the request as it was encoded, the answer decoded and encoded again. */
import { fold, unfold } from '../core/answers.ts';
import type { Answer, Part } from '../core/conversation.ts';
import type { HeaderMap } from '../core/ports.ts';
import type { ProgramCall } from '../core/programs.ts';
import type {
  AnswerKind,
  ChatCodec,
  EncodedRequest,
  Exchange,
  Making,
  ReasoningMemory,
  StreamPipe,
  UpstreamChat,
  UpstreamFailure,
  WholeAnswer,
} from '../core/protocol.ts';
import { readAnswer } from './answer-forms.ts';
import { createAnswerReasoning } from './answer-reasoning.ts';
import { withCallId } from './call-ids.ts';
import { withCustomCalls } from './custom-tools.ts';
import { createTranslatedStream } from './translated-stream.ts';

export interface Translation {
  readonly request: EncodedRequest;
  readonly notes: HeaderMap | null;
  /** The client asked for a stream. */
  readonly stream: boolean;
  /** The upstream's codec. */
  readonly from: UpstreamChat;
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
  readonly program?: ProgramCall;
  private readonly translation: Translation;

  constructor(translation: Translation) {
    this.translation = translation;
    this.path = translation.request.path;
    this.body = translation.request.body;
    this.headers = translation.request.headers;
    this.added = translation.request.added;
    this.notes = translation.notes;
    this.expects = translation.stream ? 'stream' : 'whole';
    if (translation.request.program !== undefined) this.program = translation.request.program;
  }

  answerKind(): AnswerKind {
    return this.expects;
  }

  labelOf(kind: AnswerKind): string {
    return kind === 'stream' ? (this.translation.to.streamType ?? 'text/event-stream') : 'application/json';
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    const { from, to, making } = this.translation;
    const read = readAnswer(text, from);
    if ('kind' in read) return read;
    const { unknown } = read.end;
    const body = to.encodeAnswer({ ...this.wrapped(read), model: null }, making);
    return { body, tokens: read.tokens, ...(unknown === null ? {} : { stop: unknown }) };
  }

  /** The answer with its free-form calls, and its reasoning wrapped and remembered. An answer of text has neither. */
  private wrapped(answer: Answer): Answer {
    if (!answer.parts.some(isReasoningOrCall)) return answer;
    const parts = withCustomCalls(answer.parts, this.translation.customTools);
    const { making } = this.translation;
    const steps = createAnswerReasoning(this.translation);
    const whole = fold(Array.from(unfold({ ...answer, parts }), (step) => steps.take(withCallId(step, making.id))));
    return { ...whole, ...(answer.extras === undefined ? {} : { extras: answer.extras }) };
  }

  pipe(): StreamPipe {
    return createTranslatedStream(this.translation);
  }
}

const isReasoningOrCall = ({ type }: Part): boolean => type === 'reasoning' || type === 'toolCall';
