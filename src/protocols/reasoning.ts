/** Reasoning of earlier turns for the maker of the next one: unwrapped where it is its own, cut out where it is not, put back where the client dropped it. Pure. */
import type { Conversation, Part, ReasoningPart, ToolCallPart, Turn } from '../core/conversation.ts';
import type { CallReasoning, ReasoningMemory } from '../core/protocol.ts';
import { isWrapped, unwrapReasoning } from '../core/signed-reasoning.ts';

export interface OwnReasoning {
  readonly conversation: Conversation;
  /** Reasoning of another maker was left out. */
  readonly cut: boolean;
}

/** @param maker of the attempt. @param memory null: nothing is remembered for this caller */
export function reasoningFor(conversation: Conversation, maker: string, memory: ReasoningMemory | null): OwnReasoning {
  let cut = false;
  const turns = conversation.turns.map((turn): Turn => {
    if (turn.role !== 'assistant' || !turn.parts.some(isReasoningOrCall)) return turn;
    const parts: Part[] = [];
    for (const part of turn.parts) {
      const own = part.type === 'reasoning' ? ownReasoning(part, maker) : part;
      if (own === null) cut = true;
      else parts.push(own);
    }
    return { ...turn, parts: memory === null ? parts : withRemembered(parts, memory) };
  });
  // A conversation of one client message has nothing to look at, which most first requests are.
  return {
    conversation: turns.every((turn, index) => turn === conversation.turns[index]) ? conversation : { ...conversation, turns },
    cut,
  };
}

const isReasoningOrCall = ({ type }: Part) => type === 'reasoning' || type === 'toolCall';

/** @returns null for what another maker signed; an unsigned text goes to every maker */
function ownReasoning(part: ReasoningPart, maker: string): ReasoningPart | null {
  const { signature, redacted, ...rest } = part;
  if (redacted !== undefined) {
    const own = unwrapReasoning(redacted, maker);
    return own === null ? null : { ...rest, redacted: own, ...(signature === undefined ? {} : { signature }) };
  }
  if (signature === undefined || signature === '') return rest;
  // A signature that is not wrapped is of the client's own protocol, which the upstream does not speak.
  if (!isWrapped(signature)) return null;
  const own = unwrapReasoning(signature, maker);
  if (own === null) return null;
  return own === '' ? rest : { ...rest, signature: own };
}

const isProven = (part: Part) => part.type === 'reasoning' && (part.signature !== undefined || part.redacted !== undefined);

/** The reasoning that the upstream gave in front of each tool call, where the turn lacks it there. */
function rememberedIn(parts: readonly Part[], memory: ReasoningMemory): ReadonlyMap<ToolCallPart, CallReasoning> {
  const gathered = reasoningInFront(parts);
  const remembered = new Map<ToolCallPart, CallReasoning>();
  let proven = false;
  for (const part of parts) {
    if (isProven(part)) proven = true;
    if (part.type !== 'toolCall') continue;
    const found = proven && gathered.size === 0 ? null : memory.recall(part);
    if (found !== null && (!proven || provenOf(found).every((each) => gathered.has(each)))) remembered.set(part, found);
    proven = false;
  }
  return remembered;
}

/** Clients without an order of parts send all reasoning in front of the turn. Empty: the reasoning stands in its places. */
function reasoningInFront(parts: readonly Part[]): ReadonlySet<string> {
  const behind = parts.findIndex(({ type }) => type !== 'reasoning');
  return parts.slice(behind).some(isProven) ? new Set() : new Set(parts.slice(0, behind).filter(isProven).map(proofOf));
}

const proofOf = (part: Part) => (part.type === 'reasoning' ? JSON.stringify([part.signature, part.redacted]) : '');
const provenOf = ({ beforeText, behindText }: CallReasoning) => [...beforeText, ...behindText].map(proofOf);

/** Puts reasoning back in front of the tool calls that it led to. */
function withRemembered(parts: readonly Part[], memory: ReasoningMemory): readonly Part[] {
  const remembered = rememberedIn(parts, memory);
  if (remembered.size === 0) return parts;
  const [first] = remembered.values();
  const isFirst = parts.find(({ type }) => type === 'toolCall') === [...remembered.keys()][0];
  // What the client sent without a signature, or in another place, is a copy of what is put back.
  const copies = new Set([...remembered.values()].flatMap(provenOf));
  const kept = parts.filter((part) => part.type !== 'reasoning' || (isProven(part) && !copies.has(proofOf(part))));
  const body = kept.flatMap((part): readonly Part[] => {
    const found = part.type === 'toolCall' ? remembered.get(part) : undefined;
    if (found === undefined) return [part];
    return isFirst && found === first ? [...found.behindText, part] : [...found.beforeText, ...found.behindText, part];
  });
  return isFirst ? [...(first?.beforeText ?? []), ...body] : body;
}
