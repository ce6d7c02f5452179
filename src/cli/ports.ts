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
  /** Whether a person could answer. */
  readonly answerable: boolean;
}

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly demo: boolean;
  /** Seconds that streams get to finish after the first signal. */
  readonly grace: number;
  readonly requireToken: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'pretty' | 'json' | null;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** The process that holds the home. */
export interface RunningServer {
  readonly pid: number;
  readonly version: string;
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface CliPorts {
  /** What was typed after the program's name. */
  readonly argv: readonly string[];
  readonly terminal: Terminal;
  /** `ola 0.1.0 (abc1234) bun 1.4.5 linux-x64` */
  readonly version: string;
  /** The home directory that would be used, and why. */
  readonly home: string;
  /** Who holds the home now; null when nobody does. */
  readonly running: () => Promise<RunningServer | null>;
  /**
   * Calls the API as the owner of the home: through the control socket when a server runs, else in this process
   * under the store's lock. @throws OlaError
   */
  readonly call: (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) => Promise<ApiAnswer>;
  /** Runs the gateway until it is told to stop. */
  readonly startServer: (options: ServeOptions) => Promise<ExitCode>;
  readonly now: () => number;
}
