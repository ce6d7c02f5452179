/**
 * The turns of a conversation as Converse's messages: user and assistant in turns, the results of an assistant's calls together
 * and first in the message behind them, instructions as texts in the place where they came.
 */
import type { Part, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import type { Digest } from '../../core/ports.ts';
import { fitToolId } from '../../core/tool-ids.ts';
import type { Block } from './cache-points.ts';
import { encodeCall, encodePart, textBlock } from './encode-blocks.ts';
import { type EncodedCall, encodeResults } from './encode-results.ts';
import type { DocumentNames } from './media.ts';

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly blocks: readonly Block[];
}

export interface EncodedTurns {
  readonly messages: readonly Message[];
  /** The last call of tools that the conversation goes on from has no signed reasoning in front of it. */
  readonly lacksReasoning: boolean;
  /** Names of the tools that were called, in their order. */
  readonly called: readonly string[];
}

/** The form of Bedrock's tool call ids. */
const idForm = { pattern: /^[a-zA-Z0-9_-]+$/, longest: 64 };

export function encodeTurns(turns: readonly Turn[], digest: Digest): EncodedTurns {
  return new Encoding(digest).encode(turns);
}

/** An answer of the assistant and all that comes behind it, up to the next answer. */
interface Exchange {
  readonly assistant: readonly Turn[];
  readonly window: readonly Turn[];
}

class Encoding {
  private readonly digest: Digest;
  private readonly names: DocumentNames = new Set();
  private readonly ids = new Map<string, number>();
  private readonly called = new Set<string>();

  constructor(digest: Digest) {
    this.digest = digest;
  }

  encode(turns: readonly Turn[]): EncodedTurns {
    const messages: Message[] = [];
    let lacksReasoning = false;
    for (const { assistant, window } of exchangesOf(turns)) {
      const calls = this.callsOf(assistant);
      const answer = this.assistantBlocks(assistant, calls);
      if (answer.length > 0) messages.push(...opening(messages), { role: 'assistant', blocks: answer });
      const results = encodeResults([...calls.values()], resultsOf(window), this.names);
      const blocks = [...results, ...window.flatMap((turn) => this.said(turn))];
      if (blocks.length > 0) messages.push({ role: 'user', blocks: withText(blocks) });
      lacksReasoning = calls.size > 0 && !isSigned(assistant);
    }
    return { messages: withoutBlankEnd(alternating(messages)), lacksReasoning, called: [...this.called] };
  }

  /** The calls of an answer. A call without a name, and one that repeats another to the letter, is none. */
  private callsOf(turns: readonly Turn[]): ReadonlyMap<ToolCallPart, EncodedCall> {
    const calls = new Map<ToolCallPart, EncodedCall>();
    const known = new Set<string>();
    for (const part of turns.flatMap(({ parts }) => parts)) {
      if (part.type !== 'toolCall' || part.name === '') continue;
      const content = JSON.stringify([part.id, part.name, part.arguments]);
      if (known.has(content)) continue;
      known.add(content);
      this.called.add(part.name);
      calls.set(part, { part, id: this.idOf(part.id) });
    }
    return calls;
  }

  /** Ids that differ over the whole conversation: the second call with an id of the client gets another one. */
  private idOf(id: string): string {
    const times = (this.ids.get(id) ?? 0) + 1;
    this.ids.set(id, times);
    return fitToolId(times === 1 && id !== '' ? id : `${id}#${times}`, idForm, this.digest);
  }

  private assistantBlocks(turns: readonly Turn[], calls: ReadonlyMap<ToolCallPart, EncodedCall>): Block[] {
    const blocks = turns.flatMap(({ parts }) =>
      parts.map((part) => {
        if (part.type !== 'toolCall') return encodePart(part, 'assistant', this.names);
        const call = calls.get(part);
        return call === undefined ? null : encodeCall(part, call.id);
      }),
    );
    return blocks.filter((each) => each !== null);
  }

  private said({ role, parts }: Turn): Block[] {
    const others = parts.filter(({ type }) => type !== 'toolResult');
    const blocks = others.map((part) => {
      // Converse has the roles of user and assistant alone.
      if (role === 'system' && part.type === 'text') {
        return part.text.trim() === '' ? null : textBlock(`<system>\n${part.text}\n</system>`, part);
      }
      return encodePart(part, 'user', this.names);
    });
    return blocks.filter((each) => each !== null);
  }
}

/** The first message must be the user's. */
function opening(messages: readonly Message[]): Message[] {
  const block = { json: JSON.stringify({ text: '[The conversation begins with words of the assistant.]' }) };
  return messages.length > 0 ? [] : [{ role: 'user', blocks: [block] }];
}

/** Turns that hold nothing for Bedrock do not part the turns around them. */
function exchangesOf(turns: readonly Turn[]): Exchange[] {
  const exchanges: { assistant: Turn[]; window: Turn[] }[] = [{ assistant: [], window: [] }];
  for (const turn of turns) {
    const last = exchanges.at(-1);
    if (last === undefined || !turn.parts.some(isSaid)) continue;
    if (turn.role !== 'assistant') last.window.push(turn);
    else if (last.window.length === 0) last.assistant.push(turn);
    else exchanges.push({ assistant: [turn], window: [] });
  }
  return exchanges;
}

function isSaid(part: Part): boolean {
  if (part.type === 'text' || part.type === 'refusal') return part.text.trim() !== '';
  if (part.type === 'reasoning') return part.redacted !== undefined || (part.signature ?? '') !== '';
  return part.type !== 'toolCall' || part.name !== '';
}

function resultsOf(turns: readonly Turn[]): ToolResultPart[] {
  return turns.flatMap(({ parts }) => parts.filter((part) => part.type === 'toolResult'));
}

const documentStart = '{"document":';
const textStart = '{"text":';

/** Bedrock asks for a text beside a document. */
function withText(blocks: readonly Block[]): readonly Block[] {
  const hasDocument = blocks.some(({ json }) => json.startsWith(documentStart));
  if (!hasDocument || blocks.some(({ json }) => json.startsWith(textStart))) return blocks;
  return [...blocks, { json: JSON.stringify({ text: 'See the document.' }) }];
}

/** Two messages of one role behind each other are one. */
function alternating(messages: readonly Message[]): Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (last?.role !== message.role) merged.push(message);
    else merged.splice(-1, 1, { role: last.role, blocks: [...last.blocks, ...message.blocks] });
  }
  return merged;
}

/** Signed reasoning stands in front of the first call. */
function isSigned(turns: readonly Turn[]): boolean {
  const parts = turns.flatMap(({ parts: all }) => all);
  const first = parts.findIndex(({ type }) => type === 'toolCall');
  return parts.slice(0, first).some((part) => part.type === 'reasoning' && isSaid(part));
}

/** Claude refuses a last message of the assistant that ends in blanks: the model goes on from its words. */
function withoutBlankEnd(messages: readonly Message[]): readonly Message[] {
  const last = messages.at(-1);
  const end = last?.blocks.at(-1);
  if (last?.role !== 'assistant' || end?.json.startsWith(textStart) !== true) return messages;
  const { text } = JSON.parse(end.json) as { readonly text: string };
  const blocks = [...last.blocks.slice(0, -1), { ...end, json: JSON.stringify({ text: text.trimEnd() }) }];
  return [...messages.slice(0, -1), { ...last, blocks }];
}
