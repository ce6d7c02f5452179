/** What the command line needs of the process around it; main hands it over. */

/** What a process says by its exit code; `ola help exit-codes` prints these. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  configInvalid: 3,
  authNeeded: 4,
  unreachable: 5,
  cancelled: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface Terminal {
  /** Data. A closed pipe ends the program quietly. */
  out(text: string): void;
  /** Prompts, progress, errors. */
  err(text: string): void;
  /** Whether a person reads what `out` writes. */
  readonly interactive: boolean;
  /** Whether a person reads what `err` writes. */
  readonly watched: boolean;
  /**
   * Where a person can be asked: standard input, and standard error, because standard output is data. Null unless both are a
   * terminal.
   */
  readonly dialogue: Dialogue | null;
}

export interface Dialogue {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly demo: boolean;
  /** Seconds that streams get to finish after the first signal. */
  readonly grace: number;
  readonly requireToken: boolean;
  /** No authentication; on a loopback address alone. */
  readonly disableAuth: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'pretty' | 'json' | null;
  /** The file that governs (file mode), as typed; null: the database does. */
  readonly config: string | null;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
  readonly etag: string | null;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The file that governs when no server runs, as typed; one that runs must be governed by it. Null or absent: as it is. */
  readonly configFile?: string | null;
}

/**
 * A person's files, by paths as typed, from the working directory. Text is UTF-8, at most 4 MiB.
 * Each method throws OlaError with a message that names the path and what to do.
 */
export interface Files {
  /** @returns null when there is nothing at the path */
  read(path: string): Promise<string | null>;
  /** Makes a new file, 0600, durable. @returns false when there is something at the path; it is left as it is */
  create(path: string, text: string): Promise<boolean>;
  /**
   * Replaces a file in one step, durable; what a link points to, not the link; mode kept.
   * @returns false, and nothing is written, when the file no longer holds `from`
   */
  replace(path: string, change: { readonly from: string; readonly to: string }): Promise<boolean>;
  /**
   * Makes a file, 0600, in a new directory that only its owner can enter.
   * @param name `config.json`: editors go by its end. @returns its absolute path
   */
  temporary(name: string, text: string): Promise<string>;
  /** Removes a file that `temporary` made, with its directory. */
  discard(path: string): Promise<void>;
}

/** One backup, to be made or to be put back. */
export interface CopyOptions {
  /** As typed. */
  readonly file: string;
  /** Seals the keys that its secrets need into it, or opens them; null: they are not in it, or not asked for. */
  readonly passphrase: string | null;
  /** The file that governs, as typed; null: none is named. */
  readonly configFile: string | null;
}

export interface BackupReport {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
  /** How many sealed secrets are in it. */
  readonly secrets: number;
  /** Of the key that they need; with commas when there are several. */
  readonly keyId: string;
  /** Where that key is: a path, or the name of a variable; with `and` when there are several places. */
  readonly keySource: string;
  /** Whether the key is in it, sealed to the passphrase. */
  readonly withKey: boolean;
}

export interface RestoreReport {
  readonly home: string;
  /** Where the former database is kept; null when there was none. */
  readonly replaced: string | null;
  readonly secrets: number;
  /** Of the key that they need; with commas when there are several. */
  readonly keyId: string;
  /** The key file that was written from the backup; null when the key at hand fits. */
  readonly keyWritten: string | null;
}

/** The process that holds the home. */
export interface RunningServer {
  readonly pid: number;
  readonly version: string;
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  /** The file that governs it; null: its database does. */
  readonly configFile: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface CliPorts {
  /** What was typed after the program's name. */
  readonly argv: readonly string[];
  readonly terminal: Terminal;
  /** `ola 0.1.0 (abc1234) bun 1.4.5 linux-x64` */
  readonly version: string;
  /** The home directory that would be used, absolute. */
  readonly home: string;
  /** Why it is that one: the variable OPEN_LLM_AUTH_HOME is set, or not. */
  readonly homeFrom: 'environment' | 'default';
  /** Who holds the home now; null when nobody does. */
  readonly running: () => Promise<RunningServer | null>;
  /**
   * Calls the API as the owner of the home: through the control socket when a server runs, else in this process
   * under the store's lock. @throws OlaError
   */
  readonly call: (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    options?: CallOptions,
  ) => Promise<ApiAnswer>;
  /** Runs the gateway until it is told to stop. */
  readonly startServer: (options: ServeOptions) => Promise<ExitCode>;
  readonly files: Files;
  /** Standard input to its end, at most 4 MiB. @throws OlaError */
  readonly readInput: () => Promise<string>;
  /**
   * Lets a person edit a file: VISUAL, else EDITOR, else vi.
   * @returns its exit code. @throws OlaError when it cannot be started
   */
  readonly editor: (path: string) => Promise<number>;
  /**
   * Copies the database, also while it is in use.
   * @throws OlaError
   */
  readonly backUp: (options: CopyOptions) => Promise<BackupReport>;
  /**
   * Puts a copy in the place of the database; no server may run.
   * @throws OlaError `secret_required` when the key is in the backup alone and no passphrase was given
   */
  readonly restore: (options: CopyOptions) => Promise<RestoreReport>;
  readonly now: () => number;
}
