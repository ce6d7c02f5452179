/** Google's API of Gemini: generated content, the count of its tokens, and embeddings. */
import { type Protocol, sessionHeaders } from '../../core/protocol.ts';
import { framed } from './array-stream.ts';
import { chat } from './chat.ts';
import { count } from './count.ts';
import { direct } from './direct.ts';
import { embeddings } from './embeddings.ts';
import { errorBody, errorEvent, readFailure } from './errors.ts';
import { modelList, models } from './models.ts';
import { protocolId } from './names.ts';
import { clientRoutes } from './routes.ts';

export const googleGenerativeAi: Protocol = {
  id: protocolId,
  clientRoutes,
  modelList,
  chatPath: '/models/{model}:generateContent',
  envelopePaths: ['/v1beta'],
  direct,
  chat,
  framed,
  embeddings,
  count,
  models,
  // Google's SDKs name themselves by `x-goog-api-client`; keys are no headers of this list.
  headersUp: { names: [...sessionHeaders, 'x-goog-api-client', 'x-goog-user-project'], prefixes: ['x-goog-request-'] },
  headersDown: { names: [], prefixes: ['x-ratelimit-'] },
  readFailure,
  errorBody,
  errorEvent,
  // With a blank line: Google's SDKs lose an event that begins with a comment.
  keepAlive: new TextEncoder().encode(': keep-alive\n\n'),
};
