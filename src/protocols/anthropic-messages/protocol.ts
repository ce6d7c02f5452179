/** Anthropic's API: messages and the count of their tokens. */
import { type ChatCodec, type Protocol, sessionHeaders } from '../../core/protocol.ts';
import { chat } from './chat.ts';
import { count } from './count.ts';
import { direct } from './direct.ts';
import { errorBody, errorEvent, readFailure } from './errors.ts';
import { modelList, models } from './models.ts';
import { clientRoutes, messagesPath } from './routes.ts';

export const anthropicMessages: Protocol & { readonly chat: ChatCodec } = {
  id: 'anthropic-messages',
  clientRoutes,
  modelList,
  chatPath: messagesPath,
  envelopePaths: [messagesPath],
  direct,
  chat,
  count,
  models,
  // Claude Code's gateway contract: new headers of Anthropic's come with its releases, so the list is open.
  // https://code.claude.com/docs/en/llm-gateway-protocol
  headersUp: { names: sessionHeaders, prefixes: ['anthropic-'] },
  headersDown: { names: ['retry-after-ms', 'x-should-retry'], prefixes: ['anthropic-ratelimit-', 'x-ratelimit-'] },
  readFailure,
  errorBody,
  errorEvent,
  keepAlive: new TextEncoder().encode(': keep-alive\n'),
};
