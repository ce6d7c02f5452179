/** What Deno is, and what it needs of a start. */
import { readFileSync } from 'node:fs';

/** Name and version, for `ola --version`. */
export const engine = `deno ${Deno.version.deno}`;

/** Nothing is stamped into a source that is run as it lies there: the version is its manifest's. */
export const sourceVersion: string = versionOf(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

function versionOf(manifest: string): string {
  return (JSON.parse(manifest) as { version: string }).version;
}

/**
 * Nothing is started anew here: what Deno reads of the environment at its start is left to whoever runs it, as
 * `scripts/ola-deno.sh` does. Connections are made by sockets that read none of it.
 */
export function startAnew(): void {
  // It would put the first listening socket somewhere else than was asked, and say nothing.
  Deno.env.delete('DENO_SERVE_ADDRESS');
}
