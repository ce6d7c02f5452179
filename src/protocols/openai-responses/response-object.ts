/** The response object around an answer, for a client (https://platform.openai.com/docs/api-reference/responses/object). */
import { isObject } from '../../core/json.ts';
import type { Making } from '../../core/protocol.ts';
import type { Fields } from './members.ts';

/** What the vendor says in place of a member that a request leaves out. */
const usual: Fields = {
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  prompt_cache_key: null,
  safety_identifier: null,
  temperature: 1,
  tool_choice: 'auto',
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  user: null,
};

export interface Told {
  readonly id: string;
  readonly model: string;
  readonly status: 'in_progress' | 'completed' | 'incomplete';
  readonly output: readonly Fields[];
  readonly incomplete_details: Fields | null;
  readonly usage: Fields | null;
}

/** Another provider stores nothing: the response says so, whatever was asked for. */
export function responseObject(told: Told, { createdAt, request }: Making): Fields {
  const asked = Object.entries(usual).map(([name, value]): [string, unknown] => [name, request[name] ?? value]);
  return {
    object: 'response',
    created_at: createdAt,
    ...told,
    error: null,
    background: false,
    ...Object.fromEntries(asked),
    frequency_penalty: 0,
    presence_penalty: 0,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...(isObject(request['reasoning']) ? request['reasoning'] : {}) },
    service_tier: 'default',
    store: false,
    text: { format: { type: 'text' }, ...(isObject(request['text']) ? request['text'] : {}) },
    tools: Array.isArray(request['tools']) ? request['tools'].map(tool) : [],
  };
}

const usualFunction = { description: null, parameters: null, strict: null };

function tool(value: unknown): unknown {
  return isObject(value) && value['type'] === 'function' ? { ...usualFunction, ...value } : value;
}
