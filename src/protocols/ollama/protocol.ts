/** Ollama's own API: chats, prompts and embeddings under `/api`. */
import { type Protocol, sessionHeaders } from '../../core/protocol.ts';
import { chat } from './chat.ts';
import { direct } from './direct.ts';
import { embeddings } from './embeddings.ts';
import { errorBody, errorEvent, readFailure } from './errors.ts';
import { modelList, ownRoutes } from './models.ts';
import { chatPath, clientRoutes } from './routes.ts';

export const ollama: Protocol = {
  id: 'ollama',
  clientRoutes,
  ownRoutes,
  modelList,
  chatPath,
  envelopePaths: ['/api/'],
  direct,
  chat,
  embeddings,
  count: null,
  models: null,
  headersUp: { names: sessionHeaders, prefixes: [] },
  headersDown: { names: ['retry-after-ms', 'x-should-retry'], prefixes: ['x-ratelimit-'] },
  readFailure,
  errorBody,
  errorEvent,
  // Ollama's clients parse every line.
  keepAlive: null,
};
