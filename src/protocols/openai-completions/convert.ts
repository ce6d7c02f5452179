/** A stream where an answer was asked for becomes one answer, and an answer where a stream was asked for becomes a stream of one chunk. */
import { isObject } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { parseEvent } from '../../core/sse.ts';
import { brokenProtocol } from '../failures.ts';
import { failureInside } from './errors.ts';

type Fields = Readonly<Record<string, unknown>>;

/** @param text of an answer. @param usageAsked false: the usage of the answer is left out */
export function eventsOfAnswer(text: string, usageAsked: boolean): string {
  const answer: unknown = JSON.parse(text);
  const { usage, choices, ...rest }: Fields = isObject(answer) ? answer : {};
  const isChat = rest['object'] !== 'text_completion';
  const streamed = (Array.isArray(choices) ? choices.filter(isObject) : []).map((choice) => (isChat ? deltaOf(choice) : choice));
  const base = isChat ? { ...rest, object: 'chat.completion.chunk' } : rest;
  const events: unknown[] = [{ ...base, choices: streamed }];
  if (usageAsked && isObject(usage)) events.push({ ...base, choices: [], usage });
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`;
}

function deltaOf({ message, ...choice }: Fields): Fields {
  if (!isObject(message)) return choice;
  const calls = message['tool_calls'];
  const delta = Array.isArray(calls)
    ? { ...message, tool_calls: calls.map((call, index) => (isObject(call) ? { index, ...call } : call)) }
    : message;
  return { ...choice, delta };
}

/** A choice while its chunks are gathered. */
interface Gathered {
  readonly fields: Record<string, unknown>;
  readonly message: Record<string, unknown>;
  readonly calls: Map<unknown, Record<string, unknown>>;
}

/** @returns the JSON text of the one answer that a stream of chunks says */
export function answerOfEvents(text: string): string | UpstreamFailure {
  const choices = new Map<unknown, Gathered>();
  let head: Fields | null = null;
  let usage: unknown;
  let done = false;
  for (const block of text.replace(/^\uFEFF/, '').split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = parseEvent(new TextEncoder().encode(block)).data?.trim() ?? '';
    if (/^"?(?:\[done\]|done)"?$/i.test(data)) done = true;
    if (data === '' || done) continue;
    const chunk = parsedObject(data);
    if (chunk === undefined) return brokenProtocol('sent an event that is not JSON');
    if (chunk === null) continue;
    const failure = failureInside(chunk, data);
    if (failure !== null) return failure;
    head ??= chunk;
    usage = isObject(chunk['usage']) ? chunk['usage'] : usage;
    for (const choice of Array.isArray(chunk['choices']) ? chunk['choices'].filter(isObject) : []) gather(choices, choice);
  }
  const whole = [...choices.values()].map(wholeChoice);
  const ended = done || (whole.length > 0 && whole.every(({ finish_reason: reason }) => typeof reason === 'string'));
  if (head === null || !ended) return brokenProtocol('ended its answer before it was complete');
  const object = head['object'] === 'text_completion' ? 'text_completion' : 'chat.completion';
  return JSON.stringify({ ...head, object, choices: whole, ...(usage === undefined ? {} : { usage }) });
}

/** @returns undefined for text that is not JSON, null for JSON that is no object */
function parsedObject(data: string): Fields | null | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : null;
  } catch {
    return undefined;
  }
}

function gather(choices: Map<unknown, Gathered>, choice: Fields): void {
  const index = choice['index'] ?? 0;
  const gathered = choices.get(index) ?? { fields: { index }, message: {}, calls: new Map() };
  choices.set(index, gathered);
  const { delta, ...fields } = choice;
  for (const [name, value] of Object.entries(fields))
    if (value !== null || !(name in gathered.fields)) add(gathered.fields, name, value);
  if (!isObject(delta)) return;
  for (const [name, value] of Object.entries(delta)) {
    if (name === 'tool_calls' && Array.isArray(value)) for (const call of value) gatherCall(gathered.calls, call);
    else add(gathered.message, name, value);
  }
}

function gatherCall(calls: Gathered['calls'], call: unknown): void {
  if (!isObject(call)) return;
  const index = call['index'] ?? calls.size;
  const known = calls.get(index);
  const { index: _, function: made, ...rest } = call;
  const gathered = known ?? {};
  calls.set(index, gathered);
  for (const [name, value] of Object.entries(rest)) if (value !== null && value !== '') gathered[name] = value;
  if (!isObject(made)) return;
  const parts = isObject(gathered['function']) ? (gathered['function'] as Record<string, unknown>) : {};
  for (const [name, value] of Object.entries(made)) if (value !== null) add(parts, name, value);
  gathered['function'] = parts;
}

/** Texts are joined, lists are joined, anything else is replaced. */
function add(to: Record<string, unknown>, name: string, value: unknown): void {
  const before = to[name];
  if (typeof before === 'string' && typeof value === 'string' && name !== 'role' && name !== 'finish_reason')
    to[name] = before + value;
  else if (Array.isArray(before) && Array.isArray(value)) to[name] = [...before, ...value];
  else if (value !== null || before === undefined) to[name] = value;
}

function wholeChoice({ fields, message, calls }: Gathered): Fields {
  if ('text' in fields) return fields;
  const made = calls.size === 0 ? {} : { tool_calls: [...calls.values()] };
  return { ...fields, message: { role: 'assistant', content: null, ...message, ...made } };
}
