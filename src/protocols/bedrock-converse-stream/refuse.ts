import { OlaError } from '../../core/errors.ts';

/** @param param the place in the client's request, as a dotted path */
export function refuse(message: string, param: string): never {
  throw new OlaError('invalid_request', message, { param });
}
