/** OpenAI's responses: POST /v1/responses, and the count and compaction beside it. */
import { type Protocol, sessionHeaders } from '../../core/protocol.ts';
import { chat } from './chat.ts';
import { count } from './count.ts';
import { direct } from './direct.ts';
import { responsesPath } from './encode-request.ts';
import { errorBody, errorEvent, readFailure } from './errors.ts';
import { modelList } from './models.ts';
import { clientRoutes, createPath } from './routes.ts';

export const openaiResponses = {
  id: 'openai-responses',
  clientRoutes,
  modelList,
  chatPath: responsesPath,
  envelopePaths: [createPath],
  direct,
  chat,
  count,
  models: null,
  // `x-client-request-id` steers the prompt cache (https://platform.openai.com/docs/guides/prompt-caching).
  headersUp: { names: ['openai-beta', 'x-client-request-id', ...sessionHeaders], prefixes: [] },
  headersDown: { names: ['retry-after-ms', 'x-should-retry'], prefixes: ['x-ratelimit-'] },
  readFailure,
  errorBody,
  errorEvent,
  keepAlive: new TextEncoder().encode(': keep-alive\n'),
} satisfies Protocol;
