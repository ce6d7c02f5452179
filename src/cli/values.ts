/** Kinds of options and arguments: each turns text into a value or throws with the expected form. */
import { type Argument, expected, type Option } from './command.ts';

/** An option without a value. */
export function flag(summary: string, more: Pick<Option<boolean>, 'conflicts'> = {}): Option<boolean> {
  return { placeholder: null, summary, initial: false, read: () => true, ...more };
}

/** `--json` of every command that a script may call. */
export const json = flag('print one JSON object; an error is one JSON object on stderr');

/** A whole number. @param range includes both ends */
export function wholeNumber(
  placeholder: string,
  summary: string,
  { initial, from, to }: { readonly initial: number; readonly from: number; readonly to: number },
): Option<number> {
  return {
    placeholder,
    summary,
    initial,
    read(text) {
      // Only digits are accepted: Number('') is 0 and Number('0x10') is 16.
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= from && value <= to)) throw expected(`a whole number from ${from} to ${to}`);
      return value;
    },
  };
}

/** One of several words. */
export function choice<const T extends string, const I extends T | null>(
  placeholder: string,
  summary: string,
  { of, initial }: { readonly of: readonly T[]; readonly initial: I },
): Option<T | I> {
  return { placeholder, summary, initial, choices: of, read: (text) => oneOf(of, text) };
}

/** Any of several words: the option is repeated for each. */
export function choices<const T extends string>(
  placeholder: string,
  summary: string,
  { of }: { readonly of: readonly T[] },
): Option<readonly T[]> {
  return { placeholder, summary, initial: [], choices: of, read: (text, before) => [...(before ?? []), oneOf(of, text)] };
}

function oneOf<T extends string>(of: readonly T[], text: string): T {
  const found = of.find((word) => word === text);
  if (found === undefined) throw expected(`one of ${of.join(', ')}`);
  return found;
}

/** An address to listen on. */
export function host(placeholder: string, summary: string, initial: string): Option<string> {
  return {
    placeholder,
    summary,
    initial,
    read(text) {
      const ipv6 = /^(?=.*:.*:)[0-9A-Fa-f:.]+(?:%[\w.-]+)?$/;
      const nameOrIpv4 = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/;
      if (!ipv6.test(text) && !nameOrIpv4.test(text)) throw expected('an IP address or a host name, without scheme and port');
      return text;
    },
  };
}

/** Any text. */
export function text(placeholder: string, summary: string): Option<string | null> {
  return { placeholder, summary, initial: null, read: (typed) => typed };
}

/** The path of a file. */
export function file(summary: string): Option<string | null> {
  return { placeholder: 'FILE', summary, initial: null, read: (text) => readFile(text) };
}

/** A name that the user chooses freely. */
export function label(placeholder: string, summary: string): Option<string | null> {
  return { placeholder, summary, initial: null, read: (text) => readLabel(text) };
}

/** An argument that is a freely chosen name. */
export function labelArgument(summary: string): Argument<string> {
  return { summary, takes: 'one', read: (text) => readLabel(text) };
}

/** An argument that must be typed. */
export function required(summary: string): Argument<string> {
  return { summary, takes: 'one', read: (text) => text };
}

/** An argument that may be left out; its value is undefined then. */
export function optional(summary: string): Argument<string | undefined> {
  return { summary, takes: 'one or none', read: (text) => text };
}

/** The number of a revision; it may be left out. */
export function optionalRevision(summary: string): Argument<number | undefined> {
  return {
    summary,
    takes: 'one or none',
    read(text) {
      if (!/^(?:0|[1-9]\d{0,8})$/.test(text)) {
        throw expected('the number of a revision from ola config history, or 0 for the empty configuration');
      }
      return Number(text);
    },
  };
}

/** All remaining words. */
export function rest(summary: string): Argument<readonly string[]> {
  return { summary, takes: 'rest', read: (text, before) => [...(before ?? []), text] };
}

function readFile(text: string): string {
  // A leading dash means that the path was forgotten and the next option was taken for it.
  if (!/^(?!-)[^\p{Cc}]+$/u.test(text)) throw expected('a path, no dash in front (write ./-name for a file named -name)');
  return text;
}

function readLabel(text: string): string {
  // A leading dash means that the value was forgotten and the next option was taken for it: `--project --json`.
  if (!/^(?!-)[^\p{Cc}]{1,128}$/u.test(text) || text.trim() === '') {
    throw expected('1 to 128 characters, no control characters, no dash in front');
  }
  return text;
}
