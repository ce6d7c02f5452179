/** What a command is: data, and one function that does it. The table of all of them is commands.ts. */
import { InvalidArgumentError } from 'commander';
import type { CliPorts, ExitCode } from './ports.ts';

/** What a command gets besides what was typed. */
export interface Context {
  readonly ports: CliPorts;
  /** The help of a command or of a group of them (no words: of the program); null when there is none. */
  readonly help: (path: readonly string[]) => string | null;
}

/** An option; its flag is the kebab-case form of its key in the record: `logLevel` is `--log-level`. */
export interface Option<T> {
  /** Stands for the value in the help; null: a flag without one. */
  readonly placeholder: string | null;
  readonly summary: string;
  /** The value when it is not given. */
  readonly initial: T;
  readonly choices?: readonly string[];
  /** Keys of options that it cannot be used with. */
  readonly conflicts?: readonly string[];
  /**
   * Reads one occurrence; `before` is what the one before it gave.
   * @throws InvalidArgumentError from `expected`
   */
  read(text: string, before: T | undefined): T;
}

/** A positional argument, in the order of the record. */
export interface Argument<T> {
  readonly summary: string;
  /** `rest` takes all that follows, also nothing. */
  readonly takes: 'one' | 'one or none' | 'rest';
  read(text: string, before: T | undefined): T;
}

type Options = Readonly<Record<string, Option<unknown>>>;
type Arguments = Readonly<Record<string, Argument<unknown>>>;
type OptionValues<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };
type ArgumentValues<A extends Arguments> = { readonly [K in keyof A]: A[K] extends Argument<infer T> ? T : never };

export interface Example {
  readonly command: string;
  readonly note: string;
}

interface Described {
  /** What is typed after `ola`; of two words the first is a group. */
  readonly path: readonly string[];
  /** One line, no full stop. */
  readonly summary: string;
  /** What the summary does not say; above the options in `--help`. */
  readonly description?: string;
  readonly examples: readonly Example[];
}

export interface Command extends Described {
  readonly options: Options;
  readonly arguments: Arguments;
  readonly run: (
    context: Context,
    options: Readonly<Record<string, unknown>>,
    args: Readonly<Record<string, unknown>>,
  ) => Promise<ExitCode>;
}

/** Declares a command: `run` gets options and arguments with the types that their readers give. */
export function command<const O extends Options, const A extends Arguments>(
  declared: Described & {
    readonly options: O;
    readonly arguments: A;
    readonly run: (context: Context, options: OptionValues<O>, args: ArgumentValues<A>) => Promise<ExitCode>;
  },
): Command {
  return {
    ...declared,
    run: (context, options, args) => declared.run(context, options as OptionValues<O>, args as ArgumentValues<A>),
  };
}

/** A value that does not fit; the line break parts what is wrong (commander's words) from what would be right (ours). */
export function expected(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`\nExpected ${what}.`);
}
