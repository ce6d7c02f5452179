/** The endpoints and credentials that a request may use at a provider: all of them in order, or those of the auth profile that it names. Pure. */
import { OlaError } from '../../core/errors.ts';
import type { ProtocolId } from '../../core/providers.ts';
import type { Candidate } from '../../credentials/candidates.ts';
import { wordsOf } from './passed-over.ts';
import type { ActiveEndpoint, ActiveProvider } from './registry.ts';

/** A credential, and the endpoint that it goes to: an auth profile may have a base URL of its own. */
export interface UsableCredential {
  readonly endpoint: ActiveEndpoint;
  readonly candidate: Candidate;
}

/** Every credential of the provider for a protocol, in the order they are tried. */
export function usableCredentials({ endpoints }: ActiveProvider, protocol: ProtocolId): UsableCredential[] {
  const usable = endpoints
    .filter((endpoint) => endpoint.protocol === protocol)
    .flatMap((endpoint) => endpoint.candidates.map((candidate) => ({ endpoint, candidate })));
  return usable.sort((one, other) => inTurn(one.candidate, other.candidate));
}

function inTurn(one: Candidate, other: Candidate): number {
  if (one.rank !== other.rank) return one.rank - other.rank;
  return (one.profile ?? '') < (other.profile ?? '') ? -1 : 1;
}

/**
 * The auth profile that a request names. It is used alone: a request that asks for one account must not be paid by another.
 * @param name a full id or its end: `S` means exactly `PROVIDER:S`; the provider may be written under an alias
 * @throws OlaError `provider_resolution_failed` when the provider has no such profile, `conflict` (409) when the profile
 *   cannot be used, with the reason
 */
export function namedProfile(
  provider: ActiveProvider,
  name: string,
  protocol: ProtocolId,
  canonicalId: (id: string) => string,
): UsableCredential[] {
  const ids = idsOf(name, provider.id, canonicalId);
  const atAll = ids.flatMap((id) => provider.endpoints.flatMap((endpoint) => usableAt(endpoint, id)));
  const found = atAll.find(({ endpoint }) => endpoint.protocol === protocol);
  if (found !== undefined) return [found];
  const [id = name] = ids;
  if (atAll.length > 0) {
    const spoken = [...new Set(atAll.map(({ endpoint }) => endpoint.protocol))].join(', ');
    throw unusable(`Auth profile '${id}' cannot be used for this request: its address speaks ${spoken}, not ${protocol}.`);
  }
  const passed = provider.passed.find(({ source }) => ids.some((each) => source === `profile:${each}`));
  if (passed !== undefined) {
    const known = passed.source.slice('profile:'.length);
    throw unusable(
      `Auth profile '${known}' ${wordsOf(passed)}. Name another one, or none; GET /config/auth-profiles lists them.`,
    );
  }
  const shown = profileName.test(name) ? ` '${id}'` : ' of that name';
  const message = `There is no auth profile${shown} for provider '${provider.id}'. GET /config/auth-profiles lists them.`;
  throw new OlaError('provider_resolution_failed', message, { param: 'model' });
}

const profileName = /^[A-Za-z0-9._@+:/-]{1,128}$/;

function usableAt(endpoint: ActiveEndpoint, id: string): UsableCredential[] {
  const candidate = endpoint.named.get(id);
  return candidate === undefined ? [] : [{ endpoint, candidate }];
}

/** The ids that a name may mean, the first first. A model reference writes its provider before it. */
function idsOf(name: string, provider: string, canonicalId: (id: string) => string): readonly string[] {
  const colon = name.indexOf(':');
  if (colon < 0) return [`${provider}:${name}`, name];
  const end = name.slice(colon + 1);
  return canonicalId(name.slice(0, colon)) === provider ? [name, `${provider}:${end}`, end] : [name];
}

function unusable(message: string): OlaError {
  // OpenAI's SDKs send a request that got 409 again unless they are told not to.
  return new OlaError('conflict', message, { param: 'model', headers: { 'x-should-retry': 'false' } });
}
