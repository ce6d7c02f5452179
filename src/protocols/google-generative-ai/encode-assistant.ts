/** An answer of the model on its way back to Google: thoughts, texts and calls, each signature on the part that it came with. */
import type { Part, ReasoningPart, ToolCallPart } from '../../core/conversation.ts';
import { encodeCall, encodePart, type WrittenPart } from './encode-parts.ts';
import type { EncodedCall } from './encode-results.ts';
import { missingSignature, placeSignature } from './signatures.ts';

export interface EncodedAnswer {
  readonly parts: readonly WrittenPart[];
  readonly lostSignature: boolean;
  readonly leftReasoning: boolean;
}

/** Whether a part of an answer is sent back at all. */
export function isSaidByModel(part: Part): boolean {
  if (part.type === 'toolCall') return part.name !== '';
  return part.type === 'reasoning' ? isSigned(part) : encodePart(part) !== null;
}

/** @param plainCalls the model does not ask for signatures */
export function encodeAssistant(
  parts: readonly Part[],
  calls: ReadonlyMap<ToolCallPart, EncodedCall>,
  plainCalls: boolean,
): EncodedAnswer {
  const writing = new Writing(calls, plainCalls);
  for (const [index, part] of parts.entries()) writing.take(part, parts[index + 1]);
  return writing;
}

class Writing implements EncodedAnswer {
  readonly parts: WrittenPart[] = [];
  lostSignature = false;
  leftReasoning = false;
  private readonly calls: ReadonlyMap<ToolCallPart, EncodedCall>;
  private readonly plainCalls: boolean;
  private hasCall = false;
  /** The signature that waits for the next call, or the next text. */
  private ofCall: string | undefined;
  private ofText: string | undefined;
  private before: Part | undefined;

  constructor(calls: ReadonlyMap<ToolCallPart, EncodedCall>, plainCalls: boolean) {
    this.calls = calls;
    this.plainCalls = plainCalls;
  }

  take(part: Part, next: Part | undefined): void {
    if (part.type === 'reasoning') this.reasoning(part, next);
    else if (part.type === 'toolCall') this.call(part);
    else this.said(part);
    this.before = part;
  }

  private said(part: Part): void {
    const written = encodePart(part);
    if (written === null) return;
    const signature = part.type === 'text' ? this.ofText : undefined;
    if (part.type === 'text') this.ofText = undefined;
    this.parts.push(signature === undefined ? written : { ...written, signature });
  }

  /** Google takes back what it signed; its thoughts are shown to the model again with the part that they led to. */
  private reasoning(part: ReasoningPart, next: Part | undefined): void {
    if (!isSigned(part)) {
      this.leftReasoning = true;
      return;
    }
    const { place, value } = placeSignature(part.signature);
    // Other APIs behind Google's protocol sign the thought itself.
    const isOwn = place === 'call' && next?.type !== 'toolCall';
    if (part.text !== '') this.parts.push({ fields: { text: part.text, thought: true }, ...(isOwn ? { signature: value } : {}) });
    if (place === 'text') this.signText(value, next);
    else if (!isOwn) this.ofCall = value;
  }

  /** A text that was streamed has its signature behind it; clients that know no order have it in front. */
  private signText(value: string, next: Part | undefined): void {
    const last = this.parts.at(-1);
    const isBehind = this.before?.type === 'text' && last !== undefined && last.signature === undefined;
    if (isBehind) this.parts.splice(-1, 1, { ...last, signature: value });
    else if (next?.type === 'text' && next.text !== '') this.ofText = value;
    else this.parts.push({ fields: { text: '' }, signature: value });
  }

  /** Of parallel calls the first one alone is signed. */
  private call(part: ToolCallPart): void {
    const encoded = this.calls.get(part);
    if (encoded === undefined) return;
    const isLost = this.ofCall === undefined && !this.hasCall && !this.plainCalls;
    const signature = isLost ? missingSignature : this.ofCall;
    this.lostSignature ||= isLost;
    this.hasCall = true;
    this.ofCall = undefined;
    const call = encodeCall(part, encoded.id);
    this.parts.push({ fields: {}, call, ...(signature === undefined ? {} : { signature }) });
  }
}

function isSigned(part: ReasoningPart): part is ReasoningPart & { readonly signature: string } {
  return part.redacted === undefined && part.signature !== undefined && part.signature !== '';
}
