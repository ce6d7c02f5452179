/** The process that listens on a port, read from Linux's /proc, so that an error can name it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

const listening = '0A';

/** @returns null when the system has no /proc, or the process belongs to another user */
export function holderOfPort(port: number): PortHolder | null {
  try {
    const inodes = new Set([...socketsOn(port, '/proc/net/tcp'), ...socketsOn(port, '/proc/net/tcp6')]);
    if (inodes.size === 0) return null;
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holdsAny(name, inodes));
    if (pid === undefined) return null;
    const command = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    return { pid: Number(pid), command };
  } catch {
    return null;
  }
}

/** Inodes of the sockets that listen on a port (proc(5), /proc/net/tcp: local address, state, inode). */
function socketsOn(port: number, table: string): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync(table, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${wanted}`) === true && columns[3] === listening)
    .map((columns) => columns[9] ?? '');
}

function holdsAny(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const socket = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
      return socket?.[1] !== undefined && inodes.has(socket[1]);
    });
  } catch {
    return false;
  }
}
