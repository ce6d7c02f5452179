/**
 * Amazon Bedrock and AWS's token services on loopback. Requests count when AWS's own package makes the same signature, and when they keep the rules of Converse; streams are
 * frames of AWS's own encoder.
 */
import { signedByAws } from '../../credentials/aws-judge.ts';
import { event, joined } from '../../protocols/bedrock-converse-stream/frames.ts';
import { brokenRules, type ConverseBody } from '../../protocols/bedrock-converse-stream/rules.ts';
import { invoked } from './bedrock-embeddings.ts';

export interface BedrockRequest {
  readonly path: string;
  readonly accept: string | null;
  readonly body: Readonly<Record<string, unknown>>;
  /** The access key id, or `bearer`. */
  readonly by: string;
}

export interface Bedrock extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly BedrockRequest[];
  /** What the next answers are; the last one stays. */
  answers: readonly BedrockAnswer[];
}

/** A whole answer, the frames of a stream, or a refusal. */
export type BedrockAnswer =
  | { readonly whole: unknown; readonly frames: readonly Uint8Array[] }
  | { readonly status: number; readonly type: string; readonly message: string };

export const bearer = 'bedrock-api-key-0123456789';
const region = 'eu-west-1';

/** Secret keys and session tokens by access key id. */
const accounts: Readonly<Record<string, { readonly secret: string; readonly token: string | null }>> = {
  AKIAENVIRONMENT: { secret: 'secret-of-the-environment', token: 'token-of-the-environment' },
  AKIAPROFILE: { secret: 'secret-of-the-profile', token: null },
  AKIAPROGRAM: { secret: 'secret-of-the-program', token: null },
  ASIAROLE: { secret: 'secret-of-the-role', token: 'token-of-the-role' },
  ASIALOGIN: { secret: 'secret-of-the-login', token: 'token-of-the-login' },
};

const usage = { inputTokens: 11, outputTokens: 7, totalTokens: 18 };

export function said(text: string): BedrockAnswer {
  return {
    whole: { output: { message: { role: 'assistant', content: [{ text }] } }, stopReason: 'end_turn', usage },
    frames: [
      event('messageStart', { role: 'assistant' }),
      ...[...text].map((letter) => event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: letter } })),
      event('contentBlockStop', { contentBlockIndex: 0 }),
      event('messageStop', { stopReason: 'end_turn' }),
      event('metadata', { usage }),
    ],
  };
}

export function called(name: string, input: unknown): BedrockAnswer {
  const toolUse = { toolUseId: 'tooluse_1', name };
  return {
    whole: {
      output: { message: { role: 'assistant', content: [{ toolUse: { ...toolUse, input } }] } },
      stopReason: 'tool_use',
      usage,
    },
    frames: [
      event('messageStart', { role: 'assistant' }),
      event('contentBlockStart', { contentBlockIndex: 0, start: { toolUse } }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: JSON.stringify(input) } } }),
      event('contentBlockStop', { contentBlockIndex: 0 }),
      event('messageStop', { stopReason: 'tool_use' }),
      event('metadata', { usage }),
    ],
  };
}

export function bedrock(): Bedrock {
  const requests: BedrockRequest[] = [];
  const made = { answers: [said('Hello')] as readonly BedrockAnswer[] };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const body = await request.text();
      if (url.pathname === '/federation/credentials') return login(request, url.searchParams);
      const service = url.pathname === '/' ? 'sts' : 'bedrock';
      const by = await signer(request, body, service);
      if (by === null) return refusal(403, 'InvalidSignatureException', 'The request signature does not match.');
      if (service === 'sts') return role(new URLSearchParams(body), by);
      requests.push({
        path: url.pathname,
        accept: request.headers.get('accept'),
        body: JSON.parse(body) as BedrockRequest['body'],
        by,
      });
      const model = /^\/model\/([^/]+)\/invoke$/.exec(url.pathname)?.[1];
      if (model !== undefined) {
        const made = invoked(decodeURIComponent(model), JSON.parse(body) as BedrockRequest['body']);
        return made ?? refusal(400, 'ValidationException', 'Malformed input request.');
      }
      const [broken] = brokenRules(JSON.parse(body) as ConverseBody);
      if (broken !== undefined) return refusal(400, 'ValidationException', `The request has ${broken}.`);
      const [next, ...rest] = made.answers;
      if (rest.length > 0) made.answers = rest;
      return respond(next ?? said('Hello'), url.pathname.endsWith('-stream'));
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    get answers() {
      return made.answers;
    },
    set answers(list) {
      made.answers = list;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** @returns who signed; null for a signature that AWS's package does not make */
async function signer(request: Request, body: string, service: string): Promise<string | null> {
  const authorization = request.headers.get('authorization') ?? '';
  if (authorization === `Bearer ${bearer}`) return 'bearer';
  const [, id = ''] = /Credential=([A-Z]+)\//.exec(authorization) ?? [];
  const account = Object.hasOwn(accounts, id) ? accounts[id] : undefined;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(request.headers.get('x-amz-date') ?? '') ?? [];
  if (account === undefined || year === undefined) return null;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const { pathname, search, host } = new URL(request.url);
  const keys = { accessKeyId: id, secretAccessKey: account.secret, sessionToken: account.token };
  const sent = { method: request.method, host, path: pathname + search, body };
  const expected = await signedByAws(sent, keys, { region, service }, at);
  const isRight = Object.entries(expected).every(([name, value]) => request.headers.get(name) === value);
  return isRight ? id : null;
}

function respond(answer: BedrockAnswer, stream: boolean): Response {
  if ('status' in answer) return refusal(answer.status, answer.type, answer.message);
  if (!stream) return Response.json(answer.whole);
  // Pieces that part the frames.
  const bytes = joined(answer.frames);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 37) }, (_, at) => bytes.slice(at * 37, at * 37 + 37));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/vnd.amazon.eventstream' } });
}

function refusal(status: number, type: string, message: string): Response {
  return Response.json({ message }, { status, headers: { 'x-amzn-errortype': `${type}:http://internal.amazon.com/` } });
}

function role(form: URLSearchParams, by: string): Response {
  const { secret, token } = accounts['ASIAROLE'] as { readonly secret: string; readonly token: string };
  const isRight = form.get('Action') === 'AssumeRole' && form.get('RoleArn') === 'arn:aws:iam::1:role/r' && by === 'AKIAPROFILE';
  if (!isRight) return new Response('<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>', { status: 403 });
  const end = new Date(Date.now() + 3_600_000).toISOString();
  const keys = `<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>${token}</SessionToken>`;
  return new Response(
    `<AssumeRoleResponse><AssumeRoleResult><Credentials>${keys}<Expiration>${end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    { headers: { 'content-type': 'text/xml' } },
  );
}

function login(request: Request, query: URLSearchParams): Response {
  const isRight = request.headers.get('x-amz-sso_bearer_token') === 'sso-token' && query.get('role_name') === 'Reader';
  if (!isRight) return Response.json({ message: 'Session token not found or invalid' }, { status: 401 });
  const { secret, token } = accounts['ASIALOGIN'] as { readonly secret: string; readonly token: string };
  const expiration = Date.now() + 3_600_000;
  return Response.json({
    roleCredentials: { accessKeyId: 'ASIALOGIN', secretAccessKey: secret, sessionToken: token, expiration },
  });
}
