/** Steps of the hub as events of OpenAI's responses, for a client. */
import type { AnswerEnd, Step } from '../../core/conversation.ts';
import type { Making, StreamEncoder } from '../../core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { wellFormed } from './encode-answer.ts';
import { writeEnd } from './end-reasons.ts';
import { type EventWriting, ItemWriting } from './item-writing.ts';
import type { Fields } from './members.ts';
import { responseId } from './output-items.ts';
import { PartOrder } from './part-order.ts';
import { responseObject, type Told } from './response-object.ts';
import { writeUsage } from './usage.ts';

export function streamEncoder(making: Making): StreamEncoder {
  return new Encoder(making);
}

type PartStep = Extract<Step, { index: number }>;

class Encoder implements StreamEncoder {
  private readonly making: Making;
  private readonly order = new PartOrder();
  private readonly items: ItemWriting;
  private sequence = 0;
  private id = '';
  private model = '';
  private started = false;
  private refused = false;
  private tokens: TokenCounts = noTokenCounts;
  private text = '';

  constructor(making: Making) {
    this.making = making;
    this.items = new ItemWriting(making, { event: this.write, delta: this.writeDelta });
  }

  /** @throws RangeError when the answer is longer than one may be */
  encode(step: Step): string {
    if (step.type === 'usage') {
      this.tokens = step.tokens;
      return '';
    }
    this.text = this.started ? '' : this.start(step);
    if (step.type === 'end') this.end(step.end);
    else if (step.type !== 'begin') this.order.take(step, this.tell);
    return this.text;
  }

  private start(step: Step): string {
    this.started = true;
    const { id = null, model = null } = step.type === 'begin' ? step : {};
    this.id = responseId(id, this.making);
    this.model = model ?? this.making.model;
    const response = this.response({ status: 'in_progress', incomplete_details: null });
    return this.write('response.created', { response }) + this.write('response.in_progress', { response });
  }

  private readonly tell = (step: PartStep): void => {
    if (step.type === 'partDelta') this.text += this.items.text(step.text);
    else if (step.type === 'partEnd') this.text += this.items.end(step);
    else {
      this.refused ||= step.part.type === 'refusal';
      this.text += this.items.begin(step.part);
    }
  };

  /** Parts that were never ended end with the answer. */
  private end(end: AnswerEnd): void {
    const isCut = end.reason === 'length';
    this.order.finish((step) => {
      if (step.type === 'partEnd') this.text += this.items.end(step, isCut);
      else this.tell(step);
    });
    const status = writeEnd(end, this.refused);
    this.text += this.write(`response.${status.status}`, { response: this.response(status) });
  }

  private response(status: Pick<Told, 'status' | 'incomplete_details'>): Fields {
    const isOver = status.status !== 'in_progress';
    const told: Told = {
      id: this.id,
      model: this.model,
      ...status,
      output: isOver ? this.items.output : [],
      usage: isOver ? writeUsage(this.tokens) : null,
    };
    return responseObject(told, this.making);
  }

  private readonly write = (type: string, fields: Fields): string => {
    const event = wellFormed({ type, sequence_number: this.sequence++, ...fields });
    return `event: ${type}\ndata: ${event}\n\n`;
  };

  private readonly writeDelta: EventWriting['delta'] = (type, before, piece, after) => {
    const delta = JSON.stringify(piece.isWellFormed() ? piece : piece.toWellFormed());
    return `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.sequence++},${before},"delta":${delta}${after}}\n\n`;
  };
}
