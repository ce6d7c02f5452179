/** Errors of Ollama's API, both ways: an upstream's refusal read, and ola's own written. Pure: the gateway decides what follows. */
import type { OlaError } from '../../core/errors.ts';
import type { ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import { failureIn, failureOfBody, type StatusesOfCodes, usualStatuses } from '../failures.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An error inside of an answer is a text alone: its words say which status it would have had. */
const wordings: StatusesOfCodes = [
  { code: /does not support|invalid|must be/i, status: 400 },
  { code: /unauthorized/i, status: 401 },
  { code: /not found/i, status: 404 },
  { code: /rate limit|too many requests|usage limit|quota/i, status: 429 },
  { code: /server busy|overloaded|maximum pending requests/i, status: 503 },
];

/** `model "name" not found`, in the quotes of older and newer versions. */
const missingModel = /\bmodel ["']([\w.:/@-]{1,200})["'] not found/i;

/** A model that the server does not have is one that only its owner can fetch. */
export function readFailure(status: number, _header: ReadHeader, body: string): UpstreamFailure {
  const failure = failureOfBody(status, body);
  const name = status === 404 ? missingModel.exec(failure.message ?? '')?.[1] : undefined;
  return name === undefined ? failure : { ...failure, hint: `On its machine, \`ollama pull ${name}\` fetches it.` };
}

/** The failure that a line or an answer of status 200 tells; null: it tells none. */
export function failureInside(answer: Fields, text: string): UpstreamFailure | null {
  const { error, StatusCode: status } = answer;
  if (typeof error !== 'string' || error === '') return failureIn(answer, text);
  // Ollama's proxies of its cloud hand on Go's form of the error, whose member of the status has this name.
  const told = typeof status === 'number' ? { status_code: status } : {};
  return failureIn({ ...answer, ...told, error: { message: error, type: error } }, text, null, statuses);
}

const statuses: StatusesOfCodes = [...wordings, ...usualStatuses];

/** Ollama's envelope is a text; the status and `X-Ola-Code` say the rest. */
export function errorBody({ message }: OlaError): string {
  return JSON.stringify({ error: message });
}

const encoder = new TextEncoder();

/** The last line of a stream that failed. */
export function errorEvent(error: OlaError): Uint8Array {
  return encoder.encode(`${errorBody(error)}\n`);
}
