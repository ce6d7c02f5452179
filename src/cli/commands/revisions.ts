/** `ola config history|diff|rollback`: earlier revisions of the configuration, and the way back to them. */
import { documentSchema } from '../../core/document.ts';
import { foldNames } from '../../core/field-names.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { editJsonc } from '../../core/jsonc.ts';
import { redacted } from '../../core/secrets.ts';
import { listAll, unexpected } from '../api.ts';
import { command } from '../command.ts';
import {
  callConfig,
  changeFile,
  configLocation,
  configOption,
  edits,
  placesOf,
  readConfig,
  type Session,
  sayWarnings,
  type Warning,
  warningsOf,
} from '../config-session.ts';
import { demoOption } from '../demo-home.ts';
import { Failure } from '../failure.ts';
import { placeInFile, spelledIn } from '../paths.ts';
import { exitCodes } from '../ports.ts';
import { fromNow, jsonText, printable, table } from '../text.ts';
import { json, optionalRevision } from '../values.ts';

const path = '/config/revisions';

interface Revision {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly actor: string;
  readonly summary: string;
}

function readRevision(value: unknown, failure: string): Revision {
  const { number, at, actor, summary } = isObject(value) ? value : {};
  const moment = Date.parse(String(at));
  if (typeof number !== 'number' || Number.isNaN(moment)) throw unexpected(failure);
  return { number, at: moment, actor: String(actor), summary: String(summary) };
}

/** Newest first. */
async function revisionsOf({ ports, configFile, failure }: Session): Promise<readonly unknown[]> {
  return listAll(ports, path, failure, { configFile });
}

export const configHistory = command({
  path: ['config', 'history'],
  onDemo: 'follows',
  summary: 'List the revisions of the configuration, newest first',
  description: 'The database and each configuration file have their own history. ola keeps 50 revisions of each.',
  options: { config: configOption, json },
  arguments: {},
  examples: [
    { command: 'ola config history', note: 'who changed what, and when' },
    { command: 'ola config history --json', note: 'for scripts' },
  ],
  async run({ ports }, { config, json: asJson }) {
    const session = { ports, configFile: config, failure: 'the history could not be read' };
    const data = await revisionsOf(session);
    if (asJson) {
      ports.terminal.out(jsonText({ object: 'list', data, hasMore: false, nextCursor: null }));
      return exitCodes.ok;
    }
    if (data.length === 0) {
      ports.terminal.err('No revisions: nothing has been configured yet.\nnext: ola config set --help\n');
      return exitCodes.ok;
    }
    const rows = data
      .map((item) => readRevision(item, session.failure))
      .map(({ number, at, actor, summary }) => [String(number), fromNow(at, ports.now()), actor, summary]);
    ports.terminal.out(table(['NUMBER', 'WHEN', 'WHO', 'WHAT'], rows, 'WHAT'));
    return exitCodes.ok;
  },
});

export const configDiff = command({
  path: ['config', 'diff'],
  onDemo: 'follows',
  summary: 'Show the differences between two revisions',
  description: 'Each line begins with + (added), - (removed) or ~ (changed). Secrets are shown as [REDACTED].',
  options: { config: configOption, json },
  arguments: {
    from: optionalRevision('number of a revision (default: the one before the newest)'),
    to: optionalRevision('number of another revision (default: the newest)'),
  },
  examples: [
    { command: 'ola config diff', note: 'the newest change' },
    { command: 'ola config diff 1 2', note: 'from revision 1 to revision 2' },
  ],
  async run({ ports }, { config, json: asJson }, { from, to }) {
    const session = { ports, configFile: config, failure: 'nothing was compared' };
    const diff = await diffOf(session, from ?? (await beforeNewest(session)), to);
    ports.terminal.out(asJson ? jsonText(diff.body) : diff.changes.map(line).join(''));
    if (!asJson && diff.changes.length === 0) ports.terminal.err('No difference.\n');
    return exitCodes.ok;
  },
});

/** The newest revision and the one before it. Revision 0, the empty configuration, comes before the first revision of the database. @throws Failure when there is no revision */
async function lastTwo(session: Session): Promise<{ newest: number; before: number | null }> {
  const [newest, before] = (await revisionsOf(session)).slice(0, 2).map((item) => readRevision(item, session.failure));
  if (newest === undefined) {
    throw noRevision(session, 'There are no revisions: nothing has been configured yet.', 'ola config set --help');
  }
  if (before !== undefined) return { newest: newest.number, before: before.number };
  const { file } = await configLocation(session);
  return { newest: newest.number, before: file === null ? 0 : null };
}

/** @throws Failure when there is only one revision */
async function beforeNewest(session: Session): Promise<number> {
  const { before } = await lastTwo(session);
  if (before === null) throw noRevision(session, 'There is no revision before the newest one.');
  return before;
}

function noRevision({ failure }: Session, why: string, next = 'ola config history'): Failure {
  return new Failure({ code: 'not_found', what: failure, why, next, exitCode: exitCodes.failure });
}

interface Change {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** @param to undefined for the newest revision */
async function diffOf(
  session: Session,
  from: number,
  to: number | undefined,
): Promise<{ body: unknown; changes: readonly Change[] }> {
  const query = to === undefined ? '' : `?to=${to}`;
  const { body } = await callConfig(session, { method: 'GET', path: `${path}/${from}/diff${query}` });
  const list: unknown = isObject(body) ? body['changes'] : undefined;
  if (!Array.isArray(list)) throw unexpected(session.failure);
  return { body, changes: list.map((item: unknown) => readChange(item, session.failure)) };
}

function readChange(value: unknown, failure: string): Change {
  const { path: at, change, before, after } = isObject(value) ? value : {};
  if (typeof at !== 'string') throw unexpected(failure);
  if (change !== 'added' && change !== 'removed' && change !== 'changed') throw unexpected(failure);
  return { path: at, change, before: before as Json | undefined, after: after as Json | undefined };
}

function line({ path: at, change, before, after }: Change): string {
  const [old, fresh] = [before, after].map((value) => printable(JSON.stringify(value) ?? ''));
  const name = printable(at);
  if (change === 'added') return `+ ${name}: ${fresh}\n`;
  return change === 'removed' ? `- ${name}: ${old}\n` : `~ ${name}: ${old} -> ${fresh}\n`;
}

export const rollbackConfig = command({
  path: ['config', 'rollback'],
  onDemo: 'asked',
  summary: 'Go back to an earlier revision of the configuration',
  description:
    'Creates a new revision with the old values, secrets included. A rollback can therefore be undone by another rollback. Without NUMBER the newest change is undone.',
  options: { config: configOption, demo: demoOption, json },
  arguments: { number: optionalRevision('the revision to go back to (default: the one before the newest)') },
  examples: [
    { command: 'ola config rollback', note: 'undo the newest change' },
    { command: 'ola config rollback 1', note: 'go back to a revision that ola config history shows' },
  ],
  async run({ ports }, { config, json: asJson }, { number }) {
    const session = { ports, configFile: config, failure: 'nothing was rolled back' };
    const { file } = await configLocation(session);
    const { etag } = await readConfig(session);
    const { newest } = await lastTwo(session);
    const to = number ?? (await beforeNewest(session));
    const { changes } = await diffOf(session, newest, to);
    if (changes.length === 0) {
      ports.terminal.out(
        asJson
          ? jsonText({ status: 'unchanged', to, undo: null, changes, warnings: [] })
          : `revision ${to} is in force already\n`,
      );
      return exitCodes.ok;
    }
    const warnings =
      file === null ? await rollBackStored(session, to, etag) : await rollBackFile(session, file, { newest, to, changes });
    if (asJson) ports.terminal.out(jsonText({ status: 'ok', to, undo: newest, changes, warnings }));
    else
      ports.terminal.out(
        `rolled back to revision ${to}${file === null ? '' : ` in ${printable(file)}`}\n${changes.map(line).join('')}`,
      );
    if (!asJson) sayWarnings(ports, warnings);
    if (!asJson) ports.terminal.err(`undo: ola config rollback ${newest}\n`);
    return exitCodes.ok;
  },
});

async function rollBackStored(session: Session, to: number, etag: string | null): Promise<readonly Warning[]> {
  const headers = etag === null ? {} : { 'if-match': etag };
  const { body } = await callConfig(session, { method: 'POST', path: `${path}/${to}/rollback`, body: {}, headers });
  return warningsOf(body);
}

interface Rollback {
  readonly newest: number;
  readonly to: number;
  readonly changes: readonly Change[];
}

/** Writes the old values into the configuration file. @throws Failure when one of them is a secret in clear: answers show those as `[REDACTED]` */
async function rollBackFile(session: Session, file: string, { newest, to, changes }: Rollback): Promise<readonly Warning[]> {
  const hidden = changes.find(({ after }) => placesOf(after, redacted).length > 0);
  if (hidden !== undefined) {
    const why = `'${hidden.path}' was a secret in clear, and ola does not write secrets into ${file}. Set it there yourself.`;
    throw new Failure({
      code: 'secret_required',
      what: session.failure,
      why,
      next: 'ola config edit',
      exitCode: exitCodes.failure,
    });
  }
  const apart = edits(await documentOf(session, newest), await documentOf(session, to));
  return changeFile(session, file, (text, document) => {
    const folded = foldNames(document, documentSchema) as JsonObject;
    return apart.reduce((edited, { path: at, value }) => {
      const there = placeInFile(folded, { path: at, schema: null });
      return editJsonc(edited, spelledIn(document, there.path), value);
    }, text);
  });
}

async function documentOf(session: Session, number: number): Promise<JsonObject> {
  const { body } = await callConfig(session, { method: 'GET', path: `${path}/${number}` });
  const document = isObject(body) ? body['document'] : undefined;
  if (!isObject(document)) throw unexpected(session.failure);
  return document as JsonObject;
}
