/** The configuration where it is the truth, database or file: read, checked, and changed there. */
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
import { printable } from './text.ts';
import { file } from './values.ts';

/** For every command about the configuration. */
export const configOption = file('the file that governs, when no server runs');

/** One command's way to the configuration. */
export interface Session {
  readonly ports: CliPorts;
  /** As typed; null: what governs without it. */
  readonly configFile: string | null;
  /** What is not done when it fails. */
  readonly failure: string;
}

type Request = Pick<Call, 'method' | 'path' | 'body' | 'headers'>;

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
      unsafe_destination: 'ola config show --path egressPolicy',
      precondition_failed: 'ola config history',
      not_found: 'ola config history',
    },
  });
}

export interface Governing {
  /** The file that governs, absolute; null in database mode. */
  readonly file: string | null;
  readonly database: string;
  readonly configDir: string;
  readonly configFile: string;
}

export async function whatGoverns(session: Session): Promise<Governing> {
  const { body } = await callConfig(session, { method: 'GET', path: '/config/config-file-path' });
  const { mode, database, configDir, configFile } = isObject(body) ? body : {};
  if (typeof database !== 'string' || typeof configDir !== 'string' || typeof configFile !== 'string') {
    throw unexpected(session.failure);
  }
  return { file: mode === 'file' ? configFile : null, database, configDir, configFile };
}

/** The configuration in force, secrets redacted, and its entity tag. */
export async function readConfig(session: Session): Promise<{ document: JsonObject; etag: string | null }> {
  const { body, etag } = await callConfig(session, { method: 'GET', path: '/config' });
  if (!isObject(body)) throw unexpected(session.failure);
  return { document: body as JsonObject, etag };
}

export interface Warning {
  readonly path: string;
  readonly reason: string;
}

/** What an answer says that ola does not act on. */
export function warningsOf(body: unknown): readonly Warning[] {
  const list: unknown = isObject(body) ? body['warnings'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).map(({ path, reason }) => ({ path: String(path), reason: String(reason) }));
}

export function sayWarnings({ terminal }: CliPorts, warnings: readonly Warning[]): void {
  for (const { path, reason } of warnings) terminal.err(`warning: ${printable(`${path}: ${reason}`)}\n`);
}

const ifMatch = (etag: string | null) => (etag === null ? {} : { headers: { 'if-match': etag } });

/** Stores a whole document in place of the one that has this entity tag. @throws Failure `precondition_failed` for another one */
export async function storeConfig(session: Session, document: Json, etag: string | null): Promise<readonly Warning[]> {
  const { body } = await callConfig(session, { method: 'POST', path: '/config', body: document, ...ifMatch(etag) });
  return warningsOf(body);
}

/** Checks a document and writes nothing. @throws Failure */
export async function checkConfig(session: Session, document: Json): Promise<readonly Warning[]> {
  const { body } = await callConfig(session, { method: 'POST', path: '/config/validate', body: document });
  return warningsOf(body);
}

/** Writers that come at the same moment overtake each other again and again unless each waits for another while. */
const mostRepeats = 5;
const longestPauseMs = 100;

/** @param work reads, changes and writes; repeated when another write came between */
async function repeating<T>(work: () => Promise<T>): Promise<T> {
  for (let left = mostRepeats; ; left--) {
    try {
      return await work();
    } catch (thrown) {
      if (left === 0 || !(thrown instanceof Failure) || thrown.facts.code !== 'precondition_failed') throw thrown;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * longestPauseMs));
    }
  }
}

/** Reads the configuration from the database, changes it and stores it; again when another write came between. */
export function changeStored(session: Session, change: (document: JsonObject) => JsonObject): Promise<readonly Warning[]> {
  return repeating(async () => {
    const { document, etag } = await readConfig(session);
    return storeConfig(session, change(document), etag);
  });
}

/** The text of a file. @throws Failure when there is none */
export async function readText({ ports, failure }: Pick<Session, 'ports' | 'failure'>, path: string): Promise<string> {
  const text = await ports.files.read(path);
  if (text !== null) return text;
  const why = `There is no file ${path}.`;
  throw new Failure({ code: 'not_found', what: failure, why, next: 'ola config path', exitCode: exitCodes.failure });
}

/** @param path as typed; `-`: standard input. @throws Failure when there is no such file */
export function readInputOrFile(session: Pick<Session, 'ports' | 'failure'>, path: string): Promise<string> {
  return path === '-' ? session.ports.readInput() : readText(session, path);
}

/** @param name where the text is from, for messages. @throws Failure that says what is wrong, by line and column */
export function parseDocument({ failure }: Pick<Session, 'failure'>, text: string, name: string): JsonObject {
  const invalid = (why: string) => invalidFailure(failure, `${name}: ${why}`, 'ola help config validate');
  try {
    const document = parseJsonc(text);
    // One field in two spellings is a mistake that would hide behind either of them.
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
 * Changes the text of the file that governs: checked as a whole first, then written in one step; again when another write
 * came between.
 */
export function changeFile(
  session: Session,
  path: string,
  change: (text: string, document: JsonObject) => string,
): Promise<readonly Warning[]> {
  return repeating(async () => {
    const from = await readText(session, path);
    const to = change(from, parseDocument(session, from, path));
    const warnings = await checkText(session, to, path);
    if (await session.ports.files.replace(path, { from, to })) return warnings;
    throw changedMeanwhile(session, path);
  });
}

export function changedMeanwhile({ failure }: Session, path: string): Failure {
  const why = `Something else changed ${path} meanwhile.`;
  return new Failure({ code: 'precondition_failed', what: failure, why, next: 'ola config diff', exitCode: exitCodes.failure });
}

/** Whether a text may become that of the file that governs. @throws Failure */
export async function checkText(session: Session, text: string, name: string): Promise<readonly Warning[]> {
  const document = parseDocument(session, text, name);
  const stand = placesOf(document, redacted)[0];
  if (stand !== undefined) {
    const why = `'${formatPath(stand)}' is ${redacted}, which keeps nothing in a file: write a reference like \${NAME} there.`;
    throw invalidFailure(session.failure, why, 'ola help config set');
  }
  return checkConfig(session, document);
}

/** Where a string stands in a document. */
export function placesOf(value: Json | undefined, text: string): (readonly string[])[] {
  if (value === text) return [[]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    placesOf(member as Json | undefined, text).map((rest) => [key, ...rest]),
  );
}

interface Edit {
  readonly path: Path;
  /** Undefined: taken out. */
  readonly value: Json | undefined;
}

/** What is to be set for one document to become another; what is redacted in that stays as it is. */
export function edits(from: JsonObject, to: JsonObject): Edit[] {
  return differencesOf(from, to)
    .map(({ path }) => ({ path, value: valueAt(to, path) }))
    .filter(({ path, value }) => value !== redacted || valueAt(from, path) === undefined);
}
