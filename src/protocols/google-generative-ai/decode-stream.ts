/** Streams of Google's API as steps of the hub: each event is a chunk of the answer, in the form of a whole one. */
import type { StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { createEventReader } from '../event-reader.ts';
import { createAnswerReading } from './answer-reading.ts';
import { failureNamed } from './errors.ts';
import type { Fields } from './names.ts';
import type { Take } from './part-reading.ts';

export function streamDecoder(): StreamDecoder {
  return new Decoder();
}

class Decoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly reader = createEventReader();
  private readonly answer = createAnswerReading();

  push(chunk: Uint8Array, take: Take): void {
    if (this.fault !== null) return;
    try {
      this.reader.push(chunk, (event, data, name) => this.take(event, data, name, take));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = 'oversized_event';
    }
  }

  /** The stream has no last event of its own: its end is that of the body, and a finish reason for each candidate. */
  finish(take: Take): void {
    if (this.fault !== null) return;
    this.reader.finish((event, data, name) => this.take(event, data, name, take));
    // An event that was cut is the upstream's end, not its words.
    if (this.fault === 'malformed_event') this.fault = null;
    if (this.fault === null) this.answer.finish(take);
  }

  close(): void {
    this.reader.close();
  }

  private take(event: Fields | null, data: string, name: string, take: Take): void {
    if (this.fault !== null) return;
    if (name === 'error') this.fail(failureNamed(data));
    else if (event !== null) this.fail(this.answer.take(event, data, take));
    // Servers that speak several protocols end with OpenAI's `[DONE]`; JSON of another kind carries nothing.
    else if (!isJson(data) && !/^\[done\]$/i.test(data)) this.fault = 'malformed_event';
  }

  private fail(failure: UpstreamFailure | null): void {
    if (failure === null) return;
    this.failure = failure;
    this.fault = 'upstream_error';
  }
}

function isJson(data: string): boolean {
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}
