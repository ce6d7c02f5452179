/** The state of each auth profile as people are shown it: usable, or not and why. Pure, without secrets. */
import { OlaError } from '../../core/errors.ts';
import type { PassedReason } from '../../credentials/resolve.ts';
import type { UsableCredential } from './named-profile.ts';
import { wordsOf } from './passed-over.ts';
import type { Registry } from './registry.ts';

export interface ProfileState {
  readonly usable: boolean;
  /** Null: it can be used. `provider_unusable`: its provider cannot be used, whatever the profile. */
  readonly reason: PassedReason | 'provider_unusable' | null;
  /** The reason in words, the end of a sentence that begins with the profile; null when it can be used. */
  readonly why: string | null;
}

const usableState: ProfileState = { usable: true, reason: null, why: null };

/** @param provider canonical */
export function profileState(id: string, provider: string, registry: Registry): ProfileState {
  if (credentialOf(id, provider, registry) !== null) return usableState;
  const source = `profile:${id}`;
  const active = registry.active.get(provider)?.passed;
  const passed = (active ?? registry.why(provider)?.passed ?? []).find((each) => each.source === source);
  if (passed !== undefined) return { usable: false, reason: passed.reason, why: wordsOf(passed) };
  const because = registry.why(provider)?.why ?? 'it takes none';
  return { usable: false, reason: 'provider_unusable', why: `cannot be used with its provider ${provider}: ${because}` };
}

/** The refusal of a profile that cannot be used. */
export function unusableProfile(id: string, { why }: ProfileState): OlaError {
  return new OlaError('conflict', `Auth profile '${id}' ${why ?? 'cannot be used now'}.`, { param: 'profile_id' });
}

/** A profile and the endpoint that its secret goes to; null when it cannot be used. */
export function credentialOf(id: string, provider: string, { active }: Registry): UsableCredential | null {
  const endpoint = active.get(provider)?.endpoints.find(({ named }) => named.has(id));
  const candidate = endpoint?.named.get(id);
  return endpoint === undefined || candidate === undefined ? null : { endpoint, candidate };
}
