/** Everything in the store that the master keys seal: secrets of the configuration, and renewed tokens of logins. */
import type { ConfigStore } from './config.ts';
import { type GrantStore, placeOfGrant } from './grants.ts';
import { placeOfSecret, type SealedAt } from './vault.ts';

export interface Sealed {
  readonly id: string;
  readonly envelope: string;
  readonly place: SealedAt;
}

export interface SealedStores {
  readonly config: Pick<ConfigStore, 'secrets'>;
  readonly grants: Pick<GrantStore, 'list'>;
}

export async function everythingSealed({ config, grants }: SealedStores): Promise<Sealed[]> {
  const secrets = (await config.secrets()).map(({ id, envelope }) => ({ id, envelope, place: placeOfSecret(id) }));
  const renewed = (await grants.list()).flatMap(({ id, envelope }) =>
    envelope === null ? [] : [{ id, envelope, place: placeOfGrant(id) }],
  );
  return [...secrets, ...renewed];
}
