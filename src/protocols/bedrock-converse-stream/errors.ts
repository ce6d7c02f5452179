/** Errors of Bedrock: refusals by a status, and exceptions in a stream (https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html). Pure. */
import type { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { FailureKind, ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import { parsed } from '../failure-words.ts';
import { failureOfBody } from '../failures.ts';

interface ErrorType {
  readonly status: number;
  /** Null: the status and the words decide. */
  readonly kind: FailureKind | null;
}

/** By the name in lower case without `exception`: a stream writes `throttlingException`, a header `ThrottlingException`. */
const types: Readonly<Record<string, ErrorType>> = {
  validation: { status: 400, kind: null },
  accessdenied: { status: 403, kind: null },
  unrecognizedclient: { status: 403, kind: 'auth' },
  expiredtoken: { status: 403, kind: 'auth' },
  invalidsignature: { status: 403, kind: 'auth' },
  incompletesignature: { status: 403, kind: 'auth' },
  missingauthenticationtoken: { status: 403, kind: 'auth' },
  resourcenotfound: { status: 404, kind: null },
  modeltimeout: { status: 408, kind: 'timeout' },
  modelerror: { status: 424, kind: 'server_error' },
  modelstreamerror: { status: 424, kind: 'server_error' },
  // "Too many tokens, please wait before trying again" is a limit of rate, not of the context.
  throttling: { status: 429, kind: 'rate_limit' },
  // The model is being loaded.
  modelnotready: { status: 429, kind: 'overloaded' },
  servicequotaexceeded: { status: 400, kind: 'rate_limit' },
  internalserver: { status: 500, kind: 'server_error' },
  serviceunavailable: { status: 503, kind: 'overloaded' },
};

/** How Bedrock says that a prompt is too long. */
const tooLong = /input is too long|too many (?:input )?tokens|exceeds the (?:model's )?(?:maximum )?context/i;
/** A model that is only to be had by an inference profile. */
const needsProfile = /on-demand throughput (?:isn['’]t|is not) supported/i;
const profileHint =
  'Ask for the model by an inference profile: its id with a prefix (us., eu., apac., global.), or the ARN of your own.';

export function readFailure(status: number, header: ReadHeader, body: string): UpstreamFailure {
  const value = parsed(body);
  return failureOf(status, typeOf(header('x-amzn-errortype')) ?? typeIn(value), value, body);
}

/** @param type `throttlingException`. @param payload JSON with a message */
export function readException(type: string, payload: string): UpstreamFailure {
  return failureOf(null, typeOf(type), parsed(payload), payload);
}

/** @returns null for an answer of status 200 that tells no failure */
export function failureInside(answer: Readonly<Record<string, unknown>>, text: string): UpstreamFailure | null {
  const type = typeIn(answer);
  return type === null ? null : failureOf(null, type, answer, text);
}

/** @param status null: the type decides */
function failureOf(status: number | null, type: string | null, value: unknown, body: string): UpstreamFailure {
  const name = type?.toLowerCase().replace(/exception$/, '') ?? '';
  const known = Object.hasOwn(types, name) ? types[name] : undefined;
  const sent = status ?? known?.status ?? 502;
  const message = isObject(value) ? (textIn(value['message']) ?? textIn(value['Message'])) : null;
  // The shared classifier reads other vendors' shapes too: proxies stand in front of Bedrock.
  const told = message === null ? body : JSON.stringify({ message, code: type });
  const failure = failureOfBody(sent, told);
  return {
    ...failure,
    kind: known?.kind ?? (sent === 400 && tooLong.test(failure.message ?? '') ? 'context_overflow' : failure.kind),
    message: needsProfile.test(failure.message ?? '') ? `${failure.message} ${profileHint}` : failure.message,
    code: failure.code ?? type,
    body: isObject(value) ? body : null,
  };
}

/** `ValidationException:http://internal.amazon.com/...`, `com.amazon.coral.service#UnrecognizedClientException`. */
function typeOf(text: string | null): string | null {
  const name = text?.split(':')[0]?.split('#').at(-1)?.trim() ?? '';
  return /^[A-Za-z]{1,80}$/.test(name) ? name : null;
}

function typeIn(value: unknown): string | null {
  return isObject(value) ? typeOf(textIn(value['__type'])) : null;
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** No client speaks this protocol: ola's own errors are written in it all the same, in AWS's form. */
export function errorBody({ message }: OlaError): string {
  return JSON.stringify({ message });
}

export function errorEvent(error: OlaError): Uint8Array {
  return new TextEncoder().encode(errorBody(error));
}
