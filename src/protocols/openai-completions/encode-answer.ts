/** An answer of the hub as a chat completion, for a client. */
import type { Answer, Part, ReasoningPart, ToolCallPart } from '../../core/conversation.ts';
import type { Making } from '../../core/protocol.ts';
import { usageOf } from './encode-usage.ts';
import { finishOf } from './finish-reasons.ts';
import type { Fields } from './members.ts';
import { detailsOf } from './reasoning-details.ts';

/** The id of an answer. @param id the upstream's, null where it gave none */
export function answerId(id: string | null, making: Making): string {
  return id ?? `chatcmpl-${making.id}`;
}

/** The client knows `functions`, the form before `tools`: it has one call an answer. */
export function isLegacy({ request }: Making): boolean {
  return Array.isArray(request['functions']) && !Array.isArray(request['tools']);
}

/** The finish of an answer. @param reason the word of `tool_calls` clients */
export function finishFor(reason: string, legacy: boolean): string {
  return legacy && reason === 'tool_calls' ? 'function_call' : reason;
}

export function encodeAnswer(answer: Answer, making: Making): string {
  const legacy = isLegacy(making);
  const usage = usageOf(answer.tokens);
  const finish = finishFor(finishOf[answer.end.reason], legacy);
  return JSON.stringify({
    id: answerId(answer.id, making),
    object: 'chat.completion',
    created: making.createdAt,
    model: answer.model ?? making.model,
    choices: [{ index: 0, message: messageOf(answer.parts, legacy), logprobs: null, finish_reason: finish }],
    ...(usage === null ? {} : { usage }),
  });
}

function messageOf(parts: readonly Part[], legacy: boolean): Fields {
  const calls = parts.filter((part): part is Part & ToolCallPart => part.type === 'toolCall');
  return {
    role: 'assistant',
    content: joined(parts, 'text'),
    refusal: joined(parts, 'refusal'),
    ...reasoningOf(parts),
    ...(legacy ? legacyCall(calls) : callsOf(calls)),
  };
}

/** Texts follow each other without a joint, as the pieces of a stream do. @returns null where there is none */
function joined(parts: readonly Part[], type: 'text' | 'refusal'): string | null {
  let text: string | null = null;
  for (const part of parts) if (part.type === type) text = (text ?? '') + part.text;
  return text;
}

function reasoningOf(parts: readonly Part[]): Fields {
  const reasoning = parts.filter((part): part is Part & ReasoningPart => part.type === 'reasoning');
  if (reasoning.length === 0) return {};
  const text = reasoning.map((part) => part.text).join('');
  return { ...(text === '' ? {} : { reasoning_content: text }), reasoning_details: reasoning.flatMap(detailsOf) };
}

function callsOf(calls: readonly ToolCallPart[]): Fields {
  return calls.length === 0 ? {} : { tool_calls: calls.map((call) => ({ id: call.id, ...callOf(call, call.arguments) })) };
}

/** The type, name and text of a call. */
export function callOf({ kind, name }: ToolCallPart, text: string): Fields {
  if (kind === 'custom') return { type: 'custom', custom: { name, input: text } };
  return { type: 'function', function: { name, arguments: text } };
}

function legacyCall([call]: readonly ToolCallPart[]): Fields {
  return call === undefined ? {} : { function_call: { name: call.name, arguments: call.arguments } };
}
