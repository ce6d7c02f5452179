/** OpenAI's API: chat completions and all that stands beside them under `/v1`. */
import { type Protocol, sessionHeaders } from '../../core/protocol.ts';
import { chat } from './chat.ts';
import { direct } from './direct.ts';
import { embeddings } from './embeddings.ts';
import { errorBody, errorEvent, readFailure } from './errors.ts';
import { modelList } from './models.ts';
import { clientRoutes } from './routes.ts';

export const openaiCompletions: Protocol = {
  id: 'openai-completions',
  clientRoutes,
  modelList,
  chatPath: '/chat/completions',
  envelopePaths: ['/v1/'],
  direct,
  chat,
  embeddings,
  count: null,
  models: null,
  headersUp: { names: ['openai-beta', ...sessionHeaders], prefixes: [] },
  headersDown: { names: [], prefixes: ['x-ratelimit-'] },
  readFailure,
  errorBody,
  errorEvent,
  keepAlive: new TextEncoder().encode(': keep-alive\n'),
};
