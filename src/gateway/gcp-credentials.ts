/** The access tokens of the host's Google login: asked for once for all requests, kept until shortly before their end. */
import type { AwsPorts } from '../core/aws.ts';
import type { Destination, Egress } from '../core/egress.ts';
import { asOlaError, OlaError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import { type GcpLogin, gcpTokenForm, googleTokenUrl, readGcpLogin } from '../credentials/gcp.ts';
import { dueAt, type Grant, type GrantTokens, isValid, readRenewal } from '../credentials/grants.ts';
import { readAtMost } from './inference/read-body.ts';

export interface GcpCredentialPorts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The files of the host, as AWS's are read. */
  readonly files: Pick<AwsPorts, 'home' | 'readText'>;
  /** Asked when the first token is. */
  readonly egress: () => Pick<Egress, 'send'>;
  readonly userAgent: string;
  readonly now: Clock;
  readonly log: Log;
}

/** Milliseconds after which an endpoint that failed is asked again. */
const failurePause = 5_000;
/** Milliseconds. A token that is refused so soon after it came is not refused for its age. */
const leastAge = 60_000;
/** Milliseconds. */
const answerMs = 15_000;
const connectMs = 5_000;
/** Bytes. */
const longestAnswer = 64 * 1024;

const usualFile = '.config/gcloud/application_default_credentials.json';
const { origin: tokenOrigin, pathname: tokenPath } = new URL(googleTokenUrl);
const tokenEndpoint: Destination = {
  name: 'google-oauth',
  baseUrl: tokenOrigin,
  allowLocal: false,
  timeouts: { connect: connectMs, firstByte: answerMs, idle: answerMs },
};

export function createGcpCredentials(ports: GcpCredentialPorts): Grant {
  let tokens: GrantTokens | null = null;
  let askedAt = 0;
  let failed: OlaError | null = null;
  let running: Promise<void> | null = null;

  function ask(): Promise<void> {
    running ??= askOnce().finally(() => {
      running = null;
    });
    return running;
  }

  /** A token that still lasts is used when another one cannot be had. */
  async function askOnce(): Promise<void> {
    try {
      tokens = await requestToken(ports);
      failed = null;
    } catch (thrown) {
      const error = asOlaError(thrown);
      const message = error.code === 'internal_error' ? 'The credentials of Google could not be read.' : error.message;
      failed = new OlaError('upstream_unreachable', message, { cause: thrown });
      ports.log.log('warn', message);
    }
    askedAt = ports.now();
  }

  async function accessLater(): Promise<string> {
    await ask();
    if (tokens?.access != null && isValid(tokens, ports.now())) return tokens.access;
    throw failed ?? new OlaError('upstream_unreachable', 'The token of the Google login has ended, and there is no other.');
  }

  return {
    access(now) {
      const isPaused = failed !== null && now < askedAt + failurePause;
      const isUsable = tokens !== null && isValid(tokens, now) && (isPaused || now < dueAt(tokens));
      if (isUsable && tokens?.access != null) return tokens.access;
      return isPaused ? Promise.reject(failed) : accessLater();
    },
    async renew(refused, now) {
      if (tokens?.access !== refused) return true;
      if (now - askedAt < leastAge) return false;
      await ask();
      return tokens?.access !== refused;
    },
    secrets: () => (tokens?.access == null ? [] : [tokens.access]),
  };
}

/** @throws OlaError that says why there is no token */
async function requestToken(ports: GcpCredentialPorts): Promise<GrantTokens> {
  const body = gcpTokenForm(loginOf(ports), ports.now());
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': ports.userAgent,
  };
  const reply = await ports.egress().send(tokenEndpoint, { method: 'POST', path: tokenPath, headers, body, fresh: true });
  const text = await readAtMost(reply, { limit: longestAnswer, first: null, milliseconds: answerMs });
  const at = ports.now();
  const renewal = readRenewal({ status: reply.status, text: text ?? '' }, at);
  if (renewal.kind === 'renewed') return { access: renewal.access, refresh: '', obtainedAt: at, expiresAt: renewal.expiresAt };
  const help =
    renewal.kind === 'refused' ? ' Run `gcloud auth application-default login`, or make a new key of the service account.' : '';
  throw failure(`Google gives no token for the login of this host: its token endpoint ${renewal.reason}.${help}`);
}

/** No path in an error: clients of the gateway read it. */
function loginOf({ environment, files }: GcpCredentialPorts): Exclude<GcpLogin, { kind: 'none' }> {
  const named = environment['GOOGLE_APPLICATION_CREDENTIALS']?.trim() ?? '';
  const text = files.readText(named === '' ? `${files.home}/${usualFile}` : named);
  const file = named === '' ? `~/${usualFile}` : 'that GOOGLE_APPLICATION_CREDENTIALS names';
  if (text === null) {
    throw failure(
      `There is no Google login on this host: the file ${file} is missing. Run \`gcloud auth application-default login\`.`,
    );
  }
  const login = readGcpLogin(text);
  if (login.kind === 'none') throw failure(`The Google login of this host cannot be used: the file ${file} ${login.why}.`);
  return login;
}

function failure(message: string): OlaError {
  return new OlaError('upstream_unreachable', message);
}
