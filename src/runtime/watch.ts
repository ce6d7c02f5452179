/** Watches one file: by events of the directories that it is reached through, and by a slow poll for what events miss. */
import { realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** An event is seldom alone: an editor writes, renames and changes modes in a row. */
const settleMs = 50;
/** A file that never rests is taken as it stands after so many looks. */
const mostLooks = 20;
/** Network file systems and single files mounted into a container send no events. */
const pollMs = 2000;

export interface Watch {
  stop(): void;
}

interface Watched {
  /** A directory that was made anew under its old name sends nothing to the old watcher. */
  readonly identity: string;
  close(): void;
}

/**
 * Calls back once at the start, so that no change since the caller's own first look is lost, and then whenever the file is
 * another one, has another content, owner or mode, is gone or is back; links are followed, also when they are switched.
 * Waits until the file has rested for a moment. Keeps no process alive and never throws.
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
      // First, so that what happens from here on is an event.
      watchDirectories();
      const now = fingerprint(path);
      if (now !== before && looks < mostLooks) return settle(now, looks + 1);
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
      // The directory, not the file: a rename puts another file in its place.
      const watcher = watch(directory, { persistent: false }, look);
      watcher.on('error', () => forget(directory));
      directories.set(directory, { identity, close: () => watcher.close() });
    } catch {
      // No such directory now, or no more watchers to be had: the poll remains.
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

/** Another value whenever the file may have another content: any write and any switch of a link changes it. */
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
