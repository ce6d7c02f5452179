/** The contract of protocols, run over the table. */
import { expect, test } from 'bun:test';
import { protocols } from '../../src/protocols/all.ts';
import { protocolContract, type Sample } from '../contract/protocol.ts';
import { anthropicMessages } from './anthropic-messages/samples.ts';
import { googleGenerativeAi } from './google-generative-ai/samples.ts';
import { ollama } from './ollama/samples.ts';
import { openaiCompletions } from './openai-completions/samples.ts';
import { openaiResponses } from './openai-responses/samples.ts';

const samples: Readonly<Record<string, readonly Sample[]>> = {
  'openai-completions': openaiCompletions,
  'anthropic-messages': anthropicMessages,
  'google-generative-ai': googleGenerativeAi,
  ollama,
  'openai-responses': openaiResponses,
};

test('every protocol of the table that has clients has samples, and each path belongs to one protocol', () => {
  const served = protocols.filter(({ clientRoutes }) => clientRoutes.length > 0);
  expect(Object.keys(samples).sort()).toEqual(served.map(({ id }) => id).sort());
  const paths = protocols.flatMap(({ clientRoutes }) => clientRoutes.map(({ path }) => path));
  expect(new Set(paths).size).toBe(paths.length);
});

for (const protocol of protocols) protocolContract(protocol, samples[protocol.id] ?? []);
