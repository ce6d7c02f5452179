/**
 * The one write path of the configuration: what becomes of any part of it. A provider that is put, switched off or deleted, a
 * whole document, a snapshot put in force, an import and a rollback are each a path and its content.
 */
import { localPrincipal } from '../../core/access.ts';
import type { Consents } from '../../core/config.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Warning } from '../../core/schema.ts';
import type { Path } from '../../core/secrets.ts';
import type { ImportedToken } from '../access/imported-tokens.ts';
import type { Requester } from '../records/audit.ts';
import type { RegistryInputs } from '../routing/registry.ts';
import { shareEqual } from './changes.ts';
import { type ConsentContext, type ConsentedDocument, consentsAfter, refuseUnconsented } from './consents.ts';
import { type DestinationContext, refuseUnsafeDestinations } from './destinations.ts';
import {
  type BoundDocument,
  type ExportedSecrets,
  type OriginOf,
  originOfSecrets,
  refuseForeignSecrets,
  refuseStrayedSecrets,
} from './origins.ts';
import { gathered, withPart } from './parts.ts';
import { type ReadContext, readPart } from './read-document.ts';
import { unreadyParts } from './unready.ts';

export interface WriteContext extends ReadContext, DestinationContext, ConsentContext, RegistryInputs {}

/** The configuration before a write. */
export interface DocumentBefore extends BoundDocument, ConsentedDocument {}

/** Whether a write comes from the owner of the machine: over the control socket, or from the file. */
export function isOwner({ principal }: Requester): boolean {
  return principal.subject === localPrincipal.subject;
}

/** What a part of the configuration is to be. */
export type SectionContent = SentContent | StoredContent | RemovedContent;

/** A value as a client sends it: read, checked, its addresses and secrets judged. */
export interface SentContent {
  readonly kind: 'sent';
  readonly value: Json;
  /** The document whose secrets `[REDACTED]` stands for; default: the configuration in force. */
  readonly kept?: JsonObject;
  /** Secrets of an export that were put in the place of `[REDACTED]`. */
  readonly exported?: ExportedSecrets;
}

/** A value that was in force once, with references: neither the rules of today nor the network are asked about it. */
export interface StoredContent {
  readonly kind: 'stored';
  readonly value: Json;
}

/** The part is taken out. */
export interface RemovedContent {
  readonly kind: 'removed';
}

/** The configuration that a write makes. */
export interface NextDocument {
  /** References where a secret stays, plain strings where one is new; parts that stay are the same objects. */
  readonly document: JsonObject;
  /** The origin that a new secret at a path is bound to. */
  readonly originOf: OriginOf;
  readonly consents: Consents;
  /** Access tokens that came with it. */
  readonly tokens: readonly ImportedToken[];
  readonly warnings: readonly Warning[];
}

/**
 * @param path ids in it canonical; `[]` is the whole document
 * @param current the configuration in force
 * @param byOwner whether the owner of the machine writes
 * @throws OlaError naming the place in what was sent
 */
export async function nextDocument(
  path: Path,
  content: SectionContent,
  current: DocumentBefore,
  context: WriteContext,
  byOwner: boolean,
): Promise<NextDocument> {
  if (content.kind === 'sent') return judgedDocument(path, content, current, context, byOwner);
  const value = content.kind === 'stored' ? content.value : undefined;
  const document = shareEqual(withPart(current.document, path, value), current.document);
  const consents = consentsAfter(document, current, byOwner, context);
  return { document, originOf: originOfSecrets(document, context), consents, tokens: [], warnings: [] };
}

async function judgedDocument(
  path: Path,
  content: SentContent,
  current: DocumentBefore,
  context: WriteContext,
  byOwner: boolean,
): Promise<NextDocument> {
  const { value: given, kept = current.document, exported } = content;
  const { value, tokens, warnings } = readPart(path, given, gathered(kept, path), context);
  const document = shareEqual(withPart(current.document, path, value), current.document);
  await letOthersRun();
  const originOf = originOfSecrets(document, context);
  refuseStrayedSecrets(document, { document: kept, secrets: current.secrets }, path, context);
  if (!byOwner) refuseUnconsented(document, current, path, context);
  if (exported !== undefined) refuseForeignSecrets(document, exported, originOf);
  await refuseUnsafeDestinations(document, path, context);
  const consents = consentsAfter(document, current, byOwner, context);
  const unready = unreadyParts({ document, secrets: current.secrets, consents }, path, context);
  return { document, originOf, consents, tokens, warnings: [...warnings, ...unready] };
}

/** A large document takes some milliseconds a step; calls go on between the steps. */
export function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
