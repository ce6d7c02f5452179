/** The configuration document as a whole: shown, replaced, checked. */
import type { Json, JsonObject } from '../../core/json.ts';
import type { Clock } from '../../core/ports.ts';
import type { Warning } from '../../core/schema.ts';
import { tokenRecords } from '../access/imported-tokens.ts';
import type { Tokens } from '../access/tokens.ts';
import type { Requester } from '../records/audit.ts';
import type { Config } from './config.ts';
import { showDocument } from './shown.ts';
import { isOwner, nextDocument, type WriteContext } from './write-section.ts';

export interface Documents {
  /** Secrets redacted, the hint of each credential beside it. */
  show(): { readonly document: JsonObject; readonly etag: string };
  /** @throws OlaError naming the path; then nothing is changed */
  replace(given: Json, ifMatch: string | null, requester: Requester): Promise<WrittenDocument>;
  /** Judges a document as `replace` does, in file mode too, and writes nothing. @throws OlaError as `replace` does */
  validate(given: Json, requester: Requester): Promise<readonly Warning[]>;
}

export interface WrittenDocument {
  readonly etag: string;
  readonly warnings: readonly Warning[];
}

export interface DocumentsPorts {
  readonly config: Config;
  readonly tokens: Pick<Tokens, 'unknown'>;
  readonly context: WriteContext;
  readonly now: Clock;
}

export function createDocuments({ config, tokens, context, now }: DocumentsPorts): Documents {
  return {
    show: () => ({ document: showDocument(config.snapshot()), etag: config.snapshot().etag }),
    async replace(given, ifMatch, requester) {
      const record = { action: 'config.update', about: null, details: {} };
      const section = { path: [], content: { kind: 'sent', value: given }, record } as const;
      const { snapshot, warnings } = await config.writeSection(section, ifMatch, requester);
      return { etag: snapshot.etag, warnings };
    },
    async validate(given, requester) {
      const next = await nextDocument([], { kind: 'sent', value: given }, config.snapshot(), context, isOwner(requester));
      tokens.unknown(tokenRecords(next.tokens, now()));
      return next.warnings;
    },
  };
}
