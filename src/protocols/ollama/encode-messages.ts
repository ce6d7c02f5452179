/** The messages of a chat, towards Ollama: each call of a tool is followed by its result, in the order of the calls. */
import type { Conversation, Part, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import type { UpstreamModel } from '../../core/protocol.ts';
import { argumentsObject } from '../object-arguments.ts';
import { writeObject } from '../write-object.ts';
import { type Content, contentOf, isImage } from './encode-parts.ts';
import { type Fields, ownIn } from './members.ts';

/** @returns each message as JSON: the arguments of calls keep their text */
export function* messagesOf({ system, turns }: Conversation, to: UpstreamModel): Generator<string> {
  yield* said('system', contentOf(system, '\n\n', to));
  /** Results that stand behind their calls already. */
  let answered: ReadonlySet<ToolResultPart> = new Set();
  for (const [at, turn] of turns.entries()) {
    if (turn.role === 'assistant') {
      const pairs = pair(turn.parts.filter(isCall), resultsBehind(turns, at));
      answered = new Set(pairs.flatMap(({ result }) => result ?? []));
      yield* assistantMessages(turn, pairs, to);
    } else {
      const parts = turn.parts.flatMap((part) => (!isResult(part) ? part : answered.has(part) ? [] : withoutCall(part)));
      yield* said(turn.role, contentOf(parts, '\n\n', to), ownIn(turn.extras));
    }
  }
}

/** Nothing where there is nothing to say. */
function* said(role: Turn['role'], { text, images }: Content, own: Fields = {}): Generator<string> {
  if (text === '' && images.length === 0) return;
  yield JSON.stringify({ role, content: text, ...(images.length === 0 ? {} : { images }), ...own });
}

const isCall = (part: Part): part is Part & ToolCallPart => part.type === 'toolCall' && part.name !== '';
const isResult = (part: Part): part is Part & ToolResultPart => part.type === 'toolResult';

function* assistantMessages({ parts, extras }: Turn, pairs: readonly Pair[], to: UpstreamModel): Generator<string> {
  const { text } = contentOf(
    parts.filter((part) => !isImage(part)),
    '',
    to,
  );
  const thinking = parts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('');
  if (text !== '' || thinking !== '' || pairs.length > 0) {
    const calls = pairs.map(({ call }) => callText(call)).join(',');
    yield writeObject([
      ['role', '"assistant"'],
      ['content', JSON.stringify(text)],
      ...(thinking === '' ? [] : [['thinking', JSON.stringify(thinking)] as const]),
      ...(calls === '' ? [] : [['tool_calls', `[${calls}]`] as const]),
      ...Object.entries(ownIn(extras)).map(([name, value]) => [name, JSON.stringify(value)] as const),
    ]);
  }
  for (const { call, result } of pairs) yield resultMessage(call, result, to);
  yield* shownImages(parts, pairs, to);
}

/** The id is one of newer versions; older ones leave it unread. */
function callText({ id, name, kind, arguments: text }: ToolCallPart): string {
  const input = kind === 'custom' ? JSON.stringify({ input: text }) : argumentsObject(text);
  const made = writeObject([
    ['name', JSON.stringify(name)],
    ['arguments', input],
  ]);
  return writeObject([
    ['id', JSON.stringify(id)],
    ['function', made],
  ]);
}

/** The results that come before the next turn of the assistant. */
function resultsBehind(turns: readonly Turn[], at: number): readonly ToolResultPart[] {
  const next = turns.findIndex(({ role }, index) => index > at && role === 'assistant');
  const window = turns.slice(at + 1, next < 0 ? turns.length : next);
  return window.flatMap(({ parts }) => parts.filter(isResult));
}

interface Pair {
  readonly call: ToolCallPart;
  readonly result: ToolResultPart | null;
}

/** Each call with its result, in the order of the calls. An id that is there twice has two results. */
function pair(calls: readonly ToolCallPart[], results: readonly ToolResultPart[]): readonly Pair[] {
  const left = [...results];
  return calls.map((call) => {
    const at = left.findIndex(({ callId }) => callId === call.id);
    return { call, result: at < 0 ? null : (left.splice(at, 1)[0] ?? null) };
  });
}

const noResult = 'Error: there is no result of this tool call.';
const seeBelow = 'The result is in the next message of the user.';
const failed = 'the tool failed and said nothing.';

/** Models are told the result by the name of its tool. */
function resultMessage({ id, name }: ToolCallPart, result: ToolResultPart | null, to: UpstreamModel): string {
  const texts = (result?.parts ?? []).filter((part) => !isImage(part));
  const { text } = contentOf(texts, '\n', to);
  const isMoved = text === '' && result !== null && result.parts.some(isImage);
  const content = result?.isError === true ? `Error: ${text === '' ? failed : text}` : isMoved ? seeBelow : text;
  return JSON.stringify({ role: 'tool', content: result === null ? noResult : content, tool_name: name, tool_call_id: id });
}

/** Templates put images in messages of the user alone: those of answers and results follow behind all results. */
function* shownImages(parts: readonly Part[], pairs: readonly Pair[], to: UpstreamModel): Generator<string> {
  const shown = [
    { from: 'From your answer:', images: parts.filter(isImage) },
    ...pairs.map(({ call, result }) => ({
      from: `From the result of the tool call ${call.id} (${call.name}):`,
      images: (result?.parts ?? []).filter(isImage),
    })),
  ].filter(({ images }) => images.length > 0);
  const heads = shown.map(({ from }): Part => ({ type: 'text', text: from }));
  yield* said('user', contentOf([...heads, ...shown.flatMap(({ images }) => images)], '\n', to));
}

/** A result whose call is not in the conversation becomes the user's words. */
function withoutCall({ callId, parts, isError }: ToolResultPart): readonly Part[] {
  return [{ type: 'text', text: `${isError ? 'Error of' : 'Result of'} the tool call ${callId}:` }, ...parts];
}
