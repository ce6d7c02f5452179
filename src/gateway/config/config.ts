/** The configuration: one object that a request reads from start to end, and the writes that make the next one, in turn. */
import { OlaError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Warning } from '../../core/schema.ts';
import { type Path, valueAt } from '../../core/secrets.ts';
import type { Requester } from '../records/audit.ts';
import { recordOf, type WriteRecord } from './changes.ts';
import { createFileMode, type FileMode } from './file-mode.ts';
import { type CurrentConfig, type InForcePorts, loadInForce } from './in-force.ts';
import { isOwner, letOthersRun, nextDocument, type SectionContent } from './write-section.ts';

/** A write of one part of the configuration. */
export interface SectionWrite {
  /** Ids in it canonical; `[]` is the whole document, `['providers', 'acme']` one provider. */
  readonly path: Path;
  /** A function is asked when the writes before this one are done. */
  readonly content: SectionContent | ((current: CurrentConfig) => SectionContent | Promise<SectionContent>);
  readonly record: WriteRecord;
}

export interface Written {
  readonly snapshot: CurrentConfig;
  /** Fields that this version does not act on, and fields that were changed. */
  readonly warnings: readonly Warning[];
}

export interface Config {
  /** The file that governs, absolute; null in database mode. */
  readonly file: string | null;
  snapshot(): CurrentConfig;
  /**
   * Writes a part of the configuration. Every write is judged against what the write before it left; `If-Match` is compared in
   * that moment.
   * @throws OlaError `config_managed_by_file` in file mode, `precondition_failed`, and as `nextDocument`; then nothing is changed
   */
  writeSection(section: SectionWrite, ifMatch: string | null, requester: Requester): Promise<Written>;
  /** The listener is called with each new configuration, before the write is acknowledged. */
  onChange(listener: (config: CurrentConfig) => void): void;
  /** File mode: see `FileMode.reload`. */
  reload(text: string | null): Promise<boolean>;
  /** File mode: why the text as it stands now is not in force; null when it is. */
  problem(): string | null;
}

/** The file that governs, as it was read. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

export interface ConfigPorts extends InForcePorts {
  /** Null: the database is the truth. */
  readonly file: ConfigFile | null;
}

/** @throws OlaError in file mode when the text cannot be used, its message beginning with the file's path */
export async function loadConfig(ports: ConfigPorts): Promise<Config> {
  const { context, log } = ports;
  const file = ports.file?.path ?? null;
  const inForce = await loadInForce(file, ports);
  let fileMode: FileMode | null = null;
  if (ports.file !== null) {
    fileMode = createFileMode(ports.file.path, inForce, context, log);
    await fileMode.start(ports.file.text);
  }
  const inTurn = createTurns();

  async function write({ path, content, record }: SectionWrite, ifMatch: string | null, requester: Requester): Promise<Written> {
    const before = inForce.current();
    refuseStale(ifMatch, before.etag);
    const wanted = typeof content === 'function' ? await content(before) : content;
    const next = await nextDocument(path, wanted, before, context, isOwner(requester));
    await letOthersRun();
    await inForce.commit(next, recordOf(record, before.document, next.document), requester);
    const warnings = next.warnings.filter((warning) => isNews(warning, path, next.document, before.document));
    return { snapshot: inForce.current(), warnings };
  }

  return {
    file,
    snapshot: inForce.current,
    async writeSection(section, ifMatch, requester) {
      if (file !== null) throw managedByFile(file);
      return inTurn(() => write(section, ifMatch, requester));
    },
    onChange: inForce.onChange,
    async reload(text) {
      return fileMode === null || inTurn(() => fileMode.reload(text));
    },
    problem: () => fileMode?.problem() ?? null,
  };
}

/** A value that a write leaves as it was has been warned of when it was written. */
function isNews({ path }: Warning, part: Path, next: JsonObject, before: JsonObject): boolean {
  const place = [...part, ...path.split('.')];
  const value = valueAt(next, place);
  // Without a value there the name has a dot in it, or the warning is about what is not there.
  return value === undefined || value !== valueAt(before, place);
}

/** Runs one piece of work after the other; a failure stops no other. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

function managedByFile(file: string): OlaError {
  const message = `The configuration is managed by ${file}: change that file, it is read at once.`;
  return new OlaError('config_managed_by_file', message, { details: { file } });
}

function refuseStale(ifMatch: string | null, etag: string): void {
  if (ifMatch === null || matches(ifMatch, etag)) return;
  const message = 'The configuration has changed since it was read; read it again and repeat the change.';
  throw new OlaError('precondition_failed', message, { details: { etag } });
}

/** `If-Match`: a list of strong tags, or `*` (RFC 9110, 13.1.1). */
function matches(ifMatch: string, etag: string): boolean {
  return ifMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim() === etag);
}
