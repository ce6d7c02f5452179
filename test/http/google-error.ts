/** Errors in the form of Google's API, read as those of ola's own envelope. */
import { errorType } from '../../src/core/errors.ts';
import { isObject } from '../../src/core/json.ts';

interface GoogleError {
  readonly code: number;
  readonly message: string;
  readonly details: readonly { readonly reason: string; readonly metadata: Readonly<Record<string, string>> }[];
}

/** @returns the error as it is where it has another form */
export function readGoogleError<Error>(error: Error): Error {
  if (!isObject(error) || !Array.isArray(error['details'])) return error;
  const { code: status, message, details } = error as unknown as GoogleError;
  const { reason = '', metadata = {} } = details[0] ?? {};
  return {
    code: reason.toLowerCase(),
    type: errorType(status),
    message,
    ...(metadata['param'] === undefined ? {} : { param: metadata['param'] }),
    ...(metadata['details'] === undefined ? {} : { details: JSON.parse(metadata['details']) as unknown }),
  } as unknown as Error;
}
