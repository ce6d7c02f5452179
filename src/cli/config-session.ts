/** The configuration in use, read, checked and changed where it is kept: in the database or in a file. */
import { differencesOf } from '../core/diff.ts';
import { documentSchema } from '../core/document.ts';
import { OlaError } from '../core/errors.ts';
import { foldNames } from '../core/field-names.ts';
import { isObject, type Json, type JsonObject } from '../core/json.ts';
import { parseJsonc } from '../core/jsonc.ts';
import { type Path, redacted, valueAt } from '../core/secrets.ts';
import { type Call, request, unexpected } from './api.ts';
import { Failure } from './failure.ts';
import { formatPath } from './paths.ts';
import { type CliPorts, exitCodes } from './ports.ts';
import { printable, shellWord } from './text.ts';
import { file } from './values.ts';

/** `--config` of every command that works on the configuration. */
export const configOption = file('the configuration file to work on when no server is running');

/** One command's access to the configuration. */
export interface Session {
  readonly ports: CliPorts;
  /** The path typed with `--config`; null without that option. */
  readonly configFile: string | null;
  /** The `what` line of the error when the command fails. */
  readonly failure: string;
}

type Request = Pick<Call, 'method' | 'path' | 'body' | 'headers' | 'next'>;

/** @throws Failure */
export function callConfig(
  { ports, configFile, failure }: Session,
  call: Request,
): Promise<{ body: unknown; etag: string | null }> {
  return request(ports, {
    ...call,
    configFile,
    failure,
    exitCodes: {
      invalid_field: exitCodes.configInvalid,
      invalid_json: exitCodes.configInvalid,
      secret_required: exitCodes.configInvalid,
      unsafe_destination: exitCodes.configInvalid,
    },
    next: {
      invalid_field: 'ola config schema',
      invalid_json: 'ola config schema',
      secret_required: setAgain,
      unsafe_destination: 'ola config set --help',
      precondition_failed: 'ola config history',
      not_found: 'ola config history',
      ...call.next,
    },
  });
}

/** The command that sends a secret again together with the address that it is for. @param param `providers.acme.apiKey` */
function setAgain(param: string | null): string {
  const [, section, id] =
    /^(providers|authProfiles)\.(.+?)\.(?:apiKey|headers|key|token|access|refresh)\b/.exec(param ?? '') ?? [];
  if (section === undefined || id === undefined) return 'ola config set --help';
  return `ola config set ${shellWord(formatPath([section, id]))} --stdin`;
}

export interface ConfigLocation {
  /** Absolute path of the configuration file in use; null in database mode. */
  readonly file: string | null;
  readonly database: string;
  readonly configDir: string;
  readonly configFile: string;
}

export async function configLocation(session: Session): Promise<ConfigLocation> {
  const { body } = await callConfig(session, { method: 'GET', path: '/config/config-file-path' });
  const { mode, database, configDir, configFile } = isObject(body) ? body : {};
  if (typeof database !== 'string' || typeof configDir !== 'string' || typeof configFile !== 'string') {
    throw unexpected(session.failure);
  }
  return { file: mode === 'file' ? configFile : null, database, configDir, configFile };
}

/** The current configuration, secrets redacted, and its entity tag. */
export async function readConfig(session: Session): Promise<{ document: JsonObject; etag: string | null }> {
  const { body, etag } = await callConfig(session, { method: 'GET', path: '/config' });
  if (!isObject(body)) throw unexpected(session.failure);
  return { document: body as JsonObject, etag };
}

export interface Warning {
  readonly path: string;
  readonly reason: string;
}

/** The warnings of an answer: the parts of the configuration that ola does not act on. */
export function warningsOf(body: unknown): readonly Warning[] {
  const list: unknown = isObject(body) ? body['warnings'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).map(({ path, reason }) => ({ path: String(path), reason: String(reason) }));
}

export function sayWarnings({ terminal }: CliPorts, warnings: readonly Warning[]): void {
  for (const { path, reason } of warnings) terminal.err(`warning: ${printable(`${path}: ${reason}`)}\n`);
}

const ifMatch = (etag: string | null) => (etag === null ? {} : { headers: { 'if-match': etag } });

/** Replaces the stored document. @param etag of the document to replace. @throws Failure `precondition_failed` when another document is stored */
export async function storeConfig(session: Session, document: Json, etag: string | null): Promise<readonly Warning[]> {
  const { body } = await callConfig(session, { method: 'POST', path: '/config', body: document, ...ifMatch(etag) });
  return warningsOf(body);
}

/** Checks a document and writes nothing. @throws Failure */
export async function checkConfig(session: Session, document: Json): Promise<readonly Warning[]> {
  const { body } = await callConfig(session, { method: 'POST', path: '/config/validate', body: document });
  return warningsOf(body);
}

/** Repeats of a change whose document was replaced between its read and its write. */
const maxRepeats = 5;
/** Longest random pause before a repeat, in ms: writers that repeat in step would collide each time. */
const maxPauseMs = 100;

/** @param work reads, changes and writes the document; repeated when another write came between */
async function repeating<T>(work: () => Promise<T>): Promise<T> {
  for (let left = maxRepeats; ; left--) {
    try {
      return await work();
    } catch (thrown) {
      if (left === 0 || !(thrown instanceof Failure) || thrown.facts.code !== 'precondition_failed') throw thrown;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * maxPauseMs));
    }
  }
}

/** Reads the configuration from the database, changes it and stores it; repeats when another write came between. */
export function changeStored(session: Session, change: (document: JsonObject) => JsonObject): Promise<readonly Warning[]> {
  return repeating(async () => {
    const { document, etag } = await readConfig(session);
    return storeConfig(session, change(document), etag);
  });
}

/** The text of a file. @throws Failure when the file does not exist */
export async function readText({ ports, failure }: Pick<Session, 'ports' | 'failure'>, path: string): Promise<string> {
  const text = await ports.files.read(path);
  if (text !== null) return text;
  const why = `There is no file ${path}.`;
  throw new Failure({ code: 'not_found', what: failure, why, next: 'ola config path', exitCode: exitCodes.failure });
}

/** @param path as typed; `-` reads standard input. @throws Failure when there is no such file */
export function readInputOrFile(session: Pick<Session, 'ports' | 'failure'>, path: string): Promise<string> {
  return path === '-' ? session.ports.readInput() : readText(session, path);
}

/**
 * @param name of the source, for messages: a path or `the text`
 * @param next the command to run when the text is mended
 * @throws Failure with line and column of the error
 */
export function parseDocument({ failure }: Pick<Session, 'failure'>, text: string, name: string, next: string): JsonObject {
  const invalid = (why: string) => invalidFailure(failure, `${name}: ${why}`, next);
  try {
    const document = parseJsonc(text);
    // Folding refuses a field that is given in both spellings: one of the two would silently be ignored.
    foldNames(document, documentSchema);
    if (isObject(document)) return document as JsonObject;
  } catch (thrown) {
    throw thrown instanceof OlaError ? invalid(thrown.message) : thrown;
  }
  throw invalid('It is not a JSON object.');
}

export function invalidFailure(what: string, why: string, next: string): Failure {
  return new Failure({ code: 'invalid_field', what, why, next, exitCode: exitCodes.configInvalid });
}

/**
 * Changes the text of the configuration file: the new text is checked as a whole, then written in one step. Repeats when
 * another write came between.
 */
export function changeFile(
  session: Session,
  path: string,
  change: (text: string, document: JsonObject) => string,
): Promise<readonly Warning[]> {
  return repeating(async () => {
    const from = await readText(session, path);
    const before = parseDocument(session, from, path, validateFile(path));
    const to = change(from, before);
    const warnings = await checkText(session, to, path);
    const after = parseDocument(session, to, path, validateFile(path));
    if (await session.ports.files.replace(path, { from, to }))
      return warnings.filter((warning) => isNews(warning, after, before));
    throw changedMeanwhile(session, path);
  });
}

/** A value that a change leaves as it was has been warned of when it was written; the database filters its own warnings. */
function isNews({ path }: Warning, after: JsonObject, before: JsonObject): boolean {
  const [value, former] = [after, before].map((document) => valueAt(foldNames(document, documentSchema), path.split('.')));
  return value === undefined || JSON.stringify(value) !== JSON.stringify(former);
}

/** The command that checks a configuration file. */
function validateFile(path: string): string {
  return `ola config validate --config ${shellWord(path)}`;
}

export function changedMeanwhile({ failure }: Session, path: string): Failure {
  const why = `Another program changed ${path} in the meantime.`;
  return new Failure({ code: 'precondition_failed', what: failure, why, next: 'ola config diff', exitCode: exitCodes.failure });
}

/** Checks a new text of the configuration file. @throws Failure when it cannot be used */
export async function checkText(session: Session, text: string, name: string): Promise<readonly Warning[]> {
  const document = parseDocument(session, text, name, validateFile(name));
  const stand = placesOf(document, redacted)[0];
  if (stand !== undefined) {
    const why = `'${formatPath(stand)}' is ${redacted}. In a file this placeholder keeps no secret: write a reference like \${NAME} there.`;
    throw invalidFailure(session.failure, why, 'ola help config set');
  }
  return checkConfig(session, document);
}

/** The paths in a document whose value is this string. */
export function placesOf(value: Json | undefined, text: string): (readonly string[])[] {
  if (value === text) return [[]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    placesOf(member as Json | undefined, text).map((rest) => [key, ...rest]),
  );
}

interface Edit {
  readonly path: Path;
  /** Undefined removes the value. */
  readonly value: Json | undefined;
}

/** The edits that turn one document into another. A `[REDACTED]` in the target keeps the secret of the source. */
export function edits(from: JsonObject, to: JsonObject): Edit[] {
  return differencesOf(from, to)
    .map(({ path }) => ({ path, value: valueAt(to, path) }))
    .filter(({ path, value }) => value !== redacted || valueAt(from, path) === undefined);
}
