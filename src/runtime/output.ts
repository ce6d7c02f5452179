/** Standard output and standard error of this process. */
import process from 'node:process';
import { isatty } from 'node:tty';
import { lazy } from '../core/lazy.ts';

export const standardOutput = output(1, () => process.stdout);

export const standardError = output(2, () => process.stderr);

/** @param open creates the stream; it is called at the first use, because not every command needs both streams */
function output(descriptor: number, open: () => NodeJS.WriteStream) {
  const stream = lazy(() => leftQuietly(open()));
  let unwritten = 0;
  return {
    get interactive(): boolean {
      return isatty(descriptor);
    },
    /** Width of the terminal in columns; null when it is none. */
    columns: (): number | null => (isatty(descriptor) ? (stream().columns ?? null) : null),
    stream,
    write(text: string): void {
      unwritten += text.length;
      stream().write(text, () => {
        unwritten -= text.length;
      });
    },
    /** Characters that the reader has not taken yet: the platform keeps them in memory, however many they are. */
    unwritten: (): number => unwritten,
  };
}

/** Ends the process without an error when a reader closes the pipe (`ola token list | head -1`). */
function leftQuietly(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
}
