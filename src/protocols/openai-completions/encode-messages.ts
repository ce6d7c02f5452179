/** The messages of a chat, towards an upstream. Each tool call is followed by its result at once, as OpenAI's API demands. */
import type { Conversation, Part, ReasoningPart, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import { messageBegunBy } from './decode-messages.ts';
import { cacheOf, contentOf, contentPart, refuseBlock, textOf, type Writing } from './encode-content.ts';
import { type Fields, keptIn, ownIn, ownProtocol } from './members.ts';

export function* messagesOf({ system, turns }: Conversation, writing: Writing): Generator<Fields> {
  yield* instructions(system, writing);
  /** Results that stand behind their calls already. */
  let answered: ReadonlySet<ToolResultPart> = new Set();
  for (const [at, turn] of turns.entries()) {
    if (turn.role === 'system') yield* systemMessage(turn.parts, ownIn(turn.extras), writing);
    else if (turn.role === 'user') yield* userMessages(turn, answered, writing);
    else {
      const pairs = pair(turn.parts.filter(isCall), resultsBehind(turns, at));
      answered = new Set(pairs.flatMap(({ result }) => result ?? []));
      yield* assistantMessages(turn, pairs, writing);
    }
  }
}

/** A chat client's messages stay as they were cut; those of other clients become one. */
function* instructions(system: readonly Part[], writing: Writing): Generator<Fields> {
  let from = 0;
  for (let to = 1; to <= system.length; to++) {
    const next = system[to];
    if (next !== undefined && messageBegunBy(next) === null) continue;
    const parts = system.slice(from, to);
    const [first] = parts;
    if (first !== undefined) yield* systemMessage(parts, messageBegunBy(first) ?? {}, writing);
    from = to;
  }
}

function* systemMessage(parts: readonly Part[], own: Fields, writing: Writing): Generator<Fields> {
  const isDeveloper = own['role'] === 'developer' && writing.to.quirks.noDeveloperRole !== true;
  const content = contentWith(parts, own, '\n\n', writing);
  if (isEmpty(content['content'])) return;
  yield { role: isDeveloper ? 'developer' : 'system', ...content, ...keptIn(own, 'members') };
}

/** The content of a message, and the cache hint where it stood beside it. */
function contentWith(parts: readonly Part[], own: Fields, joint: string, writing: Writing): Fields {
  const last = parts.at(-1);
  if (own['onMessage'] !== true || last === undefined) return { content: contentOf(parts, own['form'], joint, writing) };
  const { cache: _, ...bare } = last;
  return { content: contentOf([...parts.slice(0, -1), bare], own['form'], joint, writing), ...cacheOf(last, writing) };
}

const isEmpty = (content: unknown): boolean => content === '' || (Array.isArray(content) && content.length === 0);

const isCall = (part: Part): part is Part & ToolCallPart => part.type === 'toolCall';
const isResult = (part: Part): part is Part & ToolResultPart => part.type === 'toolResult';

function* assistantMessages(turn: Turn, pairs: readonly Pair[], writing: Writing): Generator<Fields> {
  const own = ownIn(turn.extras);
  const calls = pairs.map(({ call }) => call);
  for (const part of turn.parts) if (part.type === 'opaque' && part.protocol !== ownProtocol) refuseBlock(part);
  const isList = own['form'] === 'list';
  const parts = turn.parts.filter((part) => (isSaid(part) && (isList || !isMedium(part))) || (isList && isListed(part)));
  const beside = turn.parts.filter((part) => part.type === 'refusal' && !(isList && isListed(part)));
  const content = contentWith(parts, own, '', writing);
  const audio = turn.parts.find((part) => part.type === 'opaque' && part.name === 'audio');
  const isNothing = isEmpty(content['content']) && calls.length + beside.length === 0 && audio === undefined;
  if (!isNothing)
    yield {
      role: 'assistant',
      ...(isEmpty(content['content']) ? emptyContent(own['form']) : content),
      ...(beside.length === 0 ? {} : { refusal: beside.map((part) => (part.type === 'refusal' ? part.text : '')).join('') }),
      ...(audio?.type === 'opaque' ? { audio: audio.value } : {}),
      ...reasoningOf(turn.parts, calls, writing),
      ...callsOf(calls, writing),
      ...keptIn(own, 'members'),
    };
  yield* resultMessages(pairs, writing);
  if (!isList) yield* shownMedia(turn.parts, writing);
}

/** A message of the assistant has no images: those that a model made follow in a message of the user. */
function* shownMedia(parts: readonly Part[], writing: Writing): Generator<Fields> {
  const media = parts.filter(isMedium);
  if (media.length === 0) return;
  const head = { type: 'text', text: 'From your answer:' };
  yield { role: 'user', content: [head, ...media.map((part) => contentPart(part, writing))] };
}

/** Texts, media and blocks of this protocol. Audio stands beside the content. */
const isSaid = (part: Part): boolean =>
  part.type === 'text' || part.type === 'media' || (part.type === 'opaque' && part.name !== 'audio');
/** A refusal that came as a part of a list, not beside it. */
const isListed = (part: Part): boolean => part.type === 'refusal' && part.field?.endsWith('.refusal') !== true;

/** Chat clients say in four ways that a message has calls alone. */
function emptyContent(form: unknown): Fields {
  if (form === 'absent') return {};
  return { content: form === 'text' ? '' : form === 'list' ? [] : null };
}

/** Vendors that want the reasoning of turns with tool calls back refuse the turn without it. */
function reasoningOf(parts: readonly Part[], calls: readonly ToolCallPart[], { to, dropped }: Writing): Fields {
  const reasoning = parts.filter((part): part is Part & ReasoningPart => part.type === 'reasoning');
  if (reasoning.some(({ redacted }) => redacted !== undefined)) dropped.add('redactedReasoning');
  if (to.quirks.wantsReasoning !== true || calls.length === 0) return {};
  return { reasoning_content: reasoning.map(({ text }) => text).join('') };
}

function callsOf(calls: readonly ToolCallPart[], { idOf }: Writing): Fields {
  const [first] = calls;
  if (first === undefined) return {};
  if (calls.length === 1 && ownIn(first.extras)['legacy'] === true)
    return { function_call: { name: first.name, arguments: first.arguments } };
  return {
    tool_calls: calls.map((call) => {
      const { members, inner } = { members: keptIn(ownIn(call.extras), 'members'), inner: keptIn(ownIn(call.extras), 'inner') };
      if (call.kind === 'custom')
        return { id: idOf(call.id), type: 'custom', custom: { name: call.name, input: call.arguments, ...inner }, ...members };
      // Servers that parse the arguments fail on an empty text.
      const text = call.arguments.trim() === '' ? '{}' : call.arguments;
      return { id: idOf(call.id), type: 'function', function: { name: call.name, arguments: text, ...inner }, ...members };
    }),
  };
}

/** The results that come before the next turn of the assistant. */
function resultsBehind(turns: readonly Turn[], at: number): readonly ToolResultPart[] {
  const results: ToolResultPart[] = [];
  for (let next = at + 1; ; next++) {
    const turn = turns[next];
    if (turn === undefined || turn.role === 'assistant') return results;
    for (const part of turn.parts) if (isResult(part)) results.push(part);
  }
}

interface Pair {
  readonly call: ToolCallPart;
  readonly result: ToolResultPart | null;
}

/** Each call with its result, in the order of the calls. An id that is there twice has two results. */
function pair(calls: readonly ToolCallPart[], results: readonly ToolResultPart[]): readonly Pair[] {
  const left = new Map<string, ToolResultPart[]>();
  for (const result of results.toReversed()) {
    const same = left.get(result.callId);
    if (same === undefined) left.set(result.callId, [result]);
    else same.push(result);
  }
  return calls.map((call) => ({ call, result: left.get(call.id)?.pop() ?? null }));
}

/** Results have text alone: images and documents follow behind all of them, as the order of call and result must not break. */
function* resultMessages(pairs: readonly Pair[], writing: Writing): Generator<Fields> {
  const media: Fields[] = [];
  for (const { call, result } of pairs) {
    const moved = result === null ? [] : result.parts.filter(isMedium);
    yield resultMessage(call, result, moved.length > 0, writing);
    if (moved.length === 0) continue;
    media.push({ type: 'text', text: `From the result of the tool call ${writing.idOf(call.id)} (${call.name}):` });
    for (const part of moved) media.push(contentPart(part, writing));
  }
  if (media.length > 0) yield { role: 'user', content: media };
}

const isMedium = (part: Part): boolean => part.type === 'media' && textOf(part) === null;

const noResult = 'Error: there is no result of this tool call.';
const seeBelow = 'The result is in the next message of the user.';

function resultMessage(call: ToolCallPart, result: ToolResultPart | null, isMoved: boolean, writing: Writing): Fields {
  const named = { role: 'tool', tool_call_id: writing.idOf(call.id) };
  if (result === null) return { ...named, content: noResult };
  const own = ownIn(result.extras);
  const target = own['legacy'] === undefined ? named : { role: 'function', name: own['legacy'] };
  const texts = result.parts.filter((part) => !isMedium(part));
  const content = contentOf(texts, own['form'], '\n', writing);
  const said = isMoved && isEmpty(content) ? seeBelow : content;
  return { ...target, content: result.isError ? failed(said) : said, ...keptIn(own, 'members'), ...cacheOf(result, writing) };
}

/** A chat cannot mark a result as a failure: its text says so. */
function failed(content: unknown): unknown {
  if (typeof content === 'string') return `Error: ${content === '' ? 'the tool failed and said nothing.' : content}`;
  return [{ type: 'text', text: 'Error:' }, ...(Array.isArray(content) ? content : [])];
}

/** @param answered results that stand behind their calls already */
function* userMessages(turn: Turn, answered: ReadonlySet<ToolResultPart>, writing: Writing): Generator<Fields> {
  const own = ownIn(turn.extras);
  const parts = turn.parts.flatMap((part) => (!isResult(part) ? part : answered.has(part) ? [] : withoutCall(part, writing)));
  const content = contentWith(parts, own, '\n\n', writing);
  if (!isEmpty(content['content'])) yield { role: 'user', ...content, ...keptIn(own, 'members') };
}

/** A result whose call is not in the conversation is refused by vendors: it becomes the user's words. */
function withoutCall({ callId, parts, isError }: ToolResultPart, { idOf }: Writing): readonly Part[] {
  const head = `${isError ? 'Error of' : 'Result of'} the tool call ${idOf(callId)}:`;
  return [{ type: 'text', text: head }, ...parts];
}
