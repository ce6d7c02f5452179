/**
 * Pieces of text without a parser, which takes most of the time that a stream costs: the first piece of a text shows how its
 * upstream spells them, and those that are spelled alike are cut out. Any other spelling is parsed.
 */
import type { Fields } from './members.ts';

/** Members behind the text that mean nothing for it. `obfuscation` is of random letters. */
const plainTail = /^(?:,"(?:logprobs|obfuscation|sequence_number|item_id)":(?:\[\]|"[\w-]*"|\d+))*\}$/;
/** Characters of a JSON string that are not themselves, or that no JSON string has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const spelled = /[\\\u0000-\u001f]/;
const digits = /\d+/y;

export interface Piece {
  readonly text: string;
  /** The offset behind the event. */
  readonly end: number;
}

export class TextSpelling {
  /** Up to the number of the event; all in front of the text where the number does not stand there. */
  private readonly head: string;
  /** Between the number and the text; null: the number does not stand in front of the text. */
  private readonly middle: string | null;

  private constructor(head: string, middle: string | null) {
    this.head = head;
    this.middle = middle;
  }

  /**
   * @param data of an event that brings a piece of text. @param event the same, parsed. @param name of the event; may be empty
   * @returns null for a spelling that says nothing about the next one
   */
  static of(data: string, { delta, sequence_number: number }: Fields, name: string): TextSpelling | null {
    const start = data.indexOf('"delta":"');
    if (typeof delta !== 'string' || start < 0) return null;
    const from = start + '"delta":"'.length;
    if (!data.startsWith(delta, from) || !plainTail.test(data.slice(from + delta.length + 1)) || spelled.test(delta)) return null;
    const front = `${name === '' ? '' : `event: ${name}\n`}data: `;
    const numbered = `"sequence_number":${String(number)},`;
    const at = data.slice(0, from).indexOf(numbered);
    if (at < 0) return /"sequence_number"/.test(data.slice(0, from)) ? null : new TextSpelling(front + data.slice(0, from), null);
    const digitsAt = at + '"sequence_number":'.length;
    return new TextSpelling(front + data.slice(0, digitsAt), data.slice(at + numbered.length - 1, from));
  }

  /** @returns null for an event that is spelled otherwise */
  read(events: string, at: number): Piece | null {
    if (!events.startsWith(this.head, at)) return null;
    let from = at + this.head.length;
    if (this.middle !== null) {
      digits.lastIndex = from;
      if (!digits.test(events) || !events.startsWith(this.middle, digits.lastIndex)) return null;
      from = digits.lastIndex + this.middle.length;
    }
    const quote = events.indexOf('"', from);
    const end = events.indexOf('\n\n', quote);
    if (quote < 0 || end < 0) return null;
    const text = events.slice(from, quote);
    if (text === '' || spelled.test(text) || !plainTail.test(events.slice(quote + 1, end))) return null;
    return { text, end: end + 2 };
  }
}
