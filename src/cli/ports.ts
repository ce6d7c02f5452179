/** The ports of the command line: everything that it needs of the process around it. main hands them in. */

/** Exit codes; `ola help exit-codes` prints their meanings. */
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
  /** Writes data to standard output. A closed pipe ends the program without a message. */
  out(text: string): void;
  /** Writes prompts, progress and errors to standard error. */
  err(text: string): void;
  /** True when standard output is a terminal. */
  readonly interactive: boolean;
  /** Width of standard output in columns; null when it is no terminal. */
  readonly columns: number | null;
  /** True when the terminal can show text in UTF-8. */
  readonly unicode: boolean;
  /** True when standard error is a terminal. */
  readonly watched: boolean;
  /**
   * The streams for questions: standard input and standard error, because standard output carries data. Null unless both
   * are a terminal.
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
  /** Time for running streams to finish after the first signal, in seconds. */
  readonly grace: number;
  readonly requireToken: boolean;
  /** Turns authentication off; refused unless ola listens on a loopback address. */
  readonly disableAuth: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'pretty' | 'json' | null;
  /** Whether each request is logged; null: as the configuration says. */
  readonly logRequests: boolean | null;
  /** Path of the configuration file (file mode), as typed; null in database mode. */
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
  /**
   * Path of the configuration file to work on when no server runs, as typed. A running server must use that file. Null or
   * absent: the server's configuration, or the database.
   */
  readonly configFile?: string | null;
}

/**
 * The user's files. Paths are as typed, relative to the working directory. Text is UTF-8, at most 4 MiB.
 * Each method throws OlaError with a message that names the path and the remedy.
 */
export interface Files {
  /** @returns null when nothing exists at the path */
  read(path: string): Promise<string | null>;
  /** Creates a file with mode 0600, synced to disk. @returns false when the path exists; the existing file is left unchanged */
  create(path: string, text: string): Promise<boolean>;
  /**
   * Replaces a file in one step, synced to disk. A symbolic link stays; its target is replaced. The mode is kept.
   * @returns false when the file no longer holds `from`; nothing is written then
   */
  replace(path: string, change: { readonly from: string; readonly to: string }): Promise<boolean>;
  /**
   * Creates a file with mode 0600 in a new directory that only its owner can enter.
   * @param name such as `config.json`: editors choose the language by the extension. @returns the file's absolute path
   */
  temporary(name: string, text: string): Promise<string>;
  /** Removes a file that `temporary` made, with its directory. */
  discard(path: string): Promise<void>;
}

/** Options of `ola backup` and `ola restore`. */
export interface CopyOptions {
  /** Path of the backup, as typed. */
  readonly file: string;
  /** Seals the master keys into the backup, or opens the keys in it. Null: no keys are put in, or none are opened. */
  readonly passphrase: string | null;
  /** Path of the configuration file, as typed; null when none was typed. */
  readonly configFile: string | null;
}

export interface BackupReport {
  /** Absolute path of the backup. */
  readonly file: string;
  readonly bytes: number;
  /** Number of sealed secrets in the backup. */
  readonly secrets: number;
  /** Id of the key that seals the secrets; several ids are joined by commas. */
  readonly keyId: string;
  /** Where that key is: the path of a file or the name of a variable; several are joined by `and`. */
  readonly keySource: string;
  /** True when the backup contains the key, sealed with the passphrase. */
  readonly withKey: boolean;
}

export interface RestoreReport {
  readonly home: string;
  /** Path to which the former database was moved; null when there was none. */
  readonly replaced: string | null;
  readonly secrets: number;
  /** Id of the key that opens the secrets; several ids are joined by commas. */
  readonly keyId: string;
  /** Path of the key file that was written from the backup; null when the home's own key opens the secrets. */
  readonly keyWritten: string | null;
}

/** The server process that holds the lock of the home. */
export interface RunningServer {
  readonly pid: number;
  readonly version: string;
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  /** The configuration file that the server uses; null in database mode. */
  readonly configFile: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface CliPorts {
  /** The words typed after `ola`. */
  readonly argv: readonly string[];
  readonly terminal: Terminal;
  /** `ola 0.1.0 (abc1234) bun 1.4.5 linux-x64` */
  readonly version: string;
  /** Absolute path of the home directory. */
  readonly home: string;
  /** The source of that path: `environment` when the variable OPEN_LLM_AUTH_HOME is set. */
  readonly homeFrom: 'environment' | 'default';
  /** The same over the home of the demo; null when OPEN_LLM_AUTH_HOME names the home, for the demo too. */
  readonly demo: CliPorts | null;
  /** The server that holds the home; null when no server runs. */
  readonly running: () => Promise<RunningServer | null>;
  /**
   * Calls the API as the owner of the home: through the control socket when a server runs, else in this process under the
   * lock of the home. @throws OlaError
   */
  readonly call: (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    options?: CallOptions,
  ) => Promise<ApiAnswer>;
  /** Runs the gateway until a signal stops it. */
  readonly startServer: (options: ServeOptions) => Promise<ExitCode>;
  readonly files: Files;
  /** Reads standard input to its end, at most 4 MiB. @throws OlaError */
  readonly readInput: () => Promise<string>;
  /**
   * Opens a file in the user's editor: VISUAL, else EDITOR, else vi.
   * @returns the editor's exit code. @throws OlaError when the editor cannot be started
   */
  readonly editor: (path: string) => Promise<number>;
  /** Copies the database; a server may run. @throws OlaError */
  readonly backUp: (options: CopyOptions) => Promise<BackupReport>;
  /**
   * Replaces the database by a backup; no server may run.
   * @throws OlaError `secret_required` when only the backup contains the key and no passphrase was given
   */
  readonly restore: (options: CopyOptions) => Promise<RestoreReport>;
  readonly now: () => number;
}
