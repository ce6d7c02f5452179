/** Faults that other gateways and clients were reported for: each has a test here, whose name begins with the report. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The report's repository and number, the symptom, and the file of the test below `test/`. */
const faults: readonly (readonly [report: string, symptom: string, file: string])[] = [
  ['CLIProxyAPI#876', 'the finish tool_calls is overwritten by stop', 'protocols/openai-completions/decode-calls.test.ts'],
  [
    'CLIProxyAPI#425',
    'a stream of thinking and tools gives reasoning alone',
    'protocols/openai-completions/decode-calls.test.ts',
  ],
  ['CLIProxyAPI#5735', 'a result without its call is refused', 'protocols/openai-completions/encode-messages.test.ts'],
  ['CLIProxyAPI#601', 'tools in the form of Anthropic become text', 'protocols/openai-completions/decode-request.test.ts'],
  ['litellm#17246', 'text beside calls loses the calls', 'e2e/responses-sdk.test.ts'],
  ['litellm#29223', 'an error in the middle of a stream is swallowed', 'e2e/responses-sdk.test.ts'],
  ['litellm#29491', 'arguments that come with the name are lost', 'protocols/openai-completions/decode-calls.test.ts'],
  ['litellm#20246', 'one of the fields of reasoning is not read', 'protocols/openai-completions/decode-chunks.test.ts'],
  ['litellm#16893', 'thought signatures of Gemini are lost', 'e2e/cross-gemini.test.ts'],
  ['litellm#25517', 'tokens of Anthropic’s cache are counted twice', 'protocols/anthropic-messages/answer.test.ts'],
  ['litellm#15601', 'a call goes back without its thinking', 'protocols/anthropic-messages/encode-request.test.ts'],
  ['litellm#6135', 'tools in streams of Ollama break', 'protocols/ollama/decode-stream.test.ts'],
  ['ollama#18107', 'a long prompt is cut and nothing is said', 'protocols/ollama/encode-request.test.ts'],
  ['pydantic-ai#1966', 'Bedrock gets calls without a toolConfig', 'protocols/bedrock-converse-stream/body-rules.test.ts'],
  ['langchain-aws#141', 'Bedrock gets a text in front of a result', 'protocols/bedrock-converse-stream/body-rules.test.ts'],
  ['langchain-litellm#20', 'a stream has no usage, so no cost', 'protocols/openai-completions/encode-request.test.ts'],
  ['agno#3826', 'streamed arguments go to the wrong call', 'protocols/openai-completions/decode-calls.test.ts'],
  ['cline#10781', 'responses are asked where chats alone are served', 'protocols/openai-responses/routes.test.ts'],
  ['CLIProxyAPI#1579', 'calls go to Claude twice, or empty', 'protocols/anthropic-messages/encode-turns.test.ts'],
  ['openclaw#13623', 'the limit of one model rests the whole credential', 'gateway/routing/cooldowns.test.ts'],
  ['openclaw#8434', 'a mistake of the client rests the credential', 'gateway/inference/fallback.test.ts'],
  // The report is a page of the vendor's: the code in its answer.
  ['enforced_spend_limit_reached', 'a spend limit is tried again for ever', 'protocols/anthropic-messages/errors.test.ts'],
];

/** Names of tests, of groups, and of the rows of a `test.each`, as they are written. */
function namesIn(source: string): readonly string[] {
  return Array.from(source.matchAll(/(?:\b(?:test|describe)|\))\(\s*(['"`])(.*?)\1/g), ([, , name]) => name ?? '');
}

for (const [report, symptom, file] of faults) {
  test(`${file} has a test against ${report}: ${symptom}`, () => {
    const names = namesIn(readFileSync(join(import.meta.dir, '..', file), 'utf8'));
    const reports = names.flatMap((name) => name.split(': ')[0]?.split(', ') ?? []);
    expect(reports).toContain(report);
  });
}

test('no report stands in the table twice', () => {
  expect(faults).toHaveLength(22);
  expect(new Set(faults.map(([report]) => report)).size).toBe(22);
});
