/** Anonymous access: an option, a variable or the configuration turns it on. ola allows it on a loopback address only. */
import { configFailure, type Failure } from '../cli/failure.ts';
import type { ServeOptions } from '../cli/ports.ts';
import type { Log } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type { AnonymousAccess } from '../gateway/access/access.ts';
import type { CurrentConfig } from '../gateway/config/in-force.ts';
import type { Gateway } from '../gateway/gateway.ts';

interface AnonymousOptions {
  readonly options: Pick<ServeOptions, 'host' | 'disableAuth'>;
  readonly settings: Pick<Settings, 'allowAnonymous' | 'disableAuth'>;
}

/** The loopback addresses. Every other host counts as one that other machines reach. */
const loopbackHost = /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/;

/** True when only this machine reaches a listener on this host. */
export function isLoopbackHost(host: string): boolean {
  return loopbackHost.test(host);
}

/**
 * Checks the command line and the environment before the home is opened.
 * @throws Failure when they turn anonymous access on for other machines
 */
export function refuseUnsafeAnonymous({ options, settings }: AnonymousOptions): void {
  const how = turnedOnBy(options, settings);
  if (how !== null && !isLoopbackHost(options.host)) throw openToOthers(how, options.host);
}

/**
 * Turns anonymous access on or off, now and at each change of the configuration.
 * @throws Failure when the configuration turns it on for other machines
 */
export function applyAnonymous(gateway: Gateway, asked: AnonymousOptions, log: Log): void {
  const { access, config } = gateway;
  const { host } = asked.options;
  const safe = isLoopbackHost(host);
  let wanted = disabledBy(config.snapshot());
  if (wanted && !safe) throw openToOthers(documentKey, host);
  access.allowAnonymous(safe ? modeOf(asked, wanted) : 'never');
  config.onChange((snapshot) => {
    if (disabledBy(snapshot) === wanted) return;
    wanted = !wanted;
    if (wanted && !safe) log.log('warn', `${documentKey} is ignored: ola listens on ${host}, which other machines can reach`);
    if (!safe) return;
    access.allowAnonymous(modeOf(asked, wanted));
    const line = warningFor(asked, wanted, gateway);
    log.log('warn', line ?? `${documentKey} is off: requests need a token again`);
  });
}

/** The warning about anonymous access at the start; null when it is not turned on. */
export function anonymousWarning(gateway: Gateway, asked: AnonymousOptions): string | null {
  return warningFor(asked, disabledBy(gateway.config.snapshot()), gateway);
}

function warningFor({ options, settings }: AnonymousOptions, byDocument: boolean, { access }: Gateway): string | null {
  const how = disabledHow(options, settings) ?? (byDocument ? documentKey : null);
  if (how !== null) return `authentication is off (${how}): every program and person on this machine is an admin of ola`;
  if (!settings.allowAnonymous) return null;
  return access.isOpen()
    ? `${anonymousVariable} is on: until a token is configured, every program and person on this machine is an admin of ola`
    : `${anonymousVariable} is on but has no effect: a token is configured, so requests need one`;
}

const documentKey = 'auth.disableAuth in the configuration';
const anonymousVariable = 'OPEN_LLM_AUTH_ALLOW_ANON';

function disabledBy({ open }: CurrentConfig): boolean {
  return open.auth?.disableAuth === true;
}

function disabledHow({ disableAuth }: AnonymousOptions['options'], settings: AnonymousOptions['settings']): string | null {
  if (disableAuth) return '--disable-auth';
  return settings.disableAuth ? 'DISABLE_AUTH' : null;
}

function turnedOnBy(options: AnonymousOptions['options'], settings: AnonymousOptions['settings']): string | null {
  return disabledHow(options, settings) ?? (settings.allowAnonymous ? anonymousVariable : null);
}

function modeOf({ options, settings }: AnonymousOptions, byDocument: boolean): AnonymousAccess {
  if (byDocument || disabledHow(options, settings) !== null) return 'always';
  return settings.allowAnonymous ? 'until first token' : 'never';
}

function openToOthers(how: string, host: string): Failure {
  return configFailure(
    'ola would be open to other machines',
    `${how} makes every caller an admin, and ${host} is not a loopback address. Listen on 127.0.0.1, or turn it off and create a token.`,
    'ola token create NAME',
  );
}
