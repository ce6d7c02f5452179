/** Watches one file: through events of its directories, and through a slow poll for changes without an event. */
import { realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Time that the file must stay unchanged before it is read, in milliseconds: an editor writes, renames and changes modes in a row. */
const settleMs = 50;
/** Looks at a file that keeps changing before it is read all the same. */
const maxLooks = 20;
/** Time between two polls, in milliseconds: network file systems and single files mounted into a container send no events. */
const pollMs = 2000;

export interface Watch {
  stop(): void;
}

interface Watched {
  /** Device and inode of the directory: the watcher gets no events of a new directory with the old name. */
  readonly identity: string;
  close(): void;
}

/**
 * Calls back once at the start, so that no change since the caller's first reading is lost. Then it calls back whenever the
 * file is replaced, removed or restored, or its content, owner or mode changes. Links are followed, also when their target
 * changes. Each call waits until the file has been unchanged for a moment. Keeps no process alive and never throws.
 * @param changed must not throw
 */
export function watchFile(path: string, changed: () => void): Watch {
  const directories = new Map<string, Watched>();
  let known: string | null = null;
  let settling: ReturnType<typeof setTimeout> | null = null;

  function look(): void {
    if (settling !== null) return;
    const now = fingerprint(path);
    if (now !== known) settle(now, 1);
  }

  function settle(before: string, looks: number): void {
    settling = setTimeout(() => {
      settling = null;
      // Watched before the file is looked at, so that every later change sends an event.
      watchDirectories();
      const now = fingerprint(path);
      if (now !== before && looks < maxLooks) return settle(now, looks + 1);
      if (now === known) return;
      known = now;
      changed();
    }, settleMs);
    settling.unref();
  }

  function watchDirectories(): void {
    const wanted = new Map([dirname(path), dirname(targetOf(path))].map((directory) => [directory, identityOf(directory)]));
    for (const [directory, { identity }] of directories) if (wanted.get(directory) !== identity) forget(directory);
    for (const [directory, identity] of wanted) if (!directories.has(directory)) listen(directory, identity);
  }

  function listen(directory: string, identity: string): void {
    try {
      // Watches the directory instead of the file, because a rename replaces the file.
      const watcher = watch(directory, { persistent: false }, look);
      watcher.on('error', () => forget(directory));
      directories.set(directory, { identity, close: () => watcher.close() });
    } catch {
      // The directory does not exist, or the system has no more watchers: the poll still works.
    }
  }

  function forget(directory: string): void {
    directories.get(directory)?.close();
    directories.delete(directory);
  }

  watchDirectories();
  look();
  const poll = setInterval(() => {
    watchDirectories();
    look();
  }, pollMs);
  poll.unref();
  return {
    stop() {
      clearInterval(poll);
      if (settling !== null) clearTimeout(settling);
      for (const directory of directories.keys()) forget(directory);
    },
  };
}

/** A text that changes whenever the content may have changed: with every write and every new target of a link. */
function fingerprint(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode, uid } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs, mode, uid].join(' ');
  } catch {
    return 'absent';
  }
}

function identityOf(directory: string): string {
  try {
    const { dev, ino } = statSync(directory, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return 'absent';
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
