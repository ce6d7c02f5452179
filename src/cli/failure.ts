/** How the command line says that something failed: three lines for people or one JSON object, always on stderr. */
import { type ErrorCode, OlaError } from '../core/errors.ts';
import { createRedactor } from '../core/redaction.ts';
import { type ExitCode, exitCodes } from './ports.ts';
import { printable } from './text.ts';

export interface FailureDetails {
  /** Stable: `usage`, `ambiguous_name`, or a code of core/errors. */
  readonly code: string;
  readonly what: string;
  readonly why: string;
  /** A command to run next. */
  readonly next: string;
  readonly exitCode: ExitCode;
}

/** A failure that is worded already. */
export class Failure extends Error {
  readonly facts: FailureDetails;

  constructor(facts: FailureDetails) {
    super(facts.what);
    this.name = 'Failure';
    this.facts = facts;
  }
}

/** What was typed cannot be meant. */
export function usageFailure(what: string, why: string, next: string): Failure {
  return new Failure({ code: 'usage', what, why, next, exitCode: exitCodes.usage });
}

/** The environment or the configuration keeps ola from starting. @param next a command to run next */
export function configFailure(what: string, why: string, next: string): Failure {
  return new Failure({ code: 'invalid_field', what, why, next, exitCode: exitCodes.configInvalid });
}

/** Codes that scripts tell apart; every other one is a plain failure. */
const exitCodeByError: { readonly [code in ErrorCode]?: ExitCode } = {
  invalid_api_key: exitCodes.authNeeded,
  insufficient_scope: exitCodes.authNeeded,
  shutting_down: exitCodes.unreachable,
  request_timeout: exitCodes.unreachable,
};

/** What helps more than the command's own help. */
const nextByError: { readonly [code in ErrorCode]?: string } = {
  conflict: 'ola status',
};

export function exitCodeOf(code: string): ExitCode {
  return exitCodeByError[code as ErrorCode] ?? exitCodes.failure;
}

/** Whatever a command threw, worded. @param typed the command: `ola serve` */
export function asFailure(thrown: unknown, typed: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const code: ErrorCode = thrown instanceof OlaError ? thrown.code : 'internal_error';
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure({
    code,
    what: `${typed} failed`,
    why,
    next: nextByError[code] ?? `${typed} --help`,
    exitCode: exitCodeOf(code),
  });
}

// No secret is held here; what looks like a key was typed, or came in a message.
const redact = createRedactor(() => []);

/** @returns what goes to stderr */
export function renderFailure({ code, what, why, next }: FailureDetails, asJson: boolean): string {
  const [message, reason] = [what, why].map((text) => printable(redact(text)));
  if (asJson) return `${JSON.stringify({ error: { code, message, reason, next } })}\n`;
  return `error: ${message}\n  why: ${reason}\n  next: ${printable(redact(next))}\n`;
}
