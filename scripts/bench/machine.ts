/** Owns the facts of the machine that a number needs beside it, and which cores go to whom. */
import { readFileSync, statfsSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, tmpdir } from 'node:os';
import type { Cores } from './processes.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly bun: string;
  /** Day, UTC. */
  readonly date: string;
  /** Where the gateway's home was: in memory a disk flush costs nothing. */
  readonly home: 'disk' | 'memory';
  /** The load average of the minute before: others that run beside spoil a round. */
  readonly loadBefore: number;
}

export function machineFacts(now: Date): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${platform()} ${release()} ${arch()}`,
    bun: Bun.version,
    date: now.toISOString().slice(0, 10),
    home: homeMedium(),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The magic numbers of tmpfs and ramfs (Linux, linux/magic.h). */
const memoryFilesystems: readonly number[] = [0x01021994, 0x858458f6];

function homeMedium(): Machine['home'] {
  return platform() === 'linux' && memoryFilesystems.includes(statfsSync(tmpdir()).type) ? 'memory' : 'disk';
}

export interface Placement {
  readonly gateway: Cores;
  readonly upstream: Cores;
  readonly load: Cores;
  /** How it was done, for people. */
  readonly words: string;
}

/** One core for the measured program, another for upstream and load, a third where there is one. */
export function placement(): Placement {
  const allowed = allowedCores();
  const [gateway, upstream, load] = allowed;
  if (platform() !== 'linux' || Bun.which('taskset') === null) {
    return { gateway: null, upstream: null, load: null, words: 'not pinned (no taskset): expect a wide spread' };
  }
  if (gateway === undefined || upstream === undefined) {
    return { gateway: null, upstream: null, load: null, words: 'not pinned (one core): everything competes, ratios mean little' };
  }
  const words =
    load === undefined
      ? `gateway and floor on core ${gateway}, upstream and load on core ${upstream}`
      : `gateway and floor on core ${gateway}, upstream on core ${upstream}, load on core ${load}`;
  return { gateway: String(gateway), upstream: String(upstream), load: String(load ?? upstream), words };
}

/** The cores that this process may use: in a container they need not begin at 0. */
function allowedCores(): number[] {
  if (platform() !== 'linux') return [];
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return parseCoreList(list);
}

/** `0-2,5` to `[0, 1, 2, 5]` (Linux, cpuset(7), list format). */
export function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last] = part.split('-').map(Number);
    if (part === '' || first === undefined) return [];
    return Array.from({ length: (last ?? first) - first + 1 }, (_, n) => first + n);
  });
}
