/** `ola config set|edit`: change one value, or the whole text in an editor. */

import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { foldNames } from '../../core/field-names.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { editJsonc, parseJsonc } from '../../core/jsonc.ts';
import { compileCheck } from '../../core/schema.ts';
import { parseReference } from '../../core/secret-references.ts';
import { mapSecrets, redacted, valueAt } from '../../core/secrets.ts';
import { askSecret } from '../ask.ts';
import { command } from '../command.ts';
import {
  changedMeanwhile,
  changeFile,
  changeStored,
  checkText,
  configLocation,
  configOption,
  parseDocument,
  readConfig,
  readText,
  type Session,
  sayWarnings,
  storeConfig,
  type Warning,
} from '../config-session.ts';
import { demoOption } from '../demo-home.ts';
import { Failure, usageFailure } from '../failure.ts';
import {
  type DocumentPath,
  formatPath,
  isSecret,
  pathToUnset,
  placeInFile,
  readDocumentPath,
  sayUnknown,
  setAt,
  spelledIn,
  unknownKey,
} from '../paths.ts';
import { type CliPorts, exitCodes } from '../ports.ts';
import { jsonText, printable, shellWord } from '../text.ts';
import { flag, json, optional, required } from '../values.ts';

const setHelp = 'ola config set --help';

export const setConfig = command({
  path: ['config', 'set'],
  onDemo: 'asked',
  summary: 'Change one value of the configuration',
  description:
    'VALUE is read as JSON when it is valid JSON (true, 8443, ["a"]), otherwise as text. A secret is never a VALUE, because other users can see arguments: ola asks for it, or reads it with --stdin. A reference to a variable may be typed. In file mode ola edits the configuration file and keeps its comments.',
  options: {
    stdin: flag('read the value from standard input', { conflicts: ['unset'] }),
    unset: flag('remove the value', { conflicts: ['stdin'] }),
    config: configOption,
    demo: demoOption,
    json,
  },
  arguments: {
    path: required('path of the value, such as providers.acme.baseUrl'),
    value: optional('the value, unless it is a secret'),
  },
  examples: [
    { command: 'ola config set defaultModel openai/gpt-4o', note: 'text' },
    { command: "ola config set egressPolicy.allowedPorts '[443,8443]'", note: 'JSON' },
    {
      command: `ola config set providers.openai.apiKey '\${OPENAI_KEY}'`,
      note: "a reference to a variable of the server's environment, quoted for the shell",
    },
    { command: 'ola config set providers.openai.apiKey --stdin', note: 'a secret from a pipe' },
    { command: 'ola config set providers.openai.enabled --unset', note: 'the default again' },
  ],
  async run({ ports }, { stdin, unset, config, json: asJson }, { path, value }) {
    const session = { ports, configFile: config, failure: 'nothing was set' };
    const place = readDocumentPath(path, setHelp);
    if (unset && value !== undefined) throw usageFailure(session.failure, '--unset takes no VALUE.', setHelp);
    const given = unset ? undefined : await valueGiven(session, place, { argument: value, stdin });
    const { file } = await configLocation(session);
    const change = (document: JsonObject, at: DocumentPath): JsonObject => changed(document, at, given, value !== undefined);
    const warnings =
      file === null
        ? await changeStored(session, (document) => change(document, place))
        : await changeFile(session, file, (text, document) => {
            const folded = foldNames(document, documentSchema) as JsonObject;
            const there = placeInFile(folded, place);
            change(folded, there);
            const at = given === undefined ? pathToUnset(folded, there.path) : there.path;
            return editJsonc(text, spelledIn(document, at), given);
          });
    report(ports, { what: `${unset ? 'unset' : 'set'} ${formatPath(place.path)}`, file, warnings, asJson });
    return exitCodes.ok;
  },
});

interface ValueSource {
  readonly argument: string | undefined;
  readonly stdin: boolean;
}

async function valueGiven({ ports, failure }: Session, place: DocumentPath, { argument, stdin }: ValueSource): Promise<Json> {
  if (stdin && argument !== undefined) throw usageFailure(failure, '--stdin takes no VALUE.', setHelp);
  const path = formatPath(place.path);
  if (stdin) return readValue((await ports.readInput()).replace(/\r?\n$/, ''), place);
  if (argument !== undefined) return readValue(argument, place);
  if (!isSecret(place)) throw usageFailure(failure, `A VALUE is needed for '${path}'.`, setHelp);
  const question = { message: `Value for ${path}`, instead: 'Use --stdin.', next: `ola config set ${shellWord(path)} --stdin` };
  return askSecret(ports.terminal.dialogue, { ...question, failure });
}

/** Reads JSON, except where the schema accepts only the text itself: a model named `1`. A secret is always text. */
function readValue(text: string, place: DocumentPath): Json {
  const { schema } = place;
  const parsed = schema?.['x-secret'] === true ? undefined : parsedOf(text);
  if (parsed === undefined) {
    const broken = schema !== null && !fits(schema, text) ? brokenJson(text, place) : null;
    if (broken !== null) throw broken;
    return text;
  }
  if (schema === null) return parsed;
  return fits(schema, text) && !fits(schema, parsed) ? text : parsed;
}

function parsedOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** An object or a list with a mistake in it is no text. @throws Failure that says where it breaks */
function brokenJson(text: string, { path }: DocumentPath): Failure | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    parseJsonc(text);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof OlaError)) throw thrown;
    return usageFailure(`'${formatPath(path)}' was not set`, thrown.message, setHelp);
  }
}

function fits(schema: NonNullable<DocumentPath['schema']>, value: Json): boolean {
  try {
    compileCheck(schema)(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param typed true when the value was an argument
 * @throws Failure for an unknown path, and for a secret that was typed
 */
function changed(document: JsonObject, place: DocumentPath, value: Json | undefined, typed: boolean): JsonObject {
  const failure = 'nothing was set';
  const unknown = unknownKey(document, place, value !== undefined);
  if (unknown !== null) throw usageFailure(failure, sayUnknown(unknown), 'ola config schema');
  if (value === undefined && valueAt(document, place.path) === undefined) {
    throw usageFailure(failure, `'${formatPath(place.path)}' is not set.`, 'ola config show');
  }
  const at = value === undefined ? pathToUnset(document, place.path) : place.path;
  const next = setAt(document, at, value, setHelp);
  if (typed) refuseTypedSecrets(next, place);
  return next;
}

/** Refuses secrets in arguments: other users see them in the list of processes, and the shell's history keeps them. */
function refuseTypedSecrets(document: JsonObject, { path }: DocumentPath): void {
  mapSecrets(document, documentSchema, (value, at) => {
    const inside = path.every((key, index) => at[index] === key);
    if (!inside || typeof value !== 'string' || value === redacted || parseReference(value) !== null) return value;
    const why = `'${formatPath(at)}' is a secret, and other users of this machine can see arguments.`;
    throw usageFailure('nothing was set', why, `ola config set ${shellWord(formatPath(path))} --stdin`);
  });
}

interface Done {
  readonly what: string;
  /** Path of the changed file; null when the database was changed. */
  readonly file: string | null;
  readonly warnings: readonly Warning[];
  readonly asJson: boolean;
}

function report(ports: CliPorts, { what, file, warnings, asJson }: Done): void {
  ports.terminal.out(
    asJson ? jsonText({ status: 'ok', file, warnings }) : `${printable(file === null ? what : `${what} in ${file}`)}\n`,
  );
  if (!asJson) sayWarnings(ports, warnings);
}

export const editConfig = command({
  path: ['config', 'edit'],
  onDemo: 'asked',
  summary: 'Edit the configuration in an editor',
  description:
    'Opens $VISUAL, else $EDITOR, else vi. Secrets are shown as [REDACTED]; leave that to keep them. If ola refuses your text, it keeps it in a file.',
  options: { config: configOption, demo: demoOption, json },
  arguments: {},
  examples: [{ command: 'ola config edit', note: 'stored when you close the editor' }],
  async run({ ports }, { config, json: asJson }) {
    const session = { ports, configFile: config, failure: 'the configuration was not changed' };
    const { file } = await configLocation(session);
    const edit = file === null ? await storedEdit(session) : await fileEdit(session, file);
    const warnings = await editWith(session, edit);
    if (warnings === null) {
      ports.terminal.out(asJson ? jsonText({ status: 'unchanged', file, warnings: [] }) : 'nothing was changed\n');
      return exitCodes.ok;
    }
    report(ports, { what: 'stored', file, warnings, asJson });
    return exitCodes.ok;
  },
});

interface Edit {
  readonly name: string;
  readonly from: string;
  /** @throws Failure when the text is refused */
  save(to: string): Promise<readonly Warning[]>;
}

async function storedEdit(session: Session): Promise<Edit> {
  const { document, etag } = await readConfig(session);
  return {
    name: 'config.json',
    from: jsonText(document),
    save: (to) => storeConfig(session, parseDocument(session, to, 'the text', 'ola config edit'), etag),
  };
}

async function fileEdit(session: Session, file: string): Promise<Edit> {
  const from = await readText(session, file);
  return {
    name: file.split('/').at(-1) ?? 'config.json',
    from,
    async save(to) {
      const warnings = await checkText(session, to, 'the text');
      if (!(await session.ports.files.replace(file, { from, to }))) throw changedMeanwhile(session, file);
      return warnings;
    },
  };
}

/** @returns null when the text was not changed. @throws Failure that names the file in which the edited text is kept */
async function editWith({ ports, failure }: Session, { name, from, save }: Edit): Promise<readonly Warning[] | null> {
  const path = await ports.files.temporary(name, from);
  let kept = false;
  try {
    const ended = await ports.editor(path);
    const to = await ports.files.read(path);
    if (to === null) throw editorFailed(failure, 'The file is gone: the editor removed it.');
    kept = to !== from;
    if (ended !== 0) throw editorFailed(failure, `The editor ended with exit code ${ended}.`);
    if (!kept) return null;
    const warnings = await save(to);
    kept = false;
    return warnings;
  } catch (thrown) {
    throw kept ? keptFailure(thrown, path) : thrown;
  } finally {
    if (!kept) await ports.files.discard(path);
  }
}

function editorFailed(what: string, why: string): Failure {
  return new Failure({ code: 'cancelled', what, why, next: 'ola config edit', exitCode: exitCodes.failure });
}

function keptFailure(thrown: unknown, path: string): unknown {
  const { code, what, why } =
    thrown instanceof Failure
      ? thrown.facts
      : {
          code: thrown instanceof OlaError ? thrown.code : 'internal_error',
          what: 'the configuration was not changed',
          why: String(thrown),
        };
  const told = `${why} Your text is kept in ${path}; delete that file when you no longer need it.`;
  // Importing the text after another change would undo that change.
  const next = code === 'precondition_failed' ? 'ola config edit' : `mend that file, then ola config import ${shellWord(path)}`;
  return new Failure({ code, what, why: told, next, exitCode: exitCodes.failure });
}
