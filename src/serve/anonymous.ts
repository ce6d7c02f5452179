/** Access without a token: asked for by the command line, the environment or the document, given on a loopback address alone. */
import { configFailure, type Failure } from '../cli/failure.ts';
import type { ServeOptions } from '../cli/ports.ts';
import type { Log } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type { OpenTo } from '../gateway/access/access.ts';
import type { CurrentConfig } from '../gateway/config/in-force.ts';
import type { Gateway } from '../gateway/gateway.ts';

interface Asked {
  readonly options: Pick<ServeOptions, 'host' | 'disableAuth'>;
  readonly settings: Pick<Settings, 'allowAnonymous' | 'disableAuth'>;
}

/** Spelt out: what is not known to be a loopback address is taken for one that others reach. */
const loopbackHost = /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/;

/** Whether nobody but this machine reaches what listens there. */
export function isOfThisMachine(host: string): boolean {
  return loopbackHost.test(host);
}

/**
 * Before anything is opened.
 * @throws Failure when what was asked for may not be given
 */
export function refuseOpenDoor({ options, settings }: Asked): void {
  const how = askedBy(options, settings);
  if (how !== null && !isOfThisMachine(options.host)) throw openToOthers(how, options.host);
}

/**
 * Opens the door as it is asked for, now and at each change of the document.
 * @throws Failure when the document asks for what may not be given
 */
export function attendDoor(gateway: Gateway, asked: Asked, log: Log): void {
  const { access, config } = gateway;
  const { host } = asked.options;
  const safe = isOfThisMachine(host);
  let wanted = disabledBy(config.snapshot());
  if (wanted && !safe) throw openToOthers(documentKey, host);
  access.openTo(safe ? whom(asked, wanted) : 'nobody');
  config.onChange((snapshot) => {
    if (disabledBy(snapshot) === wanted) return;
    wanted = !wanted;
    if (wanted && !safe)
      log.log('warn', `${documentKey} is not obeyed: ola listens on ${host}, which others than this machine reach`);
    if (!safe) return;
    access.openTo(whom(asked, wanted));
    const line = wordsFor(asked, wanted, gateway);
    log.log('warn', line ?? `${documentKey} is off: a token is asked for again`);
  });
}

/** The one line of a start whose door is open, or was to be; null when nothing was asked for. */
export function openDoorWarning(gateway: Gateway, asked: Asked): string | null {
  return wordsFor(asked, disabledBy(gateway.config.snapshot()), gateway);
}

function wordsFor({ options, settings }: Asked, byDocument: boolean, { access }: Gateway): string | null {
  const how = disabledHow(options, settings) ?? (byDocument ? documentKey : null);
  if (how !== null) return `authentication is off (${how}): every program and person on this machine is an admin of ola`;
  if (!settings.allowAnonymous) return null;
  return access.isOpen()
    ? `${anonymousVariable} is on: until a token is configured, every program and person on this machine is an admin of ola`
    : `${anonymousVariable} is on and opens nothing, as a token is configured: it is asked for`;
}

const documentKey = 'auth.disableAuth of the configuration';
const anonymousVariable = 'OPEN_LLM_AUTH_ALLOW_ANON';

function disabledBy({ open }: CurrentConfig): boolean {
  return open.auth?.disableAuth === true;
}

function disabledHow({ disableAuth }: Asked['options'], settings: Asked['settings']): string | null {
  if (disableAuth) return '--disable-auth';
  return settings.disableAuth ? 'DISABLE_AUTH' : null;
}

function askedBy(options: Asked['options'], settings: Asked['settings']): string | null {
  return disabledHow(options, settings) ?? (settings.allowAnonymous ? anonymousVariable : null);
}

function whom({ options, settings }: Asked, byDocument: boolean): OpenTo {
  if (byDocument || disabledHow(options, settings) !== null) return 'everybody';
  return settings.allowAnonymous ? 'newcomers' : 'nobody';
}

function openToOthers(how: string, host: string): Failure {
  return configFailure(
    'ola would be open to others than this machine',
    `${how} lets everybody in as an admin, and ${host} is not a loopback address. Listen on 127.0.0.1, or take it away and make a token.`,
    'ola token create NAME',
  );
}
