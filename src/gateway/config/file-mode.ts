/** File mode: the text of the file that governs is read, compared with what is in force, and written as a revision. */
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { parseJsonc } from '../../core/jsonc.ts';
import type { Log } from '../../core/ports.ts';
import { isSecretReference, mapSecrets, valueAt } from '../../core/secrets.ts';
import type { Requester } from '../records/audit.ts';
import { changedPaths, shareEqual, summaryOf } from './changes.ts';
import { allConsents } from './consents.ts';
import { type Leniency, refuseUnsafeDestinations } from './destinations.ts';
import type { CurrentConfig, InForce } from './in-force.ts';
import { type OriginOf, originOfSecrets } from './origins.ts';
import { isReference } from './placeholders.ts';
import { readDocument } from './read-document.ts';
import type { WriteContext } from './write-section.ts';

export interface FileMode {
  /** @throws OlaError when the text cannot be used, its message beginning with the file's path */
  start(text: string): Promise<void>;
  /**
   * Takes the file's text as it stands now, null when the file is not there; a text that cannot be used leaves the last good one
   * in force.
   * @returns false when the database cannot take the text now: it is to be handed over again, though it is the same
   */
  reload(text: string | null): Promise<boolean>;
  /** Why the text as it stands now is not in force; null when it is. */
  problem(): string | null;
}

// No client waits for the answer to an edited file and could ask again: the network decides nothing here, the dial does.
const atStart: Leniency = { resolveDns: false };
const whileRunning: Leniency = { failClosed: false };

/** The author of a revision that was read from the file. */
const fileRequester: Requester = {
  principal: { subject: 'file', tokenId: null, project: null, scopes: [] },
  requestId: null,
  clientIp: null,
  userAgent: null,
};

/** @param path of the file, absolute */
export function createFileMode(path: string, inForce: InForce, context: WriteContext, log: Log): FileMode {
  let problem: string | null = null;

  /** @throws OlaError when the text cannot be used */
  async function take(text: string, leniency: Leniency): Promise<void> {
    const { document: given, warnings } = readDocument(parseJsonc(text), {}, context);
    const originOf = originOfSecrets(given, context);
    const current = inForce.current();
    const document = shareEqual(withStored(given, originOf, current), current.document);
    // A text that is in force already is not judged anew: a name that does not resolve now must not make it invalid.
    if (current.revision > 0 && document === current.document) return inForce.reopen();
    await refuseUnsafeDestinations(given, [], context, leniency);
    for (const { path: where, reason } of warnings) log.log('info', `${path}: ${where}: ${reason}`);
    const changed = changedPaths(current.document, document);
    const record = { action: 'config.update', summary: summaryOf('file', changed), details: { file: path } };
    const consents = allConsents(document, context);
    await inForce.commit({ document, originOf, consents, tokens: [], warnings }, record, fileRequester);
  }

  async function takeWhileRunning(text: string | null): Promise<void> {
    if (text === null) throw new OlaError('invalid_field', 'it is not there, or it cannot be read.');
    await take(text, whileRunning);
  }

  function say(thrown: unknown): void {
    const before = problem;
    const why = thrown instanceof OlaError ? thrown.message : 'it could not be taken over; see the log';
    problem = `${path}: ${why}`;
    if (!(thrown instanceof OlaError)) log.log('error', `${path} could not be taken over`, { cause: String(thrown) });
    if (problem !== before) log.log('error', `${problem} The configuration stays as it was.`);
  }

  return {
    async start(text) {
      try {
        await take(text, atStart);
      } catch (thrown) {
        if (!(thrown instanceof OlaError)) throw thrown;
        throw new OlaError(thrown.code, `${path}: ${thrown.message}`, { ...thrown.facts, cause: thrown });
      }
    },
    async reload(text) {
      try {
        await takeWhileRunning(text);
      } catch (thrown) {
        say(thrown);
        return !(thrown instanceof OlaError && thrown.code === 'persistence_unavailable');
      }
      if (problem !== null) log.log('info', `${path} is in force again`);
      problem = null;
      return true;
    },
    problem: () => problem,
  };
}

/** A secret in clear that equals the stored one of its place, for the same origin, is the stored one. */
function withStored(given: JsonObject, originOf: OriginOf, { document, secrets }: CurrentConfig): JsonObject {
  return mapSecrets(given, documentSchema, (value, path, kind) => {
    if (typeof value !== 'string' || isReference(value, kind, 'file')) return value;
    const stored = valueAt(document, path);
    const known = isSecretReference(stored) ? secrets.get(stored.$secret) : undefined;
    return known?.value === value && known.origin === originOf(path) ? stored : value;
  });
}
