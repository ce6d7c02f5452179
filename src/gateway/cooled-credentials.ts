/** Cooldowns as an administrator sees them, and may begin and end them: by the id of a credential. */
import type { Cooldown, CooledCredential } from '../core/cooldowns.ts';
import { OlaError } from '../core/errors.ts';
import { didYouMean, nearestNames } from '../core/nearest.ts';
import type { Candidate } from '../credentials/candidates.ts';
import type { Audit, Requester } from './records/audit.ts';
import type { Cooldowns, Credential } from './routing/cooldowns.ts';
import type { Registry } from './routing/registry.ts';

/** Times are milliseconds since 1970. */
export interface CooldownView {
  /** Unique in the list: the credential, and the model where only one cools down. */
  readonly id: string;
  readonly credential: string;
  readonly provider: string;
  readonly model: string | null;
  readonly reason: Cooldown['reason'];
  readonly since: number;
  readonly until: number;
  readonly probeAt: number;
}

export interface ForcedCooldown {
  readonly seconds: number;
  /** The upstream's id of the one model; absent: all. */
  readonly model?: string;
}

export interface CooledCredentials {
  list(): readonly CooldownView[];
  /** @throws OlaError `not_found` for a credential that no provider has */
  force(id: string, wanted: ForcedCooldown, requester: Requester): CooldownView;
  /** @returns how many cooldowns were ended. @throws OlaError `not_found` for a credential that no provider has and that does not cool down */
  clear(id: string, requester: Requester): number;
}

/** A profile by its own id, a variable as `env:NAME`, a provider's key as `provider-config:PROVIDER`. */
export function credentialId({ provider, source }: Credential): string {
  if (source.startsWith('profile:')) return source.slice('profile:'.length);
  return source.startsWith('env:') ? source : `${source}:${provider}`;
}

export function createCooledCredentials(ports: {
  readonly cooldowns: Cooldowns;
  readonly registry: () => Registry;
  readonly audit: Audit;
}): CooledCredentials {
  const { cooldowns, audit } = ports;

  function named(id: string): [Credential, ...Credential[]] {
    // One variable may be the key of several providers.
    const held = [...heldCredentials(ports.registry()).values()].map(({ credential }) => credential);
    const known = [...held, ...cooldowns.list()];
    const [first, ...others] = known.filter((credential) => credentialId(credential) === id);
    if (first !== undefined) return [first, ...others];
    const question = didYouMean(nearestNames(id, [...new Set(known.map(credentialId))], 3));
    throw new OlaError(
      'not_found',
      `No provider that can be used has a credential '${id}'.${question} GET /config/cooldowns lists those that cool down.`,
    );
  }

  return {
    list: () => cooldowns.list().map(viewOf),
    force(id, { seconds, model }, requester) {
      const [first, ...others] = named(id);
      const force = (credential: Credential) =>
        cooldowns.force({ provider: credential.provider, source: credential.source, model: model ?? null }, seconds * 1000);
      for (const other of others) force(other);
      const cooldown = force(first);
      audit.record(audit.event('cooldown.force', requester, { credential: id, model: model ?? null, seconds }));
      return viewOf(cooldown);
    },
    clear(id, requester) {
      const ended = named(id).reduce((count, credential) => count + cooldowns.clear(credential), 0);
      audit.record(audit.event('cooldown.clear', requester, { credential: id, ended }));
      return ended;
    },
  };
}

/** Credentials that have another secret than before, or are gone: what an upstream said of the old one is over. */
export function changedCredentials(before: Registry, after: Registry): Credential[] {
  const now = heldCredentials(after);
  return [...heldCredentials(before)].flatMap(([key, { credential, secrets }]) =>
    now.get(key)?.secrets === secrets ? [] : [credential],
  );
}

/** True while a credential is the one that a call was made with: what is said of an old one is not said of its successor. */
export function holdsCredential(registry: Registry, provider: string, { source, secrets }: Candidate): boolean {
  return heldCredentials(registry).get(keyOf({ provider, source }))?.secrets === secrets.join('\n');
}

interface HeldCredential {
  readonly credential: Credential;
  readonly secrets: string;
}

const keyOf = ({ provider, source }: Credential): string => `${provider}\n${source}`;

/** The credentials of providers that can be used, each once: those of calls, and profiles that are used when they are named. */
function heldCredentials({ active }: Registry): ReadonlyMap<string, HeldCredential> {
  const found = new Map<string, HeldCredential>();
  for (const { id: provider, endpoints } of active.values()) {
    for (const { candidates, named } of endpoints) {
      for (const { source, secrets } of [...candidates, ...named.values()]) {
        const credential = { provider, source };
        found.set(keyOf(credential), { credential, secrets: secrets.join('\n') });
      }
    }
  }
  return found;
}

function viewOf(cooldown: Cooldown): CooldownView {
  const { provider, model, reason, since, until, probeAt } = cooldown;
  const credential = credentialId(cooldown);
  return { id: nameOf(cooldown), credential, provider, model, reason, since, until, probeAt };
}

function nameOf(cooldown: CooledCredential): string {
  return cooldown.model === null ? credentialId(cooldown) : `${credentialId(cooldown)} ${cooldown.model}`;
}
