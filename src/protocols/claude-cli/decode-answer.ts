/** The whole output of Claude Code as one answer: it is the same stream, whether the client streams or not. */
import { fold } from '../../core/answers.ts';
import type { Answer, Step } from '../../core/conversation.ts';
import type { OutputWatch } from '../../core/programs.ts';
import type { StreamDecoder, UpstreamFailure } from '../../core/protocol.ts';
import { brokenProtocol } from '../failures.ts';

/** Tells when an answer has ended or failed, of a run whose output is read as a whole. */
export function watchOutput(decoder: StreamDecoder): OutputWatch {
  let hasEnded = false;
  return {
    isOver(bytes) {
      // A decoder may change what it is given.
      decoder.push(bytes.slice(), (step) => {
        hasEnded ||= step.type === 'end';
      });
      return hasEnded || decoder.fault !== null;
    },
    close: () => decoder.close(),
  };
}

const encoder = new TextEncoder();

export function readOutput(text: string, decoder: StreamDecoder): Answer | UpstreamFailure {
  const steps: Step[] = [];
  const take = (step: Step) => void steps.push(step);
  try {
    decoder.push(encoder.encode(text), take);
    if (decoder.fault === null && steps.at(-1)?.type !== 'end') decoder.finish(take);
  } finally {
    decoder.close();
  }
  if (decoder.failure !== null) return decoder.failure;
  if (steps.at(-1)?.type === 'end') return fold(steps);
  return brokenProtocol(decoder.fault === 'malformed_event' ? 'wrote a line that is not JSON' : 'ended without an answer');
}
