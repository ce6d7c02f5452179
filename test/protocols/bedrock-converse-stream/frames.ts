/** Frames of AWS's event streams, encoded by AWS's own package, and what the decoder makes of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { Step } from '../../../src/core/conversation.ts';
import type { StreamDecoder } from '../../../src/core/protocol.ts';
import { streamDecoder } from '../../../src/protocols/bedrock-converse-stream/decode-stream.ts';

const toText = (bytes: Uint8Array | string) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes));
const codec = new EventStreamCodec(toText, (text) => new TextEncoder().encode(text));

/** @param payload JSON text */
export function frame(headers: Readonly<Record<string, string>>, payload: string): Uint8Array {
  const written = Object.entries(headers).map(([name, value]) => [name, { type: 'string', value }] as const);
  return codec.encode({ headers: Object.fromEntries(written), body: new TextEncoder().encode(payload) });
}

/** An event, as Bedrock writes it. */
export function event(type: string, payload: unknown): Uint8Array {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return frame(headers, typeof payload === 'string' ? payload : JSON.stringify(payload));
}

export function exception(type: string, message: string): Uint8Array {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return frame(headers, JSON.stringify({ message }));
}

export function joined(frames: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(frames));
}

const folder = join(import.meta.dir, '../fixtures/bedrock-converse-stream');

export function sample(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** The frames of a sample of a stream. */
export function sampleFrames(name: string): Uint8Array[] {
  const events = JSON.parse(sample(name)) as readonly (readonly [string, unknown])[];
  return events.map(([type, payload]) => event(type, payload));
}

export interface Decoded {
  readonly steps: readonly Step[];
  readonly fault: StreamDecoder['fault'];
  readonly failure: StreamDecoder['failure'];
}

/** @param pieces bytes as they come; the end is in order */
export function decoded(...pieces: readonly Uint8Array[]): Decoded {
  const steps: Step[] = [];
  const decoder = streamDecoder();
  for (const piece of pieces) decoder.push(piece.slice(), (step) => void steps.push(step));
  decoder.finish((step) => void steps.push(step));
  decoder.close();
  return { steps, fault: decoder.fault, failure: decoder.failure };
}

export const ended = ({ steps }: Decoded): boolean => steps.at(-1)?.type === 'end';
