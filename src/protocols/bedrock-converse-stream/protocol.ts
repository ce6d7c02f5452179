/** Amazon Bedrock's Converse, and its embeddings, which are called and have no clients. */
import type { Protocol } from '../../core/protocol.ts';
import { chat } from './chat.ts';
import { protocolId } from './decode-blocks.ts';
import { embeddings } from './embeddings.ts';
import { errorBody, errorEvent, readFailure } from './errors.ts';

export const bedrockConverseStream: Protocol = {
  id: protocolId,
  clientRoutes: [],
  // The models of an account are listed at another host, that of the control plane.
  modelList: null,
  chatPath: '/model/{model}/converse',
  envelopePaths: [],
  direct: () => null,
  chat,
  embeddings,
  count: null,
  models: null,
  headersUp: { names: [], prefixes: [] },
  headersDown: { names: [], prefixes: [] },
  readFailure,
  errorBody,
  errorEvent,
  keepAlive: null,
};
