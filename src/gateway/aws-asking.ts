/** The sources of AWS credentials, each asked in its own way: files, a program, STS, IAM Identity Center, a container, an instance. */
import type { AwsPorts } from '../core/aws.ts';
import type { Destination, Egress, OutboundRequest } from '../core/egress.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import {
  codeOfSts,
  keysOfJson,
  keysOfSso,
  keysOfSts,
  type LentKeys,
  roleForm,
  ssoCacheName,
  ssoToken,
} from '../credentials/aws-answers.ts';
import { type AwsFiles, parseAwsFiles } from '../credentials/aws-files.ts';
import { type AwsKeys, signatureHeaders } from '../credentials/aws-signature.ts';
import { type AwsRole, type AwsSource, regionOfProfile, type SsoLogin } from '../credentials/aws-source.ts';
import { readAtMost } from './inference/read-body.ts';

export interface AwsAskingPorts {
  readonly environment: Environment;
  readonly aws: AwsPorts;
  /** Asked when the first keys are. */
  readonly egress: () => Pick<Egress, 'send'>;
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`. */
  readonly everyProviderLocal: boolean;
  readonly userAgent: string;
  readonly now: Clock;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** For a gateway without files: AWS credentials come from the environment alone. */
export const noAwsFiles: AwsPorts = {
  home: '/',
  readText: () => null,
  run: () => Promise.reject(failure('Programs of the AWS files are not run here.')),
};

export function readAwsFiles({ home, readText }: AwsPorts, environment: Environment): AwsFiles {
  const path = (variable: string, usual: string) => environment[variable]?.trim() || `${home}/.aws/${usual}`;
  return parseAwsFiles(readText(path('AWS_CONFIG_FILE', 'config')), readText(path('AWS_SHARED_CREDENTIALS_FILE', 'credentials')));
}

/** The region that the AWS profile of the environment names; null: none, or the files cannot be read. */
export function regionOfAwsFiles(aws: AwsPorts, environment: Environment): string | null {
  try {
    return regionOfProfile(null, { environment, files: readAwsFiles(aws, environment) });
  } catch {
    // A file that must not be trusted is told when credentials are read from it.
    return null;
  }
}

/** @throws OlaError that says why there are no keys */
export async function askAws(source: AwsSource, ports: AwsAskingPorts): Promise<LentKeys> {
  switch (source.kind) {
    case 'keys':
      return { keys: source.keys, expiresAt: null };
    case 'none':
      throw failure(`AWS credentials ${source.why}.`);
    case 'process':
      return found(keysOfJson(await ports.aws.run(source.program, source.options)), 'The credential_process of the AWS files');
    case 'sso':
      return askSso(source.login, ports);
    case 'role':
      return askRole(source.role, (await askAws(source.by, ports)).keys, ports);
    case 'webIdentity':
      return askWebIdentity(source.role, source.tokenFile, ports);
    case 'container':
      return askContainer(source, ports);
    case 'instance':
      return askInstance(ports);
  }
}

function failure(message: string): OlaError {
  return new OlaError('upstream_unreachable', message);
}

function found(keys: LentKeys | null, what: string): LentKeys {
  if (keys === null) throw failure(`${what} gave no AWS credentials.`);
  return keys;
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

async function askRole(role: AwsRole, keys: AwsKeys, ports: AwsAskingPorts): Promise<LentKeys> {
  const body = roleForm(role, null);
  const baseUrl = stsUrl(role, ports.environment);
  const { host } = new URL(baseUrl);
  const scope = { region: role.region, service: 'sts' };
  const signature = signatureHeaders({ method: 'POST', host, path: '/', body }, keys, scope, ports.now());
  return keysFromSts(
    await send(ports, { name: 'aws-sts', baseUrl }, { method: 'POST', path: '/', headers: { ...form, ...signature }, body }),
    role,
  );
}

async function askWebIdentity(role: AwsRole, tokenFile: string, ports: AwsAskingPorts): Promise<LentKeys> {
  const token = ports.aws.readText(tokenFile)?.trim() ?? '';
  if (token === '') throw failure('AWS credentials cannot be had: the file of the web identity token is missing or empty.');
  const body = roleForm(role, token);
  const destination = { name: 'aws-sts', baseUrl: stsUrl(role, ports.environment) };
  return keysFromSts(await send(ports, destination, { method: 'POST', path: '/', headers: form, body }), role);
}

function keysFromSts({ status, text }: Answer, { arn }: AwsRole): LentKeys {
  const keys = status === 200 ? keysOfSts(text) : null;
  if (keys !== null) return keys;
  const code = codeOfSts(text);
  throw failure(`AWS STS gave no credentials for the role ${arn} (HTTP ${status}${code === null ? '' : `, ${code}`}).`);
}

function stsUrl({ region }: AwsRole, environment: Environment): string {
  return endpointOf('STS', `https://sts.${region}.${suffixOf(region)}`, environment);
}

/** China is a partition of its own. */
const suffixOf = (region: string) => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');

/** AWS's own variables for another address of a service. */
function endpointOf(service: 'STS' | 'SSO', usual: string, environment: Environment): string {
  return (environment[`AWS_ENDPOINT_URL_${service}`]?.trim() || usual).replace(/\/+$/, '');
}

async function askSso(login: SsoLogin, ports: AwsAskingPorts): Promise<LentKeys> {
  const cached = ports.aws.readText(`${ports.aws.home}/.aws/sso/cache/${ssoCacheName(login)}`);
  const token = cached === null ? null : ssoToken(cached, ports.now());
  if (token === null) throw failure('The AWS login has ended: run `aws sso login`, which ola does not do itself.');
  const query = new URLSearchParams({ role_name: login.role, account_id: login.account });
  const baseUrl = endpointOf('SSO', `https://portal.sso.${login.region}.${suffixOf(login.region)}`, ports.environment);
  const { status, text } = await send(
    ports,
    { name: 'aws-sso', baseUrl },
    { method: 'GET', path: `/federation/credentials?${query}`, headers: { 'x-amz-sso_bearer_token': token }, body: null },
  );
  if (status === 401) throw failure('AWS refuses the login: run `aws sso login`.');
  return found(status === 200 ? keysOfSso(text) : null, `IAM Identity Center (HTTP ${status})`);
}

type Container = Extract<AwsSource, { kind: 'container' }>;

/** Containers on one's own machine have a loopback address (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html). */
async function askContainer({ url, token, tokenFile }: Container, ports: AwsAskingPorts): Promise<LentKeys> {
  if (!URL.canParse(url)) throw failure('AWS credentials cannot be had: the URL of the container is none.');
  const { origin, pathname, search } = new URL(url);
  const text = tokenFile === null ? token : (ports.aws.readText(tokenFile)?.trim() ?? null);
  const headers = text === null ? {} : { authorization: text };
  const destination = { name: 'aws-container', baseUrl: origin, awsMetadata: true } as const;
  const answer = await send(ports, destination, { method: 'GET', path: pathname + search, headers, body: null });
  return found(answer.status === 200 ? keysOfJson(answer.text) : null, `The container's address (HTTP ${answer.status})`);
}

const instance = { name: 'aws-instance', baseUrl: 'http://169.254.169.254', awsMetadata: true } as const;
const rolesPath = '/latest/meta-data/iam/security-credentials/';
/** Seconds. */
const sessionLife = '21600';

/** The second version of the instance's metadata: the first one has no token (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html). */
async function askInstance(ports: AwsAskingPorts): Promise<LentKeys> {
  const session = await send(ports, instance, {
    method: 'PUT',
    path: '/latest/api/token',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': sessionLife },
    body: null,
  });
  const headers = { 'x-aws-ec2-metadata-token': session.text.trim() };
  const roles = await send(ports, instance, { method: 'GET', path: rolesPath, headers, body: null });
  const role = roles.text.split('\n')[0]?.trim() ?? '';
  if (session.status !== 200 || roles.status !== 200 || role === '')
    throw failure('The instance has no role with AWS credentials.');
  const answer = await send(ports, instance, { method: 'GET', path: rolesPath + encodeURIComponent(role), headers, body: null });
  return found(answer.status === 200 ? keysOfJson(answer.text) : null, `The instance (HTTP ${answer.status})`);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Milliseconds. */
const answerMs = 15_000;
const connectMs = 5_000;
/** Bytes. */
const longestAnswer = 64 * 1024;

async function send(
  { egress, everyProviderLocal, userAgent }: AwsAskingPorts,
  to: Pick<Destination, 'name' | 'baseUrl' | 'awsMetadata'>,
  request: OutboundRequest,
): Promise<Answer> {
  const timeouts = { connect: connectMs, firstByte: answerMs, idle: answerMs };
  const destination = { ...to, allowLocal: everyProviderLocal, timeouts };
  const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': userAgent, ...request.headers };
  const reply = await egress().send(destination, { ...request, headers, fresh: true });
  const text = await readAtMost(reply, { limit: longestAnswer, first: null, milliseconds: answerMs });
  return { status: reply.status, text: text ?? '' };
}
