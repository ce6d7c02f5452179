/** The table of protocols: a folder each. A new one is its folder and a line here. The first is the one of configured providers. */
import type { Protocol } from '../core/protocol.ts';
import { anthropicMessages } from './anthropic-messages/protocol.ts';
import { bedrockConverseStream } from './bedrock-converse-stream/protocol.ts';
import { claudeCliOver } from './claude-cli/protocol.ts';
import { googleGenerativeAi } from './google-generative-ai/protocol.ts';
import { ollama } from './ollama/protocol.ts';
import { codexOver } from './openai-codex-responses/protocol.ts';
import { openaiCompletions } from './openai-completions/protocol.ts';
import { openaiResponses } from './openai-responses/protocol.ts';

export const protocols: readonly Protocol[] = [
  openaiCompletions,
  anthropicMessages,
  openaiResponses,
  codexOver(openaiResponses),
  ollama,
  claudeCliOver(anthropicMessages),
  bedrockConverseStream,
  googleGenerativeAi,
];
