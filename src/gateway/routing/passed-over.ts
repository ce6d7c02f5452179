/** Why a credential is passed over, in words. Pure; clients read the words, so they name no path and no address. */
import type { PassedOver, PassedReason } from '../../credentials/resolve.ts';

const words: Readonly<Record<PassedReason, string>> = {
  disabled: 'is disabled',
  excluded_by_order: 'is excluded: the authOrder of its provider is empty',
  not_built:
    'is stored, but this version cannot use it yet: it uses profiles of the types api_key, token, oauth, aws-sdk and gcp without projects',
  missing_credential: 'has no secret of its type (`key`, `token` or `access`)',
  unresolved_ref: 'has a secret that cannot be read',
  expired: 'has expired',
  needs_login: 'must be signed in again: its token endpoint refuses the refresh token',
  not_needed: 'is not used: its provider has authHeader false',
  no_address: 'is sent nowhere: its provider has no address here',
  own_token: 'is an access token of ola, which is never sent to a provider',
  origin_mismatch: 'is not for the present address: origin_mismatch',
  duplicate: 'has the same secret as another credential, which is tried in its place',
  not_spoken: 'cannot be used: this version does not speak the protocol of its provider yet',
};

/** The end of a sentence that begins with the credential. */
export function wordsOf({ reason, why }: PassedOver): string {
  return why ?? words[reason];
}

/** `env:OPENAI_API_KEY` is `OPENAI_API_KEY`, the provider's own key its `apiKey`, `profile:ID` the auth profile of that id. */
export function placeOf(source: string): string {
  if (source === 'provider-config') return 'its apiKey';
  return source.replace(/^env:/, '').replace(/^profile:(.*)$/, "auth profile '$1'");
}
