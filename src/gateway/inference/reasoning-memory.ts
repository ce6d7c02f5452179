/**
 * Reasoning that upstreams gave in front of a tool call, for clients that do not send it back: some models refuse the next turn
 * without it. In memory alone, bounded in bytes and time, and apart for each caller and maker.
 */
import type { ToolCallPart } from '../../core/conversation.ts';
import type { Clock, Digest } from '../../core/ports.ts';
import type { CallReasoning, ReasoningMemory } from '../../core/protocol.ts';

export interface ReasoningMemories {
  /** @param subject of the caller. @param maker names protocol, endpoint, model and credential */
  of(subject: string, maker: string): ReasoningMemory;
}

/** Bytes of all reasoning that is remembered, and of one call's: the rest is for others. */
const mostBytes = 16 * 1024 * 1024;
const longestEntry = 2 * 1024 * 1024;
/** Milliseconds. */
const keptFor = 2 * 60 * 60 * 1000;
/** Bytes around an entry. */
const frame = 256;

interface Entry {
  readonly reasoning: CallReasoning;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export function createReasoningMemories(digest: Digest, now: Clock): ReasoningMemories {
  /** The least recently used first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function forget(key: string): void {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  function put(key: string, entry: Entry): void {
    forget(key);
    entries.set(key, entry);
    bytes += entry.bytes;
    for (const oldest of entries.keys()) {
      if (bytes <= mostBytes) break;
      forget(oldest);
    }
  }

  return {
    of: (subject, maker) => {
      const keyOf = ({ id, name, arguments: text }: ToolCallPart) =>
        digest(JSON.stringify([subject, maker, id, name, plain(text)]));
      return {
        recall(call) {
          const key = keyOf(call);
          const entry = entries.get(key);
          if (entry === undefined) return null;
          if (now() >= entry.until) {
            forget(key);
            return null;
          }
          put(key, entry);
          return entry.reasoning;
        },
        keep(call, reasoning) {
          const size = sizeOf(reasoning);
          if (size <= longestEntry) put(keyOf(call), { reasoning, bytes: size, until: now() + keptFor });
        },
      };
    },
  };
}

/** Clients write arguments anew: white space is not theirs to keep. */
function plain(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text === '' ? '{}' : text));
  } catch {
    return text;
  }
}

/** Bytes in memory, by the longest form of a character. */
function sizeOf({ beforeText, behindText }: CallReasoning): number {
  return [...beforeText, ...behindText].reduce(
    (sum, { text, signature = '', redacted = '' }) => sum + 2 * (text.length + signature.length + redacted.length) + frame,
    frame,
  );
}
