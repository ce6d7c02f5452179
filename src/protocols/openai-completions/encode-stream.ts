/** Steps of the hub as the chunks of a streamed chat, for a client. */
import type { Part, ReasoningPart, Step, ToolCallPart } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import type { Making, StreamEncoder } from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';
import { answerId, callOf, finishFor, isLegacy } from './encode-answer.ts';
import { usageOf } from './encode-usage.ts';
import { finishOf } from './finish-reasons.ts';

export function createStreamEncoder(making: Making): StreamEncoder {
  return new ChunkEncoder(making);
}

/** The part that deltas of an index belong to. */
interface OpenPart {
  readonly type: Part['type'];
  readonly kind: ToolCallPart['kind'] | null;
  /** The number of the call, or of the reasoning part, counted from 0. */
  readonly number: number;
  /** The signature that was known at the start: it is told at the end, behind the text. */
  readonly signature?: string | undefined;
  /** JSON behind the text of an entry of `reasoning_details`; empty for other parts. */
  readonly entryEnd: string;
}

/** Characters that a JSON string spells in another way. Most increments have none, and a test costs a third of the spelling. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const spelled = /["\\\u0000-\u001f\ud800-\udfff]/;

const done = 'data: [DONE]\n\n';
const noFinish = ',"logprobs":null,"finish_reason":null}]}\n\n';

class ChunkEncoder implements StreamEncoder {
  private readonly making: Making;
  private readonly legacy: boolean;
  private readonly open: (OpenPart | undefined)[] = [];
  private calls = 0;
  private reasonings = 0;
  private tokens = noTokenCounts;
  /** The beginning of each chunk up to its choices; the beginning of one with a delta. */
  private head = '';
  private deltaHead = '';

  constructor(making: Making) {
    this.making = making;
    this.legacy = isLegacy(making);
  }

  encode(step: Step): string {
    if (step.type === 'partDelta') return this.encodeDelta(this.open[step.index], step.text);
    if (step.type === 'partBegin') return this.beginPart(step.index, step.part);
    if (step.type === 'partEnd') return this.endPart(step.index, step.signature);
    if (step.type === 'begin') return this.begin(step.id, step.model);
    if (step.type === 'end') return this.end(finishFor(finishOf[step.end.reason], this.legacy));
    this.tokens = step.tokens;
    return '';
  }

  private begin(id: string | null, model: string | null): string {
    const { createdAt, model: asked } = this.making;
    const common = { id: answerId(id, this.making), object: 'chat.completion.chunk', created: createdAt, model: model ?? asked };
    this.head = `data: ${JSON.stringify(common).slice(0, -1)},"choices":[`;
    this.deltaHead = `${this.head}{"index":0,"delta":`;
    return this.chunk('{"role":"assistant","content":""}');
  }

  /** @param delta JSON */
  private chunk(delta: string): string {
    return this.deltaHead + delta + noFinish;
  }

  private beginPart(index: number, part: Part): string {
    if (part.type === 'toolCall') return this.beginCall(index, part);
    if (part.type === 'reasoning') return this.beginReasoning(index, part);
    const open = { type: part.type, kind: null, number: 0, entryEnd: '' };
    this.open[index] = open;
    return part.type === 'text' || part.type === 'refusal' ? this.encodeDelta(open, part.text) : '';
  }

  /** The id and the name come with the first fragment, and the arguments with later ones. */
  private beginCall(index: number, part: ToolCallPart): string {
    const number = this.calls++;
    const open = { type: 'toolCall', kind: part.kind, number, entryEnd: '' } as const;
    this.open[index] = open;
    // Clients of `functions` know one call an answer.
    if (this.legacy && number > 0) return '';
    const first = this.legacy
      ? { function_call: { name: part.name, arguments: '' } }
      : { tool_calls: [{ index: number, id: part.id, ...callOf(part, '') }] };
    return this.chunk(JSON.stringify(first)) + this.encodeDelta(open, part.arguments);
  }

  /** Encrypted reasoning comes first, its text behind it, under the same index. */
  private beginReasoning(index: number, { id, signature, redacted, text }: ReasoningPart): string {
    const number = this.reasonings++;
    const named = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
    const entryEnd = `,${named}"format":"unknown","index":${number}}`;
    const open = { type: 'reasoning', kind: null, number, signature, entryEnd } as const;
    this.open[index] = open;
    const encrypted =
      redacted === undefined ? '' : this.entry(`{"type":"reasoning.encrypted","data":${JSON.stringify(redacted)}`, open);
    return encrypted + this.encodeDelta(open, text);
  }

  private signature(signature: string | undefined, open: OpenPart): string {
    if (signature === undefined) return '';
    return this.entry(`{"type":"reasoning.text","text":"","signature":${JSON.stringify(signature)}`, open);
  }

  /** @param start of an entry, as JSON */
  private entry(start: string, { entryEnd }: OpenPart): string {
    return this.chunk(`{"reasoning_details":[${start}${entryEnd}]}`);
  }

  private encodeDelta(open: OpenPart | undefined, text: string): string {
    if (open === undefined || text === '') return '';
    const json = spelled.test(text) ? JSON.stringify(text) : `"${text}"`;
    const { type, number } = open;
    if (type === 'text') return this.chunk(`{"content":${json}}`);
    if (type === 'reasoning') {
      const entry = `{"type":"reasoning.text","text":${json}${open.entryEnd}`;
      return this.chunk(`{"reasoning_content":${json},"reasoning_details":[${entry}]}`);
    }
    if (type === 'refusal') return this.chunk(`{"refusal":${json}}`);
    if (type !== 'toolCall') return '';
    if (this.legacy) return number === 0 ? this.chunk(`{"function_call":{"arguments":${json}}}`) : '';
    const made = open.kind === 'custom' ? `"custom":{"input":${json}}` : `"function":{"arguments":${json}}`;
    return this.chunk(`{"tool_calls":[{"index":${number},${made}}]}`);
  }

  private endPart(index: number, signature: string | undefined): string {
    const open = this.open[index];
    this.open[index] = undefined;
    return open?.type === 'reasoning' ? this.signature(signature ?? open.signature, open) : '';
  }

  private end(finish: string): string {
    const last = `${this.deltaHead}{},"logprobs":null,"finish_reason":"${finish}"}]}\n\n`;
    const options = this.making.request['stream_options'];
    const usage = isObject(options) && options['include_usage'] === true ? usageOf(this.tokens) : null;
    return last + (usage === null ? '' : `${this.head}],"usage":${JSON.stringify(usage)}}\n\n`) + done;
  }
}
