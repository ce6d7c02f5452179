/** Google's token endpoint on loopback: it judges refresh tokens and signed assertions, and counts what it is asked. */
import { generateKeyPairSync, verify } from 'node:crypto';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const email = 'ola@project.iam.gserviceaccount.com';

export const userFile = {
  type: 'authorized_user',
  client_id: 'client.apps.googleusercontent.com',
  client_secret: 'secret-of-the-client',
  refresh_token: '1//refresh-token-of-the-login',
};
export const accountFile = {
  type: 'service_account',
  client_email: email,
  private_key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  private_key_id: 'key-1',
  token_uri: 'https://oauth2.googleapis.com/token',
};

export interface GoogleTokens extends AsyncDisposable {
  readonly port: number;
  /** The forms of its requests. */
  readonly asked: readonly URLSearchParams[];
  /** Null: it gives tokens. */
  refusal: { readonly status: number; readonly body: unknown } | null;
}

/** @param now milliseconds since 1970: an assertion must be valid then */
export function googleTokens(now: () => number): GoogleTokens {
  const asked: URLSearchParams[] = [];
  const state: { refusal: GoogleTokens['refusal'] } = { refusal: null };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      if (request.method !== 'POST' || new URL(request.url).pathname !== '/token') return new Response(null, { status: 404 });
      const form = new URLSearchParams(await request.text());
      asked.push(form);
      if (state.refusal !== null) return Response.json(state.refusal.body, { status: state.refusal.status });
      if (!isRight(form, now())) return Response.json({ error: 'invalid_grant' }, { status: 400 });
      return Response.json({ access_token: `ya29.token-${asked.length}`, expires_in: 3600, token_type: 'Bearer' });
    },
  });
  return {
    port: server.port ?? 0,
    asked,
    get refusal() {
      return state.refusal;
    },
    set refusal(refusal) {
      state.refusal = refusal;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function isRight(form: URLSearchParams, now: number): boolean {
  const type = form.get('grant_type');
  if (type === 'refresh_token') {
    const { client_id: id, client_secret: secret, refresh_token: token } = userFile;
    return form.get('client_id') === id && form.get('client_secret') === secret && form.get('refresh_token') === token;
  }
  return type === 'urn:ietf:params:oauth:grant-type:jwt-bearer' && isSigned(form.get('assertion') ?? '', now);
}

function isSigned(assertion: string, now: number): boolean {
  const [head = '', body = '', signature = ''] = assertion.split('.');
  const bytes = (part: string) => Buffer.from(part, 'base64url');
  const header = JSON.parse(bytes(head).toString('utf8')) as Readonly<Record<string, unknown>>;
  const claims = JSON.parse(bytes(body).toString('utf8')) as Readonly<Record<string, unknown>>;
  const [from, until] = [Number(claims['iat']) * 1000, Number(claims['exp']) * 1000];
  return (
    header['alg'] === 'RS256' &&
    header['kid'] === 'key-1' &&
    claims['iss'] === email &&
    claims['aud'] === 'https://oauth2.googleapis.com/token' &&
    claims['scope'] === 'https://www.googleapis.com/auth/cloud-platform' &&
    from <= now &&
    now < until &&
    until - from <= 3_600_000 &&
    verify('sha256', Buffer.from(`${head}.${body}`), pair.publicKey, bytes(signature))
  );
}
