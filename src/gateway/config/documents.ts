/** The configuration document as a whole: shown, replaced, checked. */
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Warning } from '../../core/schema.ts';
import { isSecretReference } from '../../core/secrets.ts';
import { tokenRecords } from '../access/imported-tokens.ts';
import type { Tokens } from '../access/tokens.ts';
import type { Requester } from '../records/audit.ts';
import { changedPaths, summaryOf } from './changes.ts';
import { type Config, type CurrentConfig, redactDocument } from './config.ts';
import {
  originOfSecrets,
  type ReadDocument,
  readDocument,
  refuseStrayedSecrets,
  refuseUnsafeDestinations,
  type WriteContext,
} from './read-document.ts';

export interface Documents {
  /** Secrets redacted, the hint of each credential beside it. */
  show(): { readonly document: JsonObject; readonly etag: string };
  /** @throws OlaError naming the path; then nothing is changed */
  replace(
    given: Json,
    ifMatch: string | null,
    requester: Requester,
  ): Promise<{ readonly etag: string; readonly warnings: readonly Warning[] }>;
  /** Whether it could be written now, in whatever mode. @throws OlaError as `replace` does */
  validate(given: Json): Promise<readonly Warning[]>;
}

export function createDocuments(ports: {
  readonly config: Config;
  readonly tokens: Pick<Tokens, 'unknown'>;
  readonly facts: WriteContext;
  readonly now: () => number;
}): Documents {
  const { config, tokens, facts, now } = ports;

  return {
    show: () => ({ document: showDocument(config.snapshot()), etag: config.snapshot().etag }),
    async replace(given, ifMatch, requester) {
      let warnings: readonly Warning[] = [];
      const { etag } = await config.change(requester, ifMatch, async (current) => {
        const next = await judgeDocument(given, current, facts);
        warnings = next.warnings;
        await letOthersRun();
        const paths = changedPaths(current.document, next.document);
        return {
          summary: summaryOf('config.update', paths),
          action: 'config.update',
          details: { changed: paths.slice(0, mostPaths) },
          document: next.document,
          originOf: originOfSecrets(next.document, facts),
          tokens: tokenRecords(next.tokens, now()),
        };
      });
      return { etag, warnings };
    },
    async validate(given) {
      const { tokens: brought, warnings } = await judgeDocument(given, config.snapshot(), facts);
      tokens.unknown(tokenRecords(brought, now()));
      return warnings;
    },
  };
}

/** What was sent, as it may be written over what stands. @throws OlaError naming the path */
export async function judgeDocument(given: Json, current: CurrentConfig, facts: WriteContext): Promise<ReadDocument> {
  const next = readDocument(given, current.document, facts);
  await letOthersRun();
  refuseStrayedSecrets(next.document, current, facts);
  await refuseUnsafeDestinations(next.document, facts);
  return next;
}

/** A large document takes some milliseconds a step; calls go on between the steps. */
function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** So many changed paths are named in the audit. */
const mostPaths = 50;

/** Secrets redacted, the hint of each provider's and each profile's beside it. */
export function showDocument(snapshot: CurrentConfig): JsonObject {
  const { document } = snapshot;
  const shown: Record<string, Json | undefined> = { ...redactDocument(document) };
  const beside = (section: string, fields: readonly string[]) => {
    if (isObject(shown[section])) shown[section] = hinted(shown[section] as JsonObject, document[section], fields, snapshot);
  };
  beside('providers', ['apiKey']);
  beside('authProfiles', ['key', 'token', 'access', 'refresh']);
  const { models } = shown;
  if (isObject(models) && isObject(models['providers'])) {
    const stored = isObject(document['models']) ? document['models']['providers'] : undefined;
    const inner = hinted(models['providers'] as JsonObject, stored as Json | undefined, ['apiKey'], snapshot);
    shown['models'] = { ...(models as JsonObject), providers: inner };
  }
  return shown as JsonObject;
}

/** The entries of a map, each with the hint of the first of the fields that is a stored secret. */
function hinted(shown: JsonObject, stored: Json | undefined, fields: readonly string[], { secrets }: CurrentConfig): JsonObject {
  const hinted: Record<string, Json | undefined> = {};
  for (const [id, entry] of Object.entries(shown)) {
    const source = isObject(stored) ? stored[id] : undefined;
    const held: unknown[] = fields.map((field) => (isObject(source) ? source[field] : undefined));
    const reference = held.find(isSecretReference);
    const hint = reference === undefined ? undefined : secrets.get(reference.$secret)?.hint;
    hinted[id] = hint === undefined ? entry : { ...(entry as JsonObject), hint };
  }
  return hinted as JsonObject;
}
