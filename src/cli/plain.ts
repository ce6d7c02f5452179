/**
 * Parses a command line in its plain form: a command, its options by their full names, each value as a separate word, and no
 * error. program.ts parses every other form, help and errors included, with commander, which takes 5 ms of a start to load.
 */
import type { Choice, Command } from './command.ts';

/** @param argv the words typed after `ola`. @returns null when they are not in plain form or name no command */
export function choosePlain(commands: readonly Command[], argv: readonly string[]): Choice | null {
  const command = commands.find(({ path }) => path.every((word, index) => argv[index] === word));
  if (command === undefined) return null;
  try {
    const { options, words } = splitWords(command, argv.slice(command.path.length));
    return { command, options, args: readArguments(command, words) };
  } catch {
    // program.ts finds the same error again and reports it.
    return null;
  }
}

class NotPlain extends Error {}

function splitWords({ options: declared }: Command, typed: readonly string[]) {
  const byFlag = new Map(Object.entries(declared).map(([key, option]) => [flagOf(key), { key, option }]));
  const given = new Map<string, unknown>();
  const words: string[] = [];
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at] ?? '';
    const named = byFlag.get(word);
    if (named === undefined) {
      if (word.startsWith('-')) throw new NotPlain();
      words.push(word);
      continue;
    }
    const { key, option } = named;
    const value = option.placeholder === null ? '' : typed[++at];
    // A leading dash may mean that the value was forgotten and the next option was taken for it.
    if (value === undefined || value.startsWith('-')) throw new NotPlain();
    given.set(key, option.read(value, given.get(key)));
  }
  for (const key of given.keys()) {
    if (declared[key]?.conflicts?.some((other) => given.has(other))) throw new NotPlain();
  }
  const options = Object.fromEntries(Object.entries(declared).map(([key, { initial }]) => [key, given.get(key) ?? initial]));
  return { options, words };
}

function readArguments({ arguments: declared }: Command, words: readonly string[]): Readonly<Record<string, unknown>> {
  const left = [...words];
  const args: Record<string, unknown> = {};
  for (const [name, { takes, read }] of Object.entries(declared)) {
    // The only command that takes the rest is the help, which program.ts prints.
    if (takes === 'rest' || (takes === 'one' && left.length === 0)) throw new NotPlain();
    const word = left.shift();
    args[name] = word === undefined ? undefined : read(word, undefined);
  }
  if (left.length > 0) throw new NotPlain();
  return args;
}

/** The flag of an option's key: `--log-level` for `logLevel`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
