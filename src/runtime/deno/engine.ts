/** Deno's name and version, and what a start under Deno has to do. */
import { readFileSync } from 'node:fs';

/** Name and version, for `ola --version`. */
export const engine = `deno ${Deno.version.deno}`;

/** The version in package.json: Deno runs the source, which has no version set by a build. */
export const sourceVersion: string = versionOf(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

function versionOf(manifest: string): string {
  return (JSON.parse(manifest) as { version: string }).version;
}

/**
 * Restarts nothing. `scripts/ola-deno.sh` removes the variables that Deno reads at its start; a program that starts ola in
 * another way must do the same. Our connections are sockets, which read no variables.
 */
export function startAnew(): void {
  // This variable would silently move the first listening socket to another address.
  Deno.env.delete('DENO_SERVE_ADDRESS');
}
