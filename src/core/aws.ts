/** What AWS credentials come from besides the environment, as `runtime` gives it. */

export interface AwsPorts {
  /** Absolute path of the user's home directory. */
  readonly home: string;
  /**
   * The text of a file; null when there is none.
   * @throws OlaError for a file that other users can write, or that cannot be read
   */
  readText(path: string): string | null;
  /**
   * Runs a program without a shell, with the environment of this process.
   * @returns its standard output. @throws OlaError for one that does not start, fails, or says too much or too late
   */
  run(program: string, options: readonly string[]): Promise<string>;
}
