/** What a start warns of. */
import type { ServeOptions } from '../cli/ports.ts';
import type { Log } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type { CurrentConfig } from '../gateway/config/in-force.ts';
import type { OpenHome } from '../home/home.ts';
import { anonymousWarning, isLoopbackHost } from './anonymous.ts';

interface Start {
  readonly options: ServeOptions;
  readonly settings: Settings;
  /** Absolute path of the configuration file; null in database mode. */
  readonly configFile: string | null;
}

export function warn(parts: Start, home: OpenHome, log: Log): void {
  const { options, settings, configFile } = parts;
  for (const { path, mode } of home.fixed) {
    log.log('warn', `other users could read ${path} (mode ${mode.toString(8)}); ola has narrowed the mode`);
  }
  for (const sentence of [...home.predecessor.imported, ...home.predecessor.standing]) log.log('warn', sentence);
  if (!isLoopbackHost(options.host))
    log.log('warn', `listening on ${options.host} without TLS: tokens and prompts travel unencrypted`);
  if (settings.everyProviderLocal)
    log.log('warn', 'OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS is on: providers may be on this machine');
  if (configFile !== null && settings.databasePath === null) warnOfMovedDatabase(configFile, home, log);
  if (settings.insecureHttp) log.log('warn', 'OPEN_LLM_AUTH_ALLOW_INSECURE_EGRESS_HTTP is on: keys may travel unencrypted');
  for (const [name, token] of shortTokens(settings)) {
    log.log('warn', `${name} has ${token.length} characters and could be guessed: use 32 or more, or \`ola token create NAME\``);
  }
  for (const place of home.gateway.ownTokens()) log.log('warn', ownTokenWarning(place));
  const anonymous = anonymousWarning(home.gateway, parts);
  if (anonymous !== null) log.log('warn', anonymous);
  else if (!home.gateway.access.configured()) {
    log.log('warn', 'no access token exists, so every request is answered with 401: create one with `ola token create NAME`');
  }
}

/** @param place the name of a variable, or a path in the configuration */
function ownTokenWarning(place: string): string {
  const remedy = place.includes('.')
    ? 'put the key of the provider there'
    : 'set it only where the client starts, not where ola starts';
  return `${place} is an access token of ola, not the key of a provider, and is not sent: ${remedy}`;
}

/** Warns about a new path of the database. The open database stays in use: it holds every acknowledged write. */
function warnOfMovedDatabase(configFile: string, home: OpenHome, log: Log): void {
  const named = ({ open }: CurrentConfig) => open.durableState?.dbPath;
  let known = named(home.gateway.config.snapshot());
  home.gateway.config.onChange((snapshot) => {
    if (named(snapshot) === known) return;
    known = named(snapshot);
    log.log('warn', `durableState.dbPath in ${configFile} has changed; it takes effect at the next start`);
  });
}

/** Characters from which a chosen token is not guessed. */
const safeLength = 32;

function shortTokens({ adminToken, proxyKey }: Settings): (readonly [string, string])[] {
  const tokens = [
    ['OPEN_LLM_AUTH_TOKEN', adminToken],
    ['LLM_INTERACTIVE_PROXY_API_KEY', proxyKey],
  ] as const;
  return tokens.flatMap(([name, token]) => (token !== null && token.length < safeLength ? [[name, token] as const] : []));
}
