/** `ola config show|get|path|schema|validate`: show and check the configuration. */
import { documentSchema } from '../../core/document.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { valueAt } from '../../core/secrets.ts';
import { command } from '../command.ts';
import {
  checkConfig,
  checkText,
  configLocation,
  configOption,
  parseDocument,
  readConfig,
  readInputOrFile,
  readText,
  type Session,
  sayWarnings,
  type Warning,
} from '../config-session.ts';
import { Failure } from '../failure.ts';
import { type DocumentPath, formatPath, readDocumentPath, sayUnknown, unknownKey } from '../paths.ts';
import { exitCodes } from '../ports.ts';
import { jsonText, pairs, printable, shellWord } from '../text.ts';
import { json, optional, required, text } from '../values.ts';
import { contentOf } from './exports.ts';

const pathForm =
  'A path is names separated by dots; a name that contains a dot goes in brackets: \'providers.acme.headers["x-a.b"]\'.';

export const showConfig = command({
  path: ['config', 'show'],
  onDemo: 'follows',
  summary: 'Show the current configuration, secrets redacted',
  options: { path: text('PATH', 'show only this path, written as for ola config get'), config: configOption, json },
  arguments: {},
  examples: [
    { command: 'ola config show', note: 'the whole configuration' },
    { command: 'ola config show --path providers', note: 'one section' },
  ],
  async run({ ports }, { path, config }) {
    const session = { ports, configFile: config, failure: 'the configuration was not shown' };
    const place = path === null ? null : readDocumentPath(path, 'ola config show --help');
    const { document } = await readConfig(session);
    ports.terminal.out(jsonText(place === null ? document : valueThere(document, place, session.failure)));
    return exitCodes.ok;
  },
});

export const getConfig = command({
  path: ['config', 'get'],
  onDemo: 'follows',
  summary: 'Print one value of the configuration',
  description: `A string is printed without quotes, any other value as JSON, a secret as [REDACTED]. ${pathForm}`,
  options: { config: configOption, json },
  arguments: { path: required('path of the value') },
  examples: [
    { command: 'ola config get defaultModel', note: 'for a script' },
    { command: 'ola config get egressPolicy.allowedPorts[0]', note: 'an item of a list' },
  ],
  async run({ ports }, { config, json: asJson }, { path }) {
    const session = { ports, configFile: config, failure: 'there is no value to print' };
    const place = readDocumentPath(path, 'ola config get --help');
    const value = valueThere((await readConfig(session)).document, place, session.failure);
    const { interactive } = ports.terminal;
    ports.terminal.out(typeof value === 'string' && !asJson ? `${interactive ? printable(value) : value}\n` : jsonText(value));
    return exitCodes.ok;
  },
});

/** @throws Failure that says whether the name is unknown or the value is not set */
function valueThere(document: JsonObject, place: DocumentPath, failure: string): Json {
  const value = valueAt(document, place.path);
  if (value !== undefined) return value;
  const unknown = unknownKey(document, place, false);
  const told: unknown = place.schema?.['description'];
  const why =
    unknown === null
      ? `'${formatPath(place.path)}' is not set${typeof told === 'string' ? ` (${told})` : ''}.`
      : sayUnknown(unknown);
  throw new Failure({ code: 'not_found', what: failure, why, next: 'ola config show', exitCode: exitCodes.failure });
}

export const configPath = command({
  path: ['config', 'path'],
  onDemo: 'follows',
  summary: 'Show where the configuration is kept, and why there',
  options: { config: configOption, json },
  arguments: {},
  examples: [
    { command: 'ola config path', note: 'which home, and whether it is a file or the database' },
    { command: 'ola config path --json', note: 'for scripts' },
  ],
  async run({ ports }, { config, json: asJson }) {
    const session = { ports, configFile: config, failure: 'the place of the configuration could not be read' };
    const { file, database, configDir } = await configLocation(session);
    const { home, homeFrom } = ports;
    const why = homeFrom === 'environment' ? 'OPEN_LLM_AUTH_HOME' : 'the default; OPEN_LLM_AUTH_HOME is not set';
    ports.terminal.out(
      asJson
        ? jsonText({ mode: file === null ? 'database' : 'file', home, homeFrom, configDir, database, file })
        : pairs([
            ['source', file ?? 'the database'],
            ['database', database],
            ['home', `${home} (${why})`],
          ]),
    );
    return exitCodes.ok;
  },
});

export const configSchema = command({
  path: ['config', 'schema'],
  summary: 'Print the JSON Schema of the configuration',
  description:
    'For editors that complete and check a configuration file. Annotations of ola: x-secret (a secret), x-plain (a secret that a file may hold in clear), x-later (ola keeps the value but does not act on it yet).',
  options: { json },
  arguments: {},
  examples: [{ command: 'ola config schema', note: 'redirect the output into a file for your editor' }],
  async run({ ports }) {
    const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Configuration of ola' };
    ports.terminal.out(jsonText({ ...head, ...documentSchema }));
    return exitCodes.ok;
  },
});

export const validateConfig = command({
  path: ['config', 'validate'],
  onDemo: 'follows',
  summary: 'Check a configuration without storing it',
  description:
    'FILE is JSON with comments. Without FILE the current configuration is checked; in file mode that is the present text of the configuration file. Exits with 3 when the configuration is not valid.',
  options: { config: configOption, json },
  arguments: { file: optional('the file to check; - reads standard input') },
  examples: [
    { command: 'ola config validate', note: 'the current configuration' },
    { command: 'ola config validate ola.json', note: 'before ola config import' },
    { command: 'ola config validate --config ola.json', note: 'before ola serve --config' },
  ],
  async run({ ports }, { config, json: asJson }, { file }) {
    const session = { ports, configFile: config, failure: 'the configuration is not valid' };
    const warnings = await (file === undefined ? checkInForce(session) : checkGiven(session, file));
    ports.terminal.out(asJson ? jsonText({ status: 'ok', warnings }) : 'valid\n');
    if (!asJson) sayWarnings(ports, warnings);
    return exitCodes.ok;
  },
});

async function checkGiven(session: Session, file: string): Promise<readonly Warning[]> {
  return checkConfig(
    session,
    contentOf(parseDocument(session, await readInputOrFile(session, file), file, `ola config validate ${shellWord(file)}`))
      .content,
  );
}

async function checkInForce(session: Session): Promise<readonly Warning[]> {
  const { file } = await configLocation(session);
  if (file !== null) return checkText(session, await readText(session, file), file);
  return checkConfig(session, (await readConfig(session)).document);
}
