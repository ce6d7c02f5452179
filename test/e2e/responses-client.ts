/** The official package of OpenAI as a client of responses, behind the shape of sdks.ts. Its own types do the reading. */
import OpenAI from 'openai';
import type { Heard, Question, Sdk } from './sdks.ts';

export function responsesSdk(address: string, apiKey: string): Sdk {
  const client = new OpenAI({ apiKey, maxRetries: 0, logLevel: 'off', baseURL: `${address}/v1` });
  return { name: 'responses', ask: (question) => ask(client, question) };
}

type Body = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'>;

function bodyOf({ model, turns, system, tools, schema, thinks, more }: Question): Body {
  const input = turns.flatMap((turn): OpenAI.Responses.ResponseInputItem[] => {
    if ('heard' in turn) return turn.heard.raw as OpenAI.Responses.ResponseInputItem[];
    if ('results' in turn) {
      const results = turn.results.map(({ id, text }) => ({ type: 'function_call_output' as const, call_id: id, output: text }));
      return turn.user === undefined ? results : [...results, { role: 'user', content: turn.user }];
    }
    if (turn.image === undefined) return [{ role: 'user', content: turn.user }];
    const picture = { type: 'input_image' as const, image_url: `data:image/png;base64,${turn.image}`, detail: 'auto' as const };
    return [{ role: 'user', content: [{ type: 'input_text', text: turn.user }, picture] }];
  });
  return {
    model,
    input,
    store: false,
    ...(system === undefined ? {} : { instructions: system }),
    ...(tools === undefined ? {} : { tools: tools.map((each) => ({ type: 'function', ...each, strict: false })) }),
    ...(schema === undefined
      ? {}
      : { text: { format: { type: 'json_schema', name: 'answer', schema: { ...schema }, strict: true } } }),
    ...(thinks === true ? { reasoning: { effort: 'low' as const } } : {}),
    ...more,
  };
}

async function ask(client: OpenAI, question: Question): Promise<Heard> {
  const { signal, headers } = question;
  const options = {
    ...(signal === undefined ? {} : { signal }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  };
  const body = bodyOf(question);
  if (!question.stream) {
    const { data, response } = await client.responses.create(body, options).withResponse();
    return heardOf(data, response.headers);
  }
  // The package's accumulator tells no headers.
  const stream = client.responses.stream(body, options);
  if (question.onText !== undefined) stream.on('response.output_text.delta', ({ delta }) => question.onText?.(delta));
  return heardOf(await stream.finalResponse(), new Headers());
}

function heardOf(response: OpenAI.Responses.Response, headers: Headers): Heard {
  const { model, output, output_text: text, usage, status } = response;
  const calls = output.flatMap((item) =>
    item.type === 'function_call' ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) as unknown }] : [],
  );
  const cut = response.incomplete_details?.reason === 'content_filter' ? 'content_filter' : 'length';
  return {
    model,
    text,
    calls,
    end: status === 'incomplete' ? cut : calls.length > 0 ? 'tool_calls' : 'stop',
    tokens: {
      prompt: usage?.input_tokens ?? 0,
      completion: usage?.output_tokens ?? 0,
      // aimock leaves the details out.
      cacheRead: usage?.input_tokens_details?.cached_tokens ?? 0,
    },
    headers,
    raw: output,
  };
}
