/** The reference's own words: what stands at its top, and what its groups are. */
import type { RouteScope } from '../../core/access.ts';
import type { Tag } from './operations.ts';

/** Markdown. Links that begin with `#/` lead to operations of the page. */
export const introduction = `One local address for every language model. It keeps the providers' keys, decides who may use them, and speaks the OpenAI API.

### From nothing to an answer

1. **Get a first token.** \`ola serve\` prints an admin token at its first start at a terminal, \`ola serve --demo\` at every start; \`ola token create me --admin\` makes one on the machine that ola runs on.
2. **Authorize.** Press the button *Authorize*, paste the token under *bearer*, press *Authorize* there and close. It stays in this page's memory; a reload forgets it.
3. **Make a token for your client:** [POST /config/tokens](#/Tokens/createToken), *Execute*. The answer shows it once.
4. **Add a provider:** [PUT /config/providers/{id}](#/Providers/putProvider), a vendor by its key or a server of your own; choose an example and put your values in. The demo needs none.
5. **Ask:** [POST /v1/chat/completions](#/Inference/createChatCompletion) with \`"model": "PROVIDER/MODEL"\`; [GET /v1/models](#/Models/listModels) lists what can be used now, in the demo it is \`demo/echo\`.

### Good to know

- A token travels as \`Authorization: Bearer\`, \`x-api-key\` or \`x-goog-api-key\`, never in an address. Scopes are \`read\`, \`write\` and \`admin\`, which has both.
- Every error is \`{"error": {"message", "type", "param", "code"}}\`; its message says what to do next. Every answer has an \`X-Request-Id\`, which the log has too.
- Point any OpenAI client at \`/v1\` of this address; fields that ola does not know go to the provider as they came.`;

export const tagWords: Readonly<Record<Tag, string>> = {
  Tokens: 'Who may call, what they may do, and until when.',
  Providers: 'Where calls go, and the keys that they go with.',
  Inference: 'OpenAI’s API, for any model of any provider.',
  Models: 'What can be used now.',
  Configuration: 'Everything that is set, as one document.',
  History: 'What it was before, and the way back; copies under names, and for other machines.',
  Health: 'Whether it works.',
  Pages: 'This reference.',
};

export const scopeWords: Readonly<Record<RouteScope, string>> = {
  none: 'Open to everybody.',
  read: 'Needs a token with the scope `read`.',
  write: 'Needs a token with the scope `write`.',
  admin: 'Needs a token with the scope `admin`.',
};

/** The ways that a token may travel, as security schemes. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token, `ola_...`, as `Authorization: Bearer`. The usual way.' },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
    description: 'The same token, for clients made for Anthropic’s API.',
  },
  googleKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-goog-api-key',
    description: 'The same token, for clients made for Google’s API.',
  },
} as const;
