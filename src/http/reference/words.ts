/** The reference's own words: its introduction, and what its groups, scopes and security schemes are. */
import type { RouteScope } from '../../core/access.ts';
import type { Tag } from './operations.ts';

/** Markdown. Links that begin with `#/` lead to operations of the page. */
export const introduction = `One local address for language models. ola keeps the keys of the providers, decides who may use them, and speaks the OpenAI API.

### From nothing to an answer

1. **Get a first token.** \`ola serve\` prints an admin token when it first starts in a terminal, \`ola serve --demo\` at every start. \`ola token create me --admin\` makes one on the machine that ola runs on.
2. **Authorize.** Press the button *Authorize* at the top, paste the token, press *Authorize* in the dialog, and close it. The token stays in the memory of this page; a reload forgets it.
3. **Make a token for your client:** [POST /config/tokens](#/Tokens/createToken), *Execute*. The answer shows the token once.
4. **Add a provider:** [PUT /config/providers/{id}](#/Providers/putProvider), a vendor by its key, or your own server. Choose an example and put your values in. The demo needs no provider.
5. **Ask:** [POST /v1/chat/completions](#/Inference/createChatCompletion) with \`"model": "PROVIDER/MODEL"\`. [GET /v1/models](#/Models/listModels) lists the models that can be used now; in the demo it is \`demo/echo\`.

### Good to know

- A token is sent as \`Authorization: Bearer\`, \`x-api-key\` or \`x-goog-api-key\`, never in an address. The scopes are \`read\`, \`write\` and \`admin\`; \`admin\` includes the other two.
- Every error is \`{"error": {"message", "type", "param", "code"}}\`. Its message says what to do next. Every answer has an \`X-Request-Id\`; the log has the same id.
- Any OpenAI client works with \`/v1\` of this address. Fields that ola does not know go to the provider unchanged.`;

export const tagWords: Readonly<Record<Tag, string>> = {
  Tokens: 'Access tokens: who may call ola, what they may do, and until when.',
  Providers: 'The providers that ola calls, and their keys.',
  'Auth profiles': 'Named credentials of providers: several accounts of one vendor, and which is tried first.',
  Inference: 'OpenAI’s API, for any model of any provider.',
  Usage: 'What was used: requests, tokens, cost, latency.',
  Models: 'The models that can be used now.',
  Configuration: 'All settings, as one document.',
  History: 'Earlier revisions and the way back to them, named snapshots, export and import.',
  Health: 'Whether the gateway works.',
  Pages: 'This reference.',
};

export const scopeWords: Readonly<Record<RouteScope, string>> = {
  none: 'Open to everybody.',
  any: 'Needs a token, with `any` scope.',
  read: 'Needs a token with the scope `read`.',
  write: 'Needs a token with the scope `write`.',
  admin: 'Needs a token with the scope `admin`.',
};

/** The ways to send a token. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token, `ola_...`, as `Authorization: Bearer`. The usual way.' },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
    description: 'The same token, for clients that are made for Anthropic’s API.',
  },
  googleKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-goog-api-key',
    description: 'The same token, for clients that are made for Google’s API.',
  },
} as const;
