/** Secrets in a real database, their keys in a real file, and the rotation over both. */
import { join } from 'node:path';
import type { ConfigStore } from '../../../src/core/config.ts';
import type { Store } from '../../../src/core/store.ts';
import { type KeySource, placeOfSecret, type SealedSecret, type Vault } from '../../../src/core/vault.ts';
import { createVault, parseKeys } from '../../../src/credentials/vault.ts';
import { createKeys, type Keys } from '../../../src/gateway/config/master-keys.ts';
import { createAudit } from '../../../src/gateway/records/audit.ts';
import { type KeyPlaces, keySource, loadKeyRing } from '../../../src/runtime/keys.ts';
import { openSqlite } from '../../../src/runtime/sqlite.ts';
import { openStore } from '../../../src/store/open.ts';
import { auditEvent } from '../../contract/store.ts';

export interface KeyScene {
  readonly keys: Keys;
  readonly vault: Vault;
  readonly source: KeySource;
  readonly store: Store;
  /** Stores so many secrets, in a revision that names them; the text of each is `secret-<id>`. */
  fill(count: number, prefix?: string, sealing?: Vault): Promise<void>;
  close(): Promise<void>;
}

type Steps = KeyPorts['store'];
type KeyPorts = Parameters<typeof createKeys>[0];

/** @param between stands between the rotation and what it does, for a test to break in */
export function openKeys(
  path: string,
  env: KeyPlaces['env'] = {},
  between: (ports: { store: Steps; source: KeySource }) => { store: Steps; source: KeySource } = (ports) => ports,
): KeyScene {
  const places = { home: path, env, parse: parseKeys };
  const store = openStore({ database: openSqlite(join(path, 'state.sqlite3')), now: () => 1, backUp: () => undefined });
  const vault = createVault(loadKeyRing({ ...places, secretsExist: false }));
  const source = keySource(places);
  const audit = createAudit({ store: store.audit, now: () => 1, log: { log: () => undefined } });
  return {
    keys: createKeys({ vault, audit, ...between({ store, source }) }),
    vault,
    source,
    store,
    fill: (count, prefix = 's', sealing = vault) => fill(store.config, sealing, count, prefix),
    async close() {
      await audit.flush();
      store.close();
    },
  };
}

async function fill(store: ConfigStore, vault: Vault, count: number, prefix: string): Promise<void> {
  const ids = Array.from({ length: count }, (_, n) => `${prefix}${n}`);
  const secrets = ids.map(
    (id): SealedSecret => ({
      id,
      origin: null,
      hint: '****',
      envelope: vault.seal(`secret-${id}`, placeOfSecret(id)),
      createdAt: 1,
    }),
  );
  const number = (await store.newest()) + 1;
  const before = (await store.current(null))?.document ?? {};
  const document = { ...before, ...Object.fromEntries(ids.map((id) => [id, { $secret: id }])) };
  const revision = { number, at: 1, actor: 'local', summary: 'test', document, file: null, consents: {} };
  await store.write({ revision, secrets, tokens: [], event: auditEvent('config.update') });
}

/** What the next start would see: which keys the files have, and which secrets they do not open. */
export async function atNextStart(
  path: string,
  env: KeyPlaces['env'] = {},
): Promise<{ keyIds: string[]; retired: string[]; lost: string[]; sealedBy: (string | null)[] }> {
  const places = { home: path, env, parse: parseKeys };
  const source = keySource(places);
  const vault = createVault(loadKeyRing({ ...places, secretsExist: true }));
  const store = openStore({ database: openSqlite(join(path, 'state.sqlite3')), now: () => 1, backUp: () => undefined });
  const secrets = await store.config.secrets();
  store.close();
  return {
    keyIds: source.read().map(({ id }) => id),
    retired: source.retired?.read().map(({ id }) => id) ?? [],
    lost: secrets.filter((secret) => !opens(vault, secret)).map(({ id }) => id),
    sealedBy: [...new Set(secrets.map(({ envelope }) => vault.sealedBy(envelope)))],
  };
}

function opens(vault: Vault, { id, envelope }: SealedSecret): boolean {
  try {
    return vault.open(envelope, placeOfSecret(id)) === `secret-${id}`;
  } catch {
    return false;
  }
}
