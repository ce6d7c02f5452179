/** The chunks of a chat from an upstream, as steps. A whole answer is read as one chunk. */
import type { Part, Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { type CallReading, createCallReading, type PartSink } from './decode-calls.ts';
import { failureInside } from './errors.ts';
import { endOf, failedFinishes } from './finish-reasons.ts';
import type { Fields } from './members.ts';
import { type ReasoningDetail, readDetail } from './reasoning-details.ts';
import { readUsage } from './usage.ts';

type Take = (step: Step) => void;
type TextType = 'text' | 'reasoning' | 'refusal';

/** A text that stands in no entry of `reasoning_details`. */
const noDetail = { index: null, id: null };

/** What the choices of one answer may bring: each comes from one choice alone. */
interface Sources {
  text: unknown;
  calls: unknown;
}

export class ChunkReader implements PartSink {
  /** The upstream said that it failed. */
  failure: UpstreamFailure | null = null;
  /** The steps cannot be told: a delta of a part that has ended, arguments without a name. */
  isMalformed = false;
  /** A choice has come. */
  answered = false;
  answerId: string | null = null;
  take: Take;
  private readonly calls: CallReading = createCallReading(this);
  private begun = false;
  private isStreamed = false;
  private parts = 0;
  /** The index and type of the open part of text; null when none is open. */
  private open = 0;
  private openType: TextType | null = null;
  /** The index of the entries of `reasoning_details` that the open part is made of; null: none. */
  private openDetail: number | null = null;
  private hasRefusal = false;
  /** Finishes by the index of the choice; empty until it has one. */
  private readonly finishes = new Map<unknown, string>();
  private readonly sources: Sources = { text: undefined, calls: undefined };

  constructor(take: Take) {
    this.take = take;
  }

  /** Every choice that was seen has its finish. */
  get isFinished(): boolean {
    return this.answered && ![...this.finishes.values()].includes('');
  }

  /** @param data the text of the chunk, for a failure that it tells */
  takeChunk(chunk: Fields, data: string): void {
    const failure = failureInside(chunk, data);
    if (failure !== null) {
      this.failure = failure;
      return;
    }
    const choices = chunk['choices'];
    if (Array.isArray(choices)) for (const choice of choices) if (isObject(choice)) this.takeChoice(choice, chunk, data);
    if (isObject(chunk['usage'])) this.take({ type: 'usage', tokens: readUsage(chunk['usage']) });
  }

  private takeChoice(choice: Fields, chunk: Fields, data: string): void {
    this.answered = true;
    if (!this.begun) this.begin(chunk);
    const index = choice['index'] ?? 0;
    const { delta, message, text, finish_reason: finish } = choice;
    if (isObject(delta)) {
      this.isStreamed = true;
      this.takeDelta(delta, index, false);
    } else if (isObject(message)) {
      // Behind deltas it repeats them.
      if (!this.isStreamed) this.takeDelta(message, index, true);
    } else if (typeof text === 'string' && text !== '') this.takeText('text', text, index);
    if (typeof finish === 'string' && finish !== '') this.takeFinish(finish, index, data);
    else if (!this.finishes.has(index)) this.finishes.set(index, '');
    // Moonshot puts usage here.
    if (isObject(choice['usage'])) this.take({ type: 'usage', tokens: readUsage(choice['usage']) });
  }

  private begin({ id, model }: Fields): void {
    this.begun = true;
    this.answerId = filled(id);
    this.take({ type: 'begin', id: this.answerId, model: filled(model) });
  }

  private takeFinish(finish: string, index: unknown, data: string): void {
    const status = failedFinishes.get(finish);
    if (status === undefined) {
      // The first finish stands: some servers send `stop` behind `tool_calls`.
      if ((this.finishes.get(index) ?? '') === '') this.finishes.set(index, finish);
    } else this.failure = failureInside({ error: { message: `The answer ended with ${finish}.`, status } }, data);
  }

  private takeDelta(delta: Fields, index: unknown, isWhole: boolean): void {
    this.takeReasoning(delta, index);
    const { content, refusal, tool_calls: calls, function_call: legacy } = delta;
    if (typeof content === 'string') {
      if (content !== '') this.takeText('text', content, index);
    } else if (Array.isArray(content)) this.takeContentParts(content, index);
    if (typeof refusal === 'string' && refusal !== '') this.takeText('refusal', refusal, index);
    if (Array.isArray(calls) && calls.length > 0) this.takeCalls(calls, index, isWhole);
    if (isObject(legacy)) this.takeCalls([{ index: 'legacy', function: legacy }], index, false);
  }

  /** Copilot cuts one answer into choices, text in one and calls in another. More of the same from another choice is another answer. */
  private isFrom(source: keyof Sources, index: unknown): boolean {
    this.sources[source] ??= index;
    return this.sources[source] === index;
  }

  private takeCalls(calls: readonly unknown[], index: unknown, isWhole: boolean): void {
    if (this.isFrom('calls', index) && !this.calls.take(calls, isWhole)) this.isMalformed = true;
  }

  private takeText(type: TextType, text: string, index: unknown): void {
    if (this.isFrom('text', index)) this.addText(type, text, noDetail);
  }

  private addText(type: TextType, text: string, { index, id }: Pick<ReasoningDetail, 'index' | 'id'>): void {
    const isSame = this.openType === type && (index === null || this.openDetail === null || index === this.openDetail);
    if (!isSame) this.beginText({ type, text: '', ...(id === null ? {} : { id }) }, index);
    else if (index !== null) this.openDetail = index;
    this.take({ type: 'partDelta', index: this.open, text });
  }

  private beginText(part: Part & { readonly type: TextType }, detail: number | null): void {
    this.open = this.nextPart();
    this.openType = part.type;
    this.openDetail = detail;
    if (part.type === 'refusal') this.hasRefusal = true;
    this.take({ type: 'partBegin', index: this.open, part });
  }

  nextPart(): number {
    this.endText();
    this.calls.endComplete();
    return this.parts++;
  }

  private endText(signature?: string): void {
    if (this.openType === null) return;
    this.openType = null;
    this.take({ type: 'partEnd', index: this.open, ...(signature === undefined ? {} : { signature }) });
  }

  /** Servers that send several of these fields send the same text in each: the first that is filled is taken. */
  private takeReasoning(delta: Fields, index: unknown): void {
    const details = delta['reasoning_details'];
    if (Array.isArray(details) && details.length > 0) {
      const read = details.map(readDetail).filter((detail) => detail !== null);
      if (!read.some(({ text }) => text !== '')) this.takePlainReasoning(delta, index);
      if (this.isFrom('text', index)) for (const detail of read) this.takeDetail(detail);
    } else this.takePlainReasoning(delta, index);
  }

  private takePlainReasoning(delta: Fields, index: unknown): void {
    const text = filled(delta['reasoning_content']) ?? filled(delta['reasoning']) ?? filled(delta['reasoning_text']);
    if (text !== null) this.takeText('reasoning', text, index);
  }

  /** The signature of a part comes last, in an entry of its own or with the text. */
  private takeDetail(detail: ReasoningDetail): void {
    const { text, signature, redacted, index, id } = detail;
    if (redacted !== null) this.beginText({ type: 'reasoning', text: '', redacted, ...(id === null ? {} : { id }) }, index);
    if (text !== '') this.addText('reasoning', text, detail);
    if (signature === null) return;
    if (this.openType !== 'reasoning') this.beginText({ type: 'reasoning', text: '' }, index);
    this.endText(signature);
  }

  /** A content in a list of parts, as Mistral sends it. */
  private takeContentParts(parts: readonly unknown[], index: unknown): void {
    for (const part of parts) {
      if (!isObject(part)) continue;
      const { type, text, thinking, refusal } = part;
      if (type === 'thinking') this.takeThinking(thinking, index);
      else if (typeof text === 'string' && text !== '') this.takeText('text', text, index);
      else if (typeof refusal === 'string' && refusal !== '') this.takeText('refusal', refusal, index);
    }
  }

  private takeThinking(thinking: unknown, index: unknown): void {
    for (const piece of Array.isArray(thinking) ? thinking : [thinking]) {
      const text = filled(isObject(piece) ? piece['text'] : piece);
      if (text !== null) this.takeText('reasoning', text, index);
    }
  }

  /** The answer is complete: ends its parts, and then the answer. */
  end(): void {
    this.endText();
    if (!this.calls.endAll()) {
      this.isMalformed = true;
      return;
    }
    const facts = { hasCalls: this.calls.seen, hasRefusal: this.hasRefusal };
    this.take({
      type: 'end',
      end: endOf(
        [...this.finishes.values()].filter((finish) => finish !== ''),
        facts,
      ),
    });
  }
}

function filled(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
