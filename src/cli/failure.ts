/** Errors of the command line: three lines for people or one JSON object for scripts, always on stderr. */
import { type ErrorCode, OlaError } from '../core/errors.ts';
import { createRedactor } from '../core/redaction.ts';
import { type ExitCode, exitCodes } from './ports.ts';
import { printable } from './text.ts';

export interface FailureDetails {
  /** Never renamed, because scripts compare it: `usage`, `ambiguous_name`, or a code of core/errors. */
  readonly code: string;
  readonly what: string;
  readonly why: string;
  /** A command to run next. */
  readonly next: string;
  readonly exitCode: ExitCode;
}

/** An error that carries its three lines. */
export class Failure extends Error {
  readonly facts: FailureDetails;

  constructor(facts: FailureDetails) {
    super(facts.what);
    this.name = 'Failure';
    this.facts = facts;
  }
}

/** The typed command line is wrong. */
export function usageFailure(what: string, why: string, next: string): Failure {
  return new Failure({ code: 'usage', what, why, next, exitCode: exitCodes.usage });
}

/** The environment or the configuration keeps ola from starting. @param next a command to run next */
export function configFailure(what: string, why: string, next: string): Failure {
  return new Failure({ code: 'invalid_field', what, why, next, exitCode: exitCodes.configInvalid });
}

/** Error codes with an exit code of their own, for scripts; every other one exits with `failure`. */
const exitCodeByError: { readonly [code in ErrorCode]?: ExitCode } = {
  invalid_api_key: exitCodes.authNeeded,
  insufficient_scope: exitCodes.authNeeded,
  shutting_down: exitCodes.unreachable,
  request_timeout: exitCodes.unreachable,
};

/** The command to run next by error code, where the command's own `--help` would not help. */
const nextByError: { readonly [code in ErrorCode]?: string } = {
  conflict: 'ola status',
};

export function exitCodeOf(code: string): ExitCode {
  return exitCodeByError[code as ErrorCode] ?? exitCodes.failure;
}

/** Turns any thrown value into a Failure. @param typed the command: `ola serve` */
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

// The command line knows no secrets to look for. The redactor finds keys by their form, in typed text and in messages.
const redact = createRedactor(() => []);

/** @returns the text for stderr */
export function renderFailure({ code, what, why, next }: FailureDetails, asJson: boolean): string {
  const [message, reason] = [what, why].map((text) => printable(redact(text)));
  if (asJson) return `${JSON.stringify({ error: { code, message, reason, next } })}\n`;
  return `error: ${message}\n  why: ${reason}\n  next: ${printable(redact(next))}\n`;
}
