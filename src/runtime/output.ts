/** Where this process writes. */
import process from 'node:process';
import { isatty } from 'node:tty';
import { lazy } from '../core/lazy.ts';

export const standardOutput = output(1, () => process.stdout);

export const standardError = output(2, () => process.stderr);

/** @param open makes the stream, which not every command needs */
function output(descriptor: number, open: () => NodeJS.WriteStream) {
  const stream = lazy(() => leftQuietly(open()));
  return {
    get interactive(): boolean {
      return isatty(descriptor);
    },
    stream,
    write: (text: string): void => void stream().write(text),
  };
}

/** A reader that has had enough (`ola token list | head -1`) is no failure. */
function leftQuietly(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
}
