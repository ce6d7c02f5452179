/**
 * Where the keys of AWS come from: environment, shared files, container or instance, in the order of AWS's own tools
 * (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html). Pure: nothing is asked.
 */
import type { AwsFiles, AwsSection } from './aws-files.ts';
import type { AwsKeys } from './aws-signature.ts';

/** The AWS credentials that a provider or an auth profile asks for. */
export interface AwsWish {
  /** A profile of the AWS files; null: the environment first, then the files. */
  readonly profile: string | null;
  /** The container or the instance may be asked. */
  readonly instanceMetadata: boolean;
}

export type AwsSource =
  | { readonly kind: 'keys'; readonly keys: AwsKeys }
  /** A program of the AWS files. */
  | { readonly kind: 'process'; readonly program: string; readonly options: readonly string[] }
  | { readonly kind: 'sso'; readonly login: SsoLogin }
  | { readonly kind: 'role'; readonly role: AwsRole; readonly by: AwsSource }
  | { readonly kind: 'webIdentity'; readonly role: AwsRole; readonly tokenFile: string }
  | { readonly kind: 'container'; readonly url: string; readonly token: string | null; readonly tokenFile: string | null }
  | { readonly kind: 'instance' }
  /** `why` is the end of a sentence that begins with "AWS credentials". */
  | { readonly kind: 'none'; readonly why: string };

export interface AwsRole {
  readonly arn: string;
  readonly session: string;
  readonly externalId: string | null;
  readonly seconds: number | null;
  /** Of the STS that is asked. */
  readonly region: string;
}

/** A login by `aws sso login`. */
export interface SsoLogin {
  /** The name of its session, or its start URL: the cache of tokens is named after it. */
  readonly cachedAs: string;
  readonly region: string;
  readonly account: string;
  readonly role: string;
}

export interface AwsFacts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly files: AwsFiles;
}

const usualRegion = 'us-east-1';
const usualSession = 'ola';
/** The fixed address of a container's credentials. */
const containerHost = 'http://169.254.170.2';

export function awsSource(wish: AwsWish, facts: AwsFacts): AwsSource {
  const { environment, files } = facts;
  if (wish.profile !== null) return ofProfile(wish.profile, wish, facts, []);
  const keys = keysIn(environment['AWS_ACCESS_KEY_ID'], environment['AWS_SECRET_ACCESS_KEY'], environment['AWS_SESSION_TOKEN']);
  if (keys !== null) return { kind: 'keys', keys };
  const named = filled(environment['AWS_PROFILE']);
  if (named !== null) return ofProfile(named, wish, facts, []);
  const usual = files.profiles.get('default');
  const found = usual === undefined ? null : ofProfile('default', wish, facts, []);
  if (found !== null && found.kind !== 'none') return found;
  const none = found !== null && usual?.has('role_arn') ? found : { kind: 'none' as const, why: nowhere(wish) };
  return ofEnvironment(wish, facts) ?? none;
}

function nowhere({ instanceMetadata }: AwsWish): string {
  const asked = instanceMetadata ? '' : '; a container or an instance is asked with allowInstanceMetadata alone';
  return `are neither in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) nor in the AWS files${asked}`;
}

/** The region that an AWS profile names; null: none. */
export function regionOfProfile(profile: string | null, { environment, files }: AwsFacts): string | null {
  const name = profile ?? filled(environment['AWS_PROFILE']) ?? 'default';
  return filled(files.profiles.get(name)?.get('region'));
}

/** @returns null where the environment names nothing to ask */
function ofEnvironment(wish: AwsWish, { environment }: AwsFacts): AwsSource | null {
  const [tokenFile, arn] = [filled(environment['AWS_WEB_IDENTITY_TOKEN_FILE']), filled(environment['AWS_ROLE_ARN'])];
  if (tokenFile !== null && arn !== null) {
    const session = filled(environment['AWS_ROLE_SESSION_NAME']) ?? usualSession;
    return {
      kind: 'webIdentity',
      tokenFile,
      role: { arn, session, externalId: null, seconds: null, region: regionIn(environment) },
    };
  }
  if (!wish.instanceMetadata) return null;
  const container = containerIn(environment);
  if (container !== null) return container;
  return environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true' ? null : { kind: 'instance' };
}

function containerIn(environment: AwsFacts['environment']): AwsSource | null {
  const relative = filled(environment['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']);
  const url = relative === null ? filled(environment['AWS_CONTAINER_CREDENTIALS_FULL_URI']) : containerHost + relative;
  if (url === null) return null;
  return {
    kind: 'container',
    url,
    token: filled(environment['AWS_CONTAINER_AUTHORIZATION_TOKEN']),
    tokenFile: filled(environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']),
  };
}

const regionIn = (environment: AwsFacts['environment']): string =>
  filled(environment['AWS_REGION']) ?? filled(environment['AWS_DEFAULT_REGION']) ?? usualRegion;

/** @param visited profiles that led here: a circle ends with the static keys of a profile, or not at all */
function ofProfile(name: string, wish: AwsWish, facts: AwsFacts, visited: readonly string[]): AwsSource {
  const section = facts.files.profiles.get(name);
  if (section === undefined) return { kind: 'none', why: `cannot be had: the AWS files have no profile '${name}'` };
  const keys = keysIn(section.get('aws_access_key_id'), section.get('aws_secret_access_key'), section.get('aws_session_token'));
  if (visited.includes(name)) {
    if (keys !== null) return { kind: 'keys', keys };
    return { kind: 'none', why: `cannot be had: the source_profile of the AWS profile '${name}' leads back to it` };
  }
  const path = [...visited, name];
  const role = ofRole(section, name, wish, { facts, path });
  if (role !== null && (keys === null || visited.length === 0)) return role;
  if (keys !== null) return { kind: 'keys', keys };
  return (
    ofSso(section, facts.files) ??
    ofProcess(section) ?? { kind: 'none', why: `cannot be had: the AWS profile '${name}' has none` }
  );
}

interface RoleFacts {
  readonly facts: AwsFacts;
  readonly path: readonly string[];
}

/** @returns null for a profile without a role */
function ofRole(section: AwsSection, name: string, wish: AwsWish, { facts, path }: RoleFacts): AwsSource | null {
  const arn = filled(section.get('role_arn'));
  if (arn === null) return null;
  if (section.has('mfa_serial')) {
    return {
      kind: 'none',
      why: `cannot be had: the AWS profile '${name}' asks for a one-time code (mfa_serial), which nobody enters`,
    };
  }
  const seconds = Number(section.get('duration_seconds'));
  const role: AwsRole = {
    arn,
    session: filled(section.get('role_session_name')) ?? usualSession,
    externalId: filled(section.get('external_id')),
    seconds: Number.isInteger(seconds) && seconds > 0 ? seconds : null,
    region: filled(section.get('region')) ?? regionIn(facts.environment),
  };
  const tokenFile = filled(section.get('web_identity_token_file'));
  if (tokenFile !== null) return { kind: 'webIdentity', role, tokenFile };
  const source = filled(section.get('source_profile'));
  const by = source === null ? ofCredentialSource(section, name, wish, facts) : ofProfile(source, wish, facts, path);
  return by.kind === 'none' ? by : { kind: 'role', role, by };
}

function ofCredentialSource(section: AwsSection, name: string, wish: AwsWish, { environment }: AwsFacts): AwsSource {
  const source = section.get('credential_source')?.toLowerCase();
  const keys = keysIn(environment['AWS_ACCESS_KEY_ID'], environment['AWS_SECRET_ACCESS_KEY'], environment['AWS_SESSION_TOKEN']);
  if (source === 'environment' && keys !== null) return { kind: 'keys', keys };
  const container = wish.instanceMetadata && source === 'ecscontainer' ? containerIn(environment) : null;
  if (container !== null) return container;
  if (wish.instanceMetadata && source === 'ec2instancemetadata') return { kind: 'instance' };
  return {
    kind: 'none',
    why: `cannot be had: the role of the AWS profile '${name}' has no source_profile, or a credential_source without keys`,
  };
}

function ofSso(section: AwsSection, { ssoSessions }: AwsFiles): AwsSource | null {
  const session = filled(section.get('sso_session'));
  const login = session === null ? section : ssoSessions.get(session);
  const [account, role] = [filled(section.get('sso_account_id')), filled(section.get('sso_role_name'))];
  const [startUrl, region] = [filled(login?.get('sso_start_url')), filled(login?.get('sso_region'))];
  if (account === null || role === null || startUrl === null || region === null) return null;
  return { kind: 'sso', login: { cachedAs: session ?? startUrl, region, account, role } };
}

function ofProcess(section: AwsSection): AwsSource | null {
  const [program, ...options] = wordsOf(section.get('credential_process') ?? '');
  return program === undefined ? null : { kind: 'process', program, options };
}

/** The words of a command line. No shell reads it: quotes alone have a meaning. */
function wordsOf(command: string): string[] {
  const words = command.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replaceAll(/\\(.)/g, '$1'),
    ),
  );
}

function keysIn(id: string | undefined, secret: string | undefined, token: string | undefined): AwsKeys | null {
  const [accessKeyId, secretAccessKey] = [filled(id), filled(secret)];
  return accessKeyId === null || secretAccessKey === null ? null : { accessKeyId, secretAccessKey, sessionToken: filled(token) };
}

function filled(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}
