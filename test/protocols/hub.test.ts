/** The contract of the hub, run for each protocol whose chats are translated, and for each two of them. */
import { expect, test } from 'bun:test';
import type { ChatCodec, Protocol } from '../../src/core/protocol.ts';
import { protocols } from '../../src/protocols/all.ts';
import { answerContract } from '../contract/hub/answers.ts';
import { customToolContract } from '../contract/hub/custom-tools.ts';
import { pairContract } from '../contract/hub/pairs.ts';
import { pairPropertyContract, propertyContract } from '../contract/hub/properties.ts';
import { requestContract } from '../contract/hub/requests.ts';
import type { HubSample } from '../contract/hub/sample.ts';
import type { Speaker } from '../contract/hub/scene.ts';
import { thinkingContract } from '../contract/hub/thinking.ts';
import { walkContract } from '../contract/hub/walk.ts';
import { anthropicHubSample } from './anthropic-messages/hub-sample.ts';
import { googleHubSample } from './google-generative-ai/hub-sample.ts';
import { ollamaHubSample } from './ollama/hub-sample.ts';
import { openaiHubSample } from './openai-completions/hub-sample.ts';
import { responsesHubSample } from './openai-responses/hub-sample.ts';

const samples: Readonly<Record<string, HubSample>> = {
  'openai-completions': openaiHubSample,
  'anthropic-messages': anthropicHubSample,
  'google-generative-ai': googleHubSample,
  ollama: ollamaHubSample,
  'openai-responses': responsesHubSample,
};

const hasClients = (chat: Protocol['chat']): chat is ChatCodec => chat !== null && 'encodeAnswer' in chat;

const speakers = protocols.flatMap((protocol): Speaker[] => {
  const sample = samples[protocol.id];
  const { chat } = protocol;
  return sample === undefined || !hasClients(chat) ? [] : [{ protocol, chat, sample }];
});

test('every protocol whose chats are translated both ways has a sample', () => {
  const translated = protocols.filter(({ chat }) => hasClients(chat)).map(({ id }) => id);
  expect(speakers.map(({ protocol }) => protocol.id)).toEqual(translated);
});

for (const speaker of speakers) {
  walkContract(speaker);
  requestContract(speaker);
  answerContract(speaker);
  propertyContract(speaker);
}
for (const client of speakers)
  for (const upstream of speakers)
    if (client !== upstream) {
      pairContract(client, upstream);
      pairPropertyContract(client, upstream);
      customToolContract(client, upstream);
      thinkingContract(client, upstream);
    }
