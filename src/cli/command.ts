/** The type of a command: its options and arguments as data, and one function that runs it. The table of all commands is commands/all.ts. */
import type { CliPorts, ExitCode } from './ports.ts';

/** What `run` is given besides the typed options and arguments. */
export interface Context {
  readonly ports: CliPorts;
  /** The help text of a command or a group; of the program when the path is empty; null when nothing has that path. */
  readonly help: (path: readonly string[]) => Promise<string | null>;
}

/** An option. Its flag is its key in the record in kebab case: `logLevel` is `--log-level`. */
export interface Option<T> {
  /** The name of the value in the help, such as PORT; null for a flag that takes no value. */
  readonly placeholder: string | null;
  readonly summary: string;
  /** The value when the option is not typed. */
  readonly initial: T;
  readonly choices?: readonly string[];
  /** Keys of the options that exclude this one. */
  readonly conflicts?: readonly string[];
  /**
   * Reads one occurrence of the option; `before` is the value after the occurrence before it.
   * @throws Unreadable from `expected`
   */
  read(text: string, before: T | undefined): T;
}

/** A positional argument, in the order of the record. */
export interface Argument<T> {
  readonly summary: string;
  /** `rest` takes all remaining words, which may be none. */
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
  /** The words typed after `ola`. Of two words the first names a group. */
  readonly path: readonly string[];
  /** One line, no full stop. */
  readonly summary: string;
  /** Sentences after the summary in `--help`. */
  readonly description?: string;
  readonly examples: readonly Example[];
  /** How it finds the home of a running demo: by itself, or by its option --demo; see demo-home.ts. Absent: it needs no home. */
  readonly onDemo?: 'follows' | 'asked';
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

/** Declares a command: the types of `run`'s options and arguments are those that their `read` functions return. */
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

/** A parsed command line. */
export interface Choice {
  readonly command: Command;
  readonly options: Readonly<Record<string, unknown>>;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The error for an unreadable value. It has commander's own error code, because commander itself is loaded only to report errors. */
class Unreadable extends Error {
  readonly code = 'commander.invalidArgument';
  readonly exitCode = 1;
}

/** The error for an unreadable value. The line break separates commander's sentence (the error) from ours (the expected form). */
export function expected(what: string): Error {
  return new Unreadable(`\nExpected ${what}.`);
}
