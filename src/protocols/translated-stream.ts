/** A stream of one protocol as one of another, step by step: complete when the upstream's is. */
import { unfold } from '../core/answers.ts';
import { joinBytes } from '../core/bytes.ts';
import type { Step } from '../core/conversation.ts';
import type {
  ChatCodec,
  Making,
  ReasoningMemory,
  StreamDecoder,
  StreamEncoder,
  StreamFault,
  StreamPipe,
  UpstreamChat,
  UpstreamFailure,
} from '../core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../core/usage.ts';
import { type AnswerReasoning, createAnswerReasoning } from './answer-reasoning.ts';
import { withCallId } from './call-ids.ts';
import { CustomCalls } from './custom-tools.ts';

export interface StreamTranslation {
  /** The upstream's codec. */
  readonly from: UpstreamChat;
  /** The client's codec. */
  readonly to: ChatCodec;
  readonly making: Making;
  readonly maker: string;
  readonly memory: ReasoningMemory | null;
  /** Names of the client's free-form tools, which the upstream has as functions. */
  readonly customTools: ReadonlySet<string>;
}

export function createTranslatedStream(translation: StreamTranslation): StreamPipe {
  return new TranslatedStream(translation);
}

type Emit = (bytes: Uint8Array) => void;
/** `none`: nothing has come that tells. */
type Form = 'none' | 'stream' | 'json';

/** Bytes of an answer that is JSON in the place of a stream. */
const longestAnswer = 64 * 1024 * 1024;
const encoder = new TextEncoder();
const textDecoder = new TextDecoder();

class TranslatedStream implements StreamPipe {
  begun = false;
  done = false;
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  tokens: TokenCounts = noTokenCounts;
  stop: string | null = null;
  private readonly codec: UpstreamChat;
  private readonly decoder: StreamDecoder;
  private readonly client: StreamEncoder;
  private readonly answerId: string;
  private readonly reasoning: AnswerReasoning;
  /** Null: the client has no free-form tools. */
  private readonly custom: CustomCalls | null;
  private form: Form;
  private readonly json: Uint8Array[] = [];
  private jsonLength = 0;
  /** Text for the client that is not emitted yet. */
  private text = '';

  constructor({ from, to, making, maker, memory, customTools }: StreamTranslation) {
    this.codec = from;
    this.form = from.framing === 'own' ? 'stream' : 'none';
    this.decoder = from.streamDecoder();
    this.client = to.streamEncoder(making);
    this.answerId = making.id;
    this.reasoning = createAnswerReasoning({ maker, memory });
    this.custom = customTools.size === 0 ? null : new CustomCalls(customTools);
  }

  push(chunk: Uint8Array, emit: Emit): void {
    if (this.done || this.fault !== null) return;
    if (this.form === 'none') this.form = formOf(chunk);
    if (this.form === 'none') {
      if (!isBlank(chunk)) this.fault = 'no_stream';
      return;
    }
    if (this.form === 'json') {
      this.gather(chunk);
      return;
    }
    this.run(() => this.decoder.push(chunk, this.take), emit);
  }

  finish(emit: Emit): void {
    if (this.done || this.fault !== null) return;
    if (this.form === 'json') this.run(() => this.takeJson(), emit);
    else if (this.form === 'stream') this.run(() => this.decoder.finish(this.take), emit);
  }

  close(): void {
    this.json.length = 0;
    this.decoder.close();
  }

  private run(decode: () => void, emit: Emit): void {
    try {
      decode();
      this.failure ??= this.decoder.failure;
      this.fault ??= this.decoder.fault;
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      this.fault = 'oversized_event';
    }
    if (this.text === '') return;
    const bytes = encoder.encode(this.text);
    this.text = '';
    emit(bytes);
  }

  private readonly take = (step: Step): void => {
    // Most steps are increments of text, which nothing but the encoder looks into.
    if (step.type === 'partDelta' && this.begun && this.custom === null && !this.reasoning.isOpen) {
      this.text += this.client.encode(step);
      return;
    }
    if (step.type === 'usage') this.tokens = step.tokens;
    else if (step.type === 'end') this.end(step);
    else if (!this.begun) this.begun = carriesContent(step);
    if (this.custom === null) this.tell(step);
    else this.custom.take(step, this.tell);
  };

  private readonly tell = (step: Step): void => {
    // The answer names the model as its client does: Claude Code forgets the reasoning of an answer that names another.
    const own = step.type === 'begin' ? { ...step, model: null } : step;
    this.text += this.client.encode(this.reasoning.take(withCallId(own, this.answerId)));
  };

  private end({ end }: Extract<Step, { type: 'end' }>): void {
    this.begun = true;
    this.done = true;
    this.stop = end.unknown;
  }

  private gather(chunk: Uint8Array): void {
    this.jsonLength += chunk.length;
    if (this.jsonLength > longestAnswer) this.fault = 'oversized_event';
    else this.json.push(chunk);
  }

  /** JSON in the place of a stream becomes a stream. */
  private takeJson(): void {
    const answer = this.codec.decodeAnswer(textDecoder.decode(joinBytes(this.json)));
    if ('kind' in answer) {
      this.fault = answer.kind === 'malformed' ? 'no_stream' : 'upstream_error';
      this.failure = answer.kind === 'malformed' ? null : answer;
      return;
    }
    for (const step of unfold(answer)) this.take(step);
  }
}

/** Whether a client can use it: a beginning alone is held back, so that another attempt may follow. */
function carriesContent(step: Step): boolean {
  if (step.type === 'partDelta') return step.text !== '';
  if (step.type !== 'partBegin') return false;
  const { part } = step;
  if (part.type === 'text' || part.type === 'refusal') return part.text !== '';
  return part.type !== 'reasoning' || part.text !== '' || part.redacted !== undefined;
}

const blanks: readonly number[] = [0x20, 0x0a, 0x0d, 0x09, 0xef, 0xbb, 0xbf];
/** `data`, `event`, `id`, `retry` or a comment begins. */
const eventStarts: readonly number[] = [...'deir:'].map((letter) => letter.charCodeAt(0));

const isBlank = (chunk: Uint8Array) => chunk.every((byte) => blanks.includes(byte));

/** The first byte that is not blank decides: labels are hints. */
function formOf(chunk: Uint8Array): Form {
  const first = chunk.find((byte) => !blanks.includes(byte));
  if (first === undefined) return 'none';
  if (first === 0x7b) return 'json';
  return eventStarts.includes(first) ? 'stream' : 'none';
}
