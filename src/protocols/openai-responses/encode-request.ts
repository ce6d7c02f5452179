/** Conversations as requests of OpenAI's responses (https://platform.openai.com/docs/api-reference/responses/create). */
import type { AnswerFormat, Conversation, Part } from '../../core/conversation.ts';
import type { Digest } from '../../core/ports.ts';
import type { EncodedRequest, UpstreamModel } from '../../core/protocol.ts';
import type { RequestExtras } from './decode-request.ts';
import { contentOf, type Writing } from './encode-content.ts';
import { itemsOf, systemRole } from './encode-items.ts';
import { toolFields } from './encode-tools.ts';
import { type Fields, ownIn, ownProtocol, refuse, withoutNull } from './members.ts';
import { reasoningFields } from './reasoning.ts';

export const responsesPath = '/responses';

/** Characters of a user's name: OpenAI refuses a longer one. */
const longestUser = 64;
/** Tokens. OpenAI refuses a lower limit. */
const leastTokens = 16;
const encryptedReasoning = 'reasoning.encrypted_content';

/** @throws OlaError `invalid_request`, with the field as `param`, for what a response cannot be told */
export function encodeRequest(conversation: Conversation, to: UpstreamModel, digest: Digest): EncodedRequest {
  refuseForeign(conversation);
  const own = ownIn(conversation.extras) as RequestExtras;
  const writing: Writing = { to, dropped: new Set(droppedOf(conversation)) };
  if (own.stored === true) writing.dropped.add('store');
  const { instructions, leading } = instructionsOf(conversation.system, writing);
  const input = [...leading, ...itemsOf(conversation.turns, writing, digest)];
  if (input.length === leading.length) refuse('input', 'Nothing is left to ask: no message has any content.');
  const wish = reasoningFields(conversation.reasoning, to, writing.dropped);
  const include = includeOf(conversation, own, to);
  const body = {
    model: to.id,
    ...(instructions === '' ? {} : { instructions }),
    input,
    ...toolFields(conversation, own),
    ...limits(conversation, writing),
    ...textFields(conversation.format, own),
    ...wish.fields,
    ...(include.length === 0 ? {} : { include }),
    ...keptMembers(own),
    ...namesOf(conversation, digest),
    ...(to.quirks.noStore === true ? {} : { store: false }),
    ...(conversation.stream ? { stream: true } : {}),
  };
  const { added } = wish;
  return {
    path: responsesPath,
    body: wellFormed(body),
    dropped: [...writing.dropped],
    added,
    headers: null,
    reasoningLost: false,
  };
}

/** Half of a surrogate pair is refused by many servers. `JSON.stringify` escapes exactly these, so they are rare to look for. */
function wellFormed(body: Fields): string {
  const text = JSON.stringify(body);
  if (!/\\ud[89a-f]/.test(text)) return text;
  return JSON.stringify(body, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

/** Another protocol's tools and fields change the answer, and a response has none of them. */
function refuseForeign({ opaque }: Conversation): void {
  const foreign = opaque?.find(({ protocol }) => protocol !== ownProtocol);
  if (foreign === undefined) return;
  const { field, name, protocol } = foreign;
  const advice = `Remove it, or ask a model of a provider that speaks ${protocol}.`;
  refuse(field, `'${field}' is '${name}' of ${protocol}, which OpenAI's responses do not have. ${advice}`);
}

/** Messages that a client of this protocol put in front stay messages; all other instructions are the request's own. */
function instructionsOf(system: readonly Part[], writing: Writing) {
  const texts: string[] = [];
  const messages: { role: string; parts: Part[] }[] = [];
  for (const part of system) {
    const { role, begins } = ownIn(part.extras);
    const last = messages.at(-1);
    if (role === undefined) texts.push(part.type === 'text' ? part.text : '');
    else if (begins === true || last === undefined) messages.push({ role: systemRole(role, writing), parts: [part] });
    else last.parts.push(part);
  }
  const leading = messages
    .map(({ role, parts }) => ({ type: 'message', role, content: contentOf(parts, writing) }))
    .filter(({ content }) => content.length > 0);
  return { instructions: texts.filter((text) => text !== '').join('\n\n'), leading };
}

type Limited = Pick<Conversation, 'maxTokens' | 'sampling'>;

function limits({ maxTokens, sampling: { temperature, topP } }: Limited, { to, dropped }: Writing): Fields {
  const { facts, quirks } = to;
  const isLimited = maxTokens !== null && quirks.noMaxTokens !== true;
  if (maxTokens !== null && !isLimited) dropped.add('maxTokens');
  const limit = isLimited ? { max_output_tokens: Math.max(leastTokens, maxTokens) } : {};
  if (facts?.noSampling !== true) return { ...limit, ...withoutNull({ temperature, top_p: topP }) };
  if (temperature !== null) dropped.add('temperature');
  if (topP !== null) dropped.add('topP');
  return limit;
}

function textFields(format: AnswerFormat | null, { verbosity }: RequestExtras): Fields {
  const text = withoutNull({ format: formatOf(format), verbosity });
  return Object.keys(text).length === 0 ? {} : { text };
}

function formatOf(format: AnswerFormat | null): Fields | null {
  if (format === null || format.kind === 'text') return null;
  if (format.kind === 'json') return { type: 'json_object' };
  const { name, description, schema, strict } = format;
  // A schema that does not say it is strict is not, as in chats.
  return { type: 'json_schema', name: name ?? 'answer', ...withoutNull({ description }), schema, strict: strict ?? false };
}

/** Nothing is stored, so that a later turn needs the reasoning itself. A model that does not reason refuses to be asked for it. */
function includeOf({ reasoning, turns }: Conversation, { members }: RequestExtras, { facts }: UpstreamModel): readonly string[] {
  const asked: unknown = members?.['include'];
  const kept = Array.isArray(asked) ? asked.filter((each) => typeof each === 'string') : [];
  const isWished = reasoning !== null || turns.some(({ parts }) => parts.some(({ type }) => type === 'reasoning'));
  const reasons = facts?.reasoning ?? isWished;
  return [...new Set([...kept, ...(reasons ? [encryptedReasoning] : [])])];
}

/** Members that only this protocol knows: those of its own clients are written back. */
function keptMembers({ members = {} }: RequestExtras): Fields {
  const { include: _, safety_identifier: __, ...rest } = members;
  return rest;
}

function namesOf({ user, cacheKey, extras }: Conversation, digest: Digest): Fields {
  const short = user === null || user.length <= longestUser ? user : digest(user).slice(0, longestUser);
  const { members } = ownIn(extras) as RequestExtras;
  const name = members?.['safety_identifier'] === user && user !== null ? 'safety_identifier' : 'user';
  return withoutNull({ prompt_cache_key: cacheKey, [name]: short });
}

/** Fields that a response does not have. */
function droppedOf({ sampling, stop, system, turns, tools }: Conversation): readonly string[] {
  const hinted = [...system, ...tools, ...turns.flatMap(({ parts }) => parts.flatMap(withInner))];
  const left: readonly (readonly [string, boolean])[] = [
    ['topK', sampling.topK !== null],
    ['seed', sampling.seed !== null],
    ['frequencyPenalty', sampling.frequencyPenalty !== null && sampling.frequencyPenalty !== 0],
    ['presencePenalty', sampling.presencePenalty !== null && sampling.presencePenalty !== 0],
    ['stop', stop.length > 0],
    ['cacheHint', hinted.some(({ cache }) => cache !== undefined)],
  ];
  return left.flatMap(([name, isLeft]) => (isLeft ? [name] : []));
}

const withInner = (part: Part): readonly Part[] => (part.type === 'toolResult' ? [part, ...part.parts] : [part]);
