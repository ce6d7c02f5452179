/** Configured auth profiles and their order: listed, put, switched on and off, deleted. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Warning } from '../../core/schema.ts';
import { type Path, valueAt } from '../../core/secrets.ts';
import { profileIdOf } from '../../credentials/profiles.ts';
import type { Requester } from '../records/audit.ts';
import { configuredProviders } from '../routing/destinations.ts';
import { ordersByProvider } from '../routing/profiles.ts';
import type { ProcessProvider } from '../routing/registry.ts';
import type { Config } from './config.ts';
import type { CurrentConfig } from './in-force.ts';
import { partAt } from './parts.ts';
import { profileIdShape, providerIdShape } from './provider-rules.ts';
import { showDocument } from './shown.ts';
import type { SectionContent } from './write-section.ts';

export interface AuthProfiles {
  /** As configured, by id, secrets redacted, the hint of each beside it. */
  list(): Readonly<Record<string, JsonObject>>;
  /** @throws OlaError `invalid_request` for an id that no profile can have, `conflict` for one of a provider of this process */
  put(id: string, body: Json, ifMatch: string | null, requester: Requester): Promise<WrittenProfile>;
  /** @throws OlaError `not_found` */
  enable(id: string, isEnabled: boolean, ifMatch: string | null, requester: Requester): Promise<WrittenProfile>;
  /** Deletes a profile, and its id from every order. @throws OlaError `not_found` */
  remove(id: string, ifMatch: string | null, requester: Requester): Promise<WrittenProfile>;
  /** Profile ids in the order they are tried, by canonical provider id. */
  order(): Readonly<Record<string, readonly string[]>>;
  /** Replaces every order. */
  putOrder(body: Json, ifMatch: string | null, requester: Requester): Promise<WrittenProfile>;
}

export interface WrittenProfile {
  readonly etag: string;
  readonly warnings: readonly Warning[];
}

export interface AuthProfilesPorts {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly processProviders: readonly ProcessProvider[];
}

export function createAuthProfiles({ config, catalog, processProviders }: AuthProfilesPorts): AuthProfiles {
  async function write(
    path: Path,
    content: SectionContent | ((current: CurrentConfig) => SectionContent),
    record: { readonly action: string; readonly about: string; readonly details: Readonly<Record<string, unknown>> },
    ifMatch: string | null,
    requester: Requester,
  ): Promise<WrittenProfile> {
    const { snapshot, warnings } = await config.writeSection({ path, content, record }, ifMatch, requester);
    return { etag: snapshot.etag, warnings };
  }

  /** A secret is bound to the address of its provider: without an address it could never be sent. */
  function refuseHomeless(body: Json, document: ConfigDocument): void {
    const provider: unknown = isObject(body) ? body['provider'] : undefined;
    if (typeof provider !== 'string') return;
    const id = catalog.canonicalId(provider);
    if (processProviders.some((each) => each.id === id)) {
      throw new OlaError('conflict', `'${id}' is a provider of this process (--demo) and takes no profiles.`, {
        param: 'provider',
      });
    }
    const own: unknown = isObject(body) ? (body['baseUrl'] ?? body['base_url']) : undefined;
    const known = catalog.anyProvider(id) !== null || configuredProviders(document, catalog).get(id)?.baseUrl !== undefined;
    if (known || (own !== undefined && own !== null)) return;
    const message = `'provider' is not known here, so ola does not know where its secret may go. Add the provider first with \`PUT /config/providers/ID\`, or give the profile a baseUrl.`;
    throw new OlaError('invalid_field', message, { param: 'provider' });
  }

  return {
    list() {
      const profiles = showDocument(config.snapshot())['authProfiles'];
      return (isObject(profiles) ? profiles : {}) as Readonly<Record<string, JsonObject>>;
    },
    async put(id, body, ifMatch, requester) {
      checkProfileId(id);
      const record = { action: 'credential.update', about: id, details: { profile: id } };
      const content = ({ open }: CurrentConfig) => {
        refuseHomeless(body, open);
        return { kind: 'sent', value: body } as const;
      };
      return write(['authProfiles', id], content, record, ifMatch, requester);
    },
    async enable(id, isEnabled, ifMatch, requester) {
      checkProfileId(id);
      const action = isEnabled ? 'credential.enable' : 'credential.disable';
      const content = ({ document }: CurrentConfig) => {
        refuseUnknown(id, document);
        return { kind: 'sent', value: isEnabled } as const;
      };
      const record = { action, about: id, details: { profile: id } };
      return write(['authProfiles', id, 'enabled'], content, record, ifMatch, requester);
    },
    async remove(id, ifMatch, requester) {
      checkProfileId(id);
      const content = ({ document }: CurrentConfig) => {
        refuseUnknown(id, document);
        return { kind: 'stored', value: withoutProfile(id, document, catalog.canonicalId) } as const;
      };
      return write([], content, { action: 'credential.delete', about: id, details: { profile: id } }, ifMatch, requester);
    },
    order: () => Object.fromEntries(ordersByProvider(config.snapshot().open, catalog.canonicalId)),
    async putOrder(body, ifMatch, requester) {
      const record = { action: 'config.update', about: 'authOrder', details: { changed: ['authOrder'] } };
      const value = canonicalOrder(body, catalog.canonicalId);
      return write(['authOrder'], { kind: 'sent', value }, record, ifMatch, requester);
    },
  };
}

/** @throws OlaError `invalid_request` */
export function checkProfileId(id: string): void {
  if (profileIdShape.test(id) && id !== '__proto__') return;
  const message =
    'A profile id is 1 to 128 of A-Z, a-z, 0-9 and `._@+:/-`, with `/` only after a `:`. In a path `/` may be written `%2F`.';
  throw new OlaError('invalid_request', message, { param: 'profile_id' });
}

/** @throws OlaError `not_found` */
export function refuseUnknown(id: string, document: JsonObject): void {
  if (partAt(document, ['authProfiles', id]) !== undefined) return;
  throw new OlaError('not_found', `There is no auth profile '${id}'; GET /config/auth-profiles lists those there are.`, {
    param: 'profile_id',
  });
}

/** An order that loses its last profile goes with it: an empty one would exclude the provider's other profiles. */
function withoutProfile(id: string, document: JsonObject, canonicalId: (id: string) => string): JsonObject {
  const { [id]: removed, ...profiles } = document['authProfiles'] as JsonObject;
  const { authOrder } = document;
  const provider = valueAt(removed, ['provider']);
  if (!isObject(authOrder) || typeof provider !== 'string') return { ...document, authProfiles: profiles };
  const known = new Set([id]);
  const kept = Object.entries(authOrder as Readonly<Record<string, readonly string[]>>).flatMap(([name, ids]) => {
    if (canonicalId(name) !== canonicalId(provider)) return [[name, ids] as const];
    const left = ids.filter((each) => profileIdOf(each, canonicalId(provider), known) !== id);
    return left.length === 0 && ids.length > 0 ? [] : [[name, left] as const];
  });
  return { ...document, authProfiles: profiles, authOrder: Object.fromEntries(kept) };
}

/** @throws OlaError `invalid_field` for an id that no provider can have, and for a provider under two ids */
function canonicalOrder(body: Json, canonicalId: (id: string) => string): Json {
  if (!isObject(body)) return body;
  const renamed = new Map<string, Json>();
  for (const [name, ids] of Object.entries(body as JsonObject)) {
    const id = canonicalId(name);
    const shown = name.slice(0, 64);
    if (!providerIdShape.test(id))
      throw wrongOrder(`'${shown}' is no provider id: use 1 to 64 of a-z, 0-9, \`.\`, \`_\` and \`-\`.`);
    if (renamed.has(id)) throw wrongOrder(`'${shown}' is the provider '${id}', which is there already; leave one of them.`);
    renamed.set(id, ids ?? null);
  }
  return Object.fromEntries(renamed);
}

function wrongOrder(message: string): OlaError {
  return new OlaError('invalid_field', message, { param: 'authOrder' });
}
