/** Steps of the hub as events for Google's clients: texts in pieces, a call whole in one chunk. */
import type { AnswerEnd, Part, ReasoningPart, Step, ToolCallPart } from '../../core/conversation.ts';
import type { Making, StreamEncoder } from '../../core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { callParts, signatureOf, writeChunk } from './encode-answer.ts';
import type { WrittenPart } from './encode-parts.ts';
import { type Fields, protocolId } from './names.ts';

export function streamEncoder(making: Making): StreamEncoder {
  return new Encoder(making);
}

/** A part that is being told; the arguments of a call are collected, since the API has no pieces of them. */
interface Open {
  readonly part: Part;
  readonly pieces: string[];
}

/** Characters of all arguments that are being collected; a whole answer may be as long. */
const mostCollected = 64 * 1024 * 1024;

class Encoder implements StreamEncoder {
  private facts: Fields;
  private tokens: TokenCounts = noTokenCounts;
  private readonly open = new Map<number, Open>();
  private collected = 0;
  /** A call that ended without being JSON: the length limit may have cut it, which the end tells. */
  private doubtful: ToolCallPart | null = null;

  constructor({ id, model }: Making) {
    this.facts = { modelVersion: model, responseId: id };
  }

  /** @throws RangeError when the arguments of calls are longer than an answer may be */
  encode(step: Step): string {
    const before = step.type === 'partBegin' ? this.settle(false) : '';
    return before + this.told(step);
  }

  private told(step: Step): string {
    switch (step.type) {
      case 'begin':
        this.facts = {
          modelVersion: step.model ?? this.facts['modelVersion'],
          responseId: step.id ?? this.facts['responseId'],
        };
        return '';
      case 'usage':
        this.tokens = step.tokens;
        return '';
      case 'partBegin':
        return this.begin(step.index, step.part);
      case 'partDelta':
        return this.piece(this.open.get(step.index), step.text);
      case 'partEnd':
        return this.finish(step.index, step.signature);
      default:
        return this.end(step.end);
    }
  }

  private begin(index: number, part: Part): string {
    const open: Open = { part, pieces: [] };
    this.open.set(index, open);
    if (part.type === 'toolCall') return this.piece(open, part.arguments);
    if (part.type === 'text' || part.type === 'refusal' || part.type === 'reasoning') return this.piece(open, part.text);
    return this.chunk(wholePart(part));
  }

  private piece(open: Open | undefined, text: string): string {
    if (open === undefined || text === '') return '';
    const { part, pieces } = open;
    if (part.type !== 'toolCall') {
      return this.chunk([{ fields: part.type === 'reasoning' ? { text, thought: true } : { text } }]);
    }
    this.collected += text.length;
    if (this.collected > mostCollected) throw new RangeError('the arguments of the calls of an answer are too long');
    pieces.push(text);
    return '';
  }

  private finish(index: number, signature: string | undefined): string {
    const open = this.open.get(index);
    if (open === undefined) return '';
    this.open.delete(index);
    const { part, pieces } = open;
    if (part.type === 'reasoning') return this.chunk(signedEnd(part, signature));
    return part.type === 'toolCall' ? this.call(part, pieces) : '';
  }

  private call(part: ToolCallPart, pieces: readonly string[]): string {
    const text = pieces.join('');
    this.collected -= text.length;
    const call = { ...part, arguments: text };
    const whole = callParts(call, true);
    if (whole.length > 0) return this.chunk(whole);
    const before = this.settle(false);
    this.doubtful = call;
    return before;
  }

  /** @param isCut the answer ended by the length limit */
  private settle(isCut: boolean): string {
    const { doubtful } = this;
    this.doubtful = null;
    return doubtful === null ? '' : this.chunk(callParts(doubtful, isCut));
  }

  private chunk(parts: readonly WrittenPart[]): string {
    return parts.length === 0 ? '' : `data: ${writeChunk({ parts, end: null, tokens: null }, this.facts)}\n\n`;
  }

  /** Parts that were never ended end with the answer. */
  private end(end: AnswerEnd): string {
    const rest = [...this.open.keys()].map((index) => this.finish(index, undefined));
    rest.push(this.settle(end.reason === 'length'));
    const last = writeChunk({ parts: [{ fields: { text: '' } }], end, tokens: this.tokens }, this.facts);
    return `${rest.join('')}data: ${last}\n\n`;
  }
}

/** The signature comes behind the text, on an empty piece of the same thought. */
function signedEnd(part: ReasoningPart, signature: string | undefined): readonly WrittenPart[] {
  const signed = signatureOf(signature === undefined ? part : { ...part, signature });
  return signed.signature === undefined ? [] : [{ fields: { text: '', thought: true }, ...signed }];
}

function wholePart(part: Part): readonly WrittenPart[] {
  if (part.type === 'media' && 'data' in part.source) {
    return [{ fields: { inlineData: { mimeType: part.source.mime, data: part.source.data } } }];
  }
  return part.type === 'opaque' && part.protocol === protocolId ? [{ fields: part.value as Fields }] : [];
}
