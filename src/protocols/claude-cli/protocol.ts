/**
 * Claude Code as a model: the program `claude` of this host, run once a call with all its tools off. It has no clients. Its
 * stream carries the events of Anthropic's API (https://code.claude.com/docs/en/headless).
 */
import type { Protocol, UpstreamChat } from '../../core/protocol.ts';
import { readOutput, watchOutput } from './decode-answer.ts';
import { outputDecoder } from './decode-stream.ts';
import { encodeRequest } from './encode-request.ts';
import { upstream } from './fields.ts';

/** @param messages Anthropic's API, whose events and errors the program repeats */
export function claudeCliOver(messages: Protocol & { readonly chat: UpstreamChat }): Protocol & { readonly chat: UpstreamChat } {
  const streamDecoder = () => outputDecoder(messages.chat.streamDecoder, messages.readFailure);
  return {
    ...messages,
    id: 'claude-cli',
    clientRoutes: [],
    // The models are the provider's list: the program has no call that tells its own.
    modelList: null,
    chatPath: null,
    envelopePaths: [],
    direct: () => null,
    chat: {
      customTools: false,
      fields: { upstream },
      framing: 'own',
      encodeRequest: (conversation, to) => encodeRequest(conversation, to, () => watchOutput(streamDecoder())),
      decodeAnswer: (text) => readOutput(text, streamDecoder()),
      streamDecoder,
    },
    count: null,
    models: null,
  };
}
