/** Providers that cannot be used: why, and what would help. Pure; clients read the help, so it names no path and no address. */
import type { CatalogProvider } from '../../core/providers.ts';
import type { PassedOver } from '../../credentials/resolve.ts';
import { placeOf, wordsOf } from './passed-over.ts';
import type { Broken } from './secret-origins.ts';

/** A provider that cannot be used, and what would help. */
export interface InactiveProvider {
  readonly id: string;
  readonly code: 'provider_disabled' | 'provider_resolution_failed';
  readonly help: string;
  /** The same for a list of providers: `MY_KEY is not set`. */
  readonly why: string;
  /** Credentials that it may not use. */
  readonly passed: readonly PassedOver[];
}

function inactive(id: string, why: string, help: string, passed: readonly PassedOver[] = []): InactiveProvider {
  return { id, code: 'provider_resolution_failed', help, why, passed };
}

export function switchedOff(id: string): InactiveProvider {
  const help = `Provider '${id}' is switched off in the configuration.`;
  return { id, code: 'provider_disabled', help, why: 'switched off', passed: [] };
}

/** A program of the host that ola does not run. */
export function refusedProgram(id: string, why: string): InactiveProvider {
  return inactive(id, 'ola does not run this program', `Provider '${id}' is not run here: ${why}`);
}

/** A program of the host is an agent with the login of its user: an administrator has to want it. */
export function programOff(id: string, name: string): InactiveProvider {
  const set = `ola config set providers.${id}.enabled true`;
  const help = `Provider '${id}' runs ${name} on this host with the login of its user, and is off until an administrator switches it on: \`${set}\`.`;
  return { id, code: 'provider_disabled', help, why: 'off until it is enabled', passed: [] };
}

export function notListed(id: string): InactiveProvider {
  const help = `Provider '${id}' is not among activeProviderIds.`;
  return { id, code: 'provider_disabled', help, why: 'not among activeProviderIds', passed: [] };
}

export function unknownProvider(id: string): InactiveProvider {
  const help = `There is no provider '${id}' here. Add it with \`PUT /config/providers/${id}\` and its baseUrl, or check the name.`;
  return inactive(id, 'it has no baseUrl', help);
}

/** A provider of the catalog whose protocols this version does not have. @param sources its credentials that are there */
export function notSpoken({ id, name }: CatalogProvider, sources: readonly string[]): InactiveProvider {
  const help = `Provider '${id}' cannot be called yet: this version does not speak ${name}'s protocol. Ask for its models at a provider that offers them over OpenAI's API.`;
  const passed = sources.map((source): PassedOver => ({ source, reason: 'not_spoken' }));
  return inactive(id, 'this version does not speak its protocol yet', help, passed);
}

export function brokenHeader(id: string, name: string, broken: Broken): InactiveProvider {
  const help = `Provider '${id}' cannot be used: its header '${name}' ${broken.long}. Send the header again with \`PUT /config/providers/${id}\`, or mend what it names.`;
  return inactive(id, `header ${name}: ${broken.short}`, help);
}

/** @param broken why the key that is configured cannot be used */
export function withoutCredential(
  id: string,
  envVars: readonly string[],
  passed: readonly PassedOver[],
  broken: Broken | null,
): InactiveProvider {
  const facts = [
    ...passedFacts(passed, 'own_token', (places) => `${places} is an access token of ola, which is never sent to a provider`),
    ...passedFacts(passed, 'origin_mismatch', (places) => `${places} is not for the present address: origin_mismatch`),
    ...profileFacts(passed),
    ...(broken === null ? [] : [`its apiKey ${broken.long}`]),
  ];
  const told = facts.length === 0 ? '' : ` (${facts.join('; ')})`;
  const help = `Provider '${id}' has no usable credential${told}. ${remedy(id, envVars, passed)}`;
  const short = [...passedFacts(passed, 'own_token', (places) => `${places} is a token of ola`), broken?.short ?? ''];
  const mismatch = passedFacts(passed, 'origin_mismatch', (places) => `${places} is not for the present address`);
  const reasons = [...short, ...mismatch, ...profileFacts(passed)];
  return inactive(id, reasons.find((each) => each !== '') ?? 'it has no key', help, passed);
}

/** Profiles whose reason is no matter of the secret itself: those of a secret are told with the secrets of other sources. */
function profileFacts(passed: readonly PassedOver[]): string[] {
  const ofSecret: readonly PassedOver['reason'][] = ['own_token', 'origin_mismatch'];
  return passed
    .filter(({ source, reason }) => source.startsWith('profile:') && !ofSecret.includes(reason))
    .map((each) => `${placeOf(each.source)} ${wordsOf(each)}`);
}

function passedFacts(passed: readonly PassedOver[], reason: PassedOver['reason'], say: (places: string) => string): string[] {
  const places = passed.filter((each) => each.reason === reason).map(({ source }) => placeOf(source));
  return places.length === 0 ? [] : [say(places.join(', '))];
}

function remedy(id: string, envVars: readonly string[], passed: readonly PassedOver[]): string {
  const [name] = envVars;
  if (!passed.some(({ reason }) => reason === 'origin_mismatch')) {
    return `Set ${name} and restart, or send its apiKey (authHeader false if it needs none) with \`PUT /config/providers/${id}\`.`;
  }
  const key = `ola config set providers.${id}.apiKey`;
  const variable = passed.find(({ source, reason }) => reason === 'origin_mismatch' && source.startsWith('env:'));
  const allowed = variable === undefined ? '' : `, or allow the variable there: \`${key} '\${${placeOf(variable.source)}}'\``;
  return `Store a key for its present address: \`${key} --stdin\`${allowed}.`;
}
