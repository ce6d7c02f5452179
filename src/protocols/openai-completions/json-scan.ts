/** Tells when a JSON object that comes in pieces is complete, by its depth alone: nothing of it is kept. */

export interface JsonScan {
  push(text: string): void;
  /** One object, and nothing but white space behind it. */
  readonly isComplete: boolean;
}

export function createJsonScan(): JsonScan {
  return new Scan();
}

const quote = 0x22;
const backslash = 0x5c;

class Scan implements JsonScan {
  private state: 'before' | 'inside' | 'complete' | 'other' = 'before';
  private depth = 0;
  private inString = false;
  /** A backslash ended the last piece. */
  private escaped = false;

  get isComplete(): boolean {
    return this.state === 'complete';
  }

  push(text: string): void {
    for (let at = 0; at < text.length && this.state !== 'other'; at++) {
      const character = text.charCodeAt(at);
      if (this.inString) at = this.skipString(text, at);
      else if (this.state === 'inside') this.takeInside(character);
      else if (!isSpace(character)) this.state = this.state === 'before' && character === 0x7b ? this.open() : 'other';
    }
  }

  private open(): 'inside' {
    this.depth = 1;
    return 'inside';
  }

  private takeInside(character: number): void {
    if (character === quote) this.inString = true;
    else if (character === 0x7b || character === 0x5b) this.depth++;
    else if ((character === 0x7d || character === 0x5d) && --this.depth === 0) this.state = 'complete';
  }

  /** @returns the offset of the string's last character in this piece */
  private skipString(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const character = text.charCodeAt(at);
      if (this.escaped) this.escaped = false;
      else if (character === backslash) this.escaped = true;
      else if (character === quote) {
        this.inString = false;
        return at;
      }
    }
    return text.length;
  }
}

function isSpace(character: number): boolean {
  return character === 0x20 || character === 0x0a || character === 0x0d || character === 0x09;
}
