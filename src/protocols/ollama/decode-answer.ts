/** Whole answers of Ollama as answers of the hub (https://docs.ollama.com/api/chat): a stream of one line. */
import { fold } from '../../core/answers.ts';
import type { Answer, Step } from '../../core/conversation.ts';
import { isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { brokenProtocol } from '../failures.ts';
import { streamDecoder } from './decode-stream.ts';

const encoder = new TextEncoder();

/** The lines of a stream that was not asked for are folded. */
export function decodeAnswer(text: string): Answer | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  const decoder = streamDecoder();
  const steps: Step[] = [];
  try {
    decoder.push(encoder.encode(`${inLines(text)}\n`), (step) => void steps.push(step));
  } finally {
    decoder.close();
  }
  if (decoder.failure !== null) return decoder.failure;
  if (decoder.fault === 'malformed_event') return brokenProtocol('answered something that is not JSON');
  if (decoder.fault === null && steps.at(-1)?.type === 'end') return fold(steps);
  return brokenProtocol('answered JSON that is not a complete answer to a chat');
}

/** An object that is printed over several lines becomes one line: in a string of JSON a line feed is escaped. */
function inLines(text: string): string {
  try {
    JSON.parse(text);
    return text.replaceAll(/[\r\n]+/g, ' ');
  } catch {
    return text;
  }
}
