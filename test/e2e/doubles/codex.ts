/** A double of ChatGPT's backend: OpenAI's responses for a login, with fewer fields and always as a stream. */
import { answer, type Behaviour } from '../upstream.ts';
import { responses } from './responses.ts';
import { type Fields, fieldsOf, type Script, textOf } from './script.ts';

const account = 'acct-of-codex';
const claims = { 'https://api.openai.com/auth': { chatgpt_account_id: account }, exp: 4_000_000_000 };

/** A login that the double takes. */
export const codexLogin = {
  provider: 'openai-codex',
  type: 'oauth',
  access: `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`,
};

const refusedFields = ['max_output_tokens', 'temperature', 'top_p', 'user', 'metadata'];

/** @see https://github.com/openai/codex, which is the backend's own client */
export function codex(script: Script): Behaviour {
  const answered = responses(script);
  return (received) => {
    const broken = ruleBroken(fieldsOf(JSON.parse(received.body)), received.headers);
    return broken === null ? answered(received) : answer(400, { detail: broken })(received);
  };
}

function ruleBroken(body: Fields, headers: ReadonlyMap<string, string>): string | null {
  const unsupported = refusedFields.find((name) => name in body);
  if (unsupported !== undefined) return `Unsupported parameter: ${unsupported}`;
  if (headers.get('chatgpt-account-id') !== account) return 'The account is missing';
  if (textOf(body['instructions']) === '') return 'Instructions are required';
  if (body['store'] !== false) return 'Store must be set to false';
  return body['stream'] === true ? null : 'Stream must be set to true';
}
