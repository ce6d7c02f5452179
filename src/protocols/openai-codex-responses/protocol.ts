/** ChatGPT's backend as Codex calls it: OpenAI's responses with a path, headers and limits of its own. It has no clients. */
import type { Protocol, UpstreamChat } from '../../core/protocol.ts';
import { codexPath, codexRequest } from './encode-request.ts';
import { withReset } from './errors.ts';
import { codexFields } from './fields.ts';

/** @param responses OpenAI's responses, whose form the backend speaks */
export function codexOver(responses: Protocol & { readonly chat: UpstreamChat }): Protocol & { readonly chat: UpstreamChat } {
  const { chat } = responses;
  return {
    ...responses,
    id: 'openai-codex-responses',
    clientRoutes: [],
    // The list of models asks for the version of the vendor's own client.
    modelList: null,
    chatPath: codexPath,
    envelopePaths: [],
    direct: () => null,
    chat: {
      customTools: chat.customTools,
      fields: { upstream: codexFields(chat.fields.upstream) },
      kin: responses.id,
      encodeRequest: codexRequest(chat.encodeRequest),
      decodeAnswer: chat.decodeAnswer,
      streamDecoder: chat.streamDecoder,
    },
    count: null,
    readFailure: (status, header, body) => withReset(responses.readFailure(status, header, body), header, body),
  };
}
