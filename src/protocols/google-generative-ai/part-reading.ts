/** The parts of an answer of Google's API as parts of the hub. Texts come in pieces, calls whole. */
import type { MediaPart, Part, Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { exactArguments } from './arguments.ts';
import { type Fields, member, nonEmpty, protocolId } from './names.ts';
import { holdSignature, type SignaturePlace } from './signatures.ts';
import { unpackReasoning } from './wrapped-thoughts.ts';

export type Take = (step: Step) => void;

export interface PartReading {
  /** @param exact the text of the part; null where the parsed part will do */
  take(part: Fields, exact: string | null, take: Take): void;
  /** Ends the part that is open. */
  finish(take: Take): void;
  /** The answer has a call. */
  readonly calls: boolean;
}

export function createPartReading(): PartReading {
  return new Reading();
}

class Reading implements PartReading {
  calls = false;
  private next = 0;
  private open: { readonly index: number; readonly type: 'text' | 'reasoning' } | null = null;
  /** Calls with an id: some servers send the same one in two chunks. */
  private readonly seen = new Set<string>();
  /** How often each id came. */
  private readonly ids = new Map<string, number>();

  take(part: Fields, exact: string | null, take: Take): void {
    const signature = nonEmpty(member(part, 'thoughtSignature'));
    const { text } = part;
    const call = member(part, 'functionCall');
    if (isObject(call)) this.call(call, signature, exact, take);
    else if (typeof text === 'string') this.text(text, part['thought'] === true, signature, take);
    else this.whole(otherPart(part, signature), take);
  }

  finish(take: Take): void {
    this.end(null, take);
  }

  private text(text: string, isThought: boolean, signature: string | null, take: Take): void {
    const type = isThought ? 'reasoning' : 'text';
    if (text !== '') {
      if (this.open?.type !== type) this.begin(type, take);
      take({ type: 'partDelta', index: this.open?.index ?? 0, text });
    }
    if (signature === null) return;
    // Ola packs the reasoning of other makers so, for Google's clients.
    const packed = isThought ? unpackReasoning(signature) : null;
    if (packed?.redacted === true) this.whole({ type: 'reasoning', text: '', redacted: packed.value }, take);
    else this.sign(isThought ? 'call' : 'text', packed?.value ?? signature, take);
  }

  private call(call: Fields, signature: string | null, exact: string | null, take: Take): void {
    const name = nonEmpty(call['name']);
    if (name === null) return;
    const given = nonEmpty(call['id']) ?? '';
    const args = (exact === null ? null : exactArguments(exact)) ?? JSON.stringify(call['args'] ?? {});
    const key = `${given} ${name} ${args}`;
    if (given !== '' && this.seen.has(key)) return;
    this.seen.add(key);
    const id = this.unique(given);
    this.calls = true;
    if (signature !== null) this.sign('call', signature, take);
    this.whole({ type: 'toolCall', id, name, kind: 'function', arguments: args }, take);
  }

  /** An id that no other call of the answer has; empty for a call without one. */
  private unique(given: string): string {
    const times = (this.ids.get(given) ?? 0) + 1;
    this.ids.set(given, times);
    return times === 1 || given === '' ? given : `${given}_${times}`;
  }

  /** The thought that is open has led to the part; else the signature stands alone. */
  private sign(place: SignaturePlace, value: string, take: Take): void {
    if (place !== 'call' || this.open?.type !== 'reasoning') this.begin('reasoning', take);
    this.end(holdSignature({ place, value }), take);
  }

  private begin(type: 'text' | 'reasoning', take: Take): void {
    this.end(null, take);
    this.open = { index: this.next++, type };
    take({ type: 'partBegin', index: this.open.index, part: { type, text: '' } });
  }

  private end(signature: string | null, take: Take): void {
    if (this.open === null) return;
    take({ type: 'partEnd', index: this.open.index, ...(signature === null ? {} : { signature }) });
    this.open = null;
  }

  private whole(part: Part | null, take: Take): void {
    if (part === null) return;
    this.end(null, take);
    const index = this.next++;
    take({ type: 'partBegin', index, part });
    take({ type: 'partEnd', index });
  }
}

/** Media that the model made, and parts that only Google knows (`executableCode`). */
function otherPart(part: Fields, signature: string | null): Part | null {
  const data = member(part, 'inlineData');
  if (isObject(data) && part['thought'] !== true) return mediaPart(data, signature);
  const name = Object.keys(part).find((each) => isObject(part[each]));
  return name === undefined ? null : { type: 'opaque', protocol: protocolId, name, value: part };
}

function mediaPart(blob: Fields, signature: string | null): MediaPart {
  const mime = nonEmpty(member(blob, 'mimeType'));
  const { data } = blob;
  return {
    type: 'media',
    kind: kindOf(mime),
    source: { mime, detail: null, data: typeof data === 'string' ? data : '' },
    name: nonEmpty(member(blob, 'displayName')),
    ...(signature === null ? {} : { extras: { [protocolId]: { thoughtSignature: signature } } }),
  };
}

export function kindOf(mime: string | null): MediaPart['kind'] {
  const [kind] = (mime ?? '').split('/');
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'document';
}
