/** Member names of Google's API: its JSON takes `inlineData` and `inline_data` alike (https://protobuf.dev/programming-guides/json/). */
import { OlaError } from '../../core/errors.ts';

export const protocolId = 'google-generative-ai';

export type Fields = Readonly<Record<string, unknown>>;

const snakes = new Map<string, string>();

function snakeOf(name: string): string {
  const known = snakes.get(name) ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  snakes.set(name, known);
  return known;
}

/** @param name in camel case. @returns the member of either spelling; undefined for one that is absent or null */
export function member(fields: Fields, name: string): unknown {
  return fields[name] ?? fields[snakeOf(name)] ?? undefined;
}

/** The name in camel case. */
export function camelOf(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function refuse(message: string, param: string): never {
  throw new OlaError('invalid_request', message, { param });
}

export function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
