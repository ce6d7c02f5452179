/** `ola config export|import`: the whole configuration as a file; with secrets only when a passphrase seals them. */
import { documentSchema } from '../../core/document.ts';
import { foldNames } from '../../core/field-names.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import { editJsonc } from '../../core/jsonc.ts';
import { unexpected } from '../api.ts';
import { command } from '../command.ts';
import {
  callConfig,
  changeFile,
  configLocation,
  configOption,
  edits,
  parseDocument,
  readInputOrFile,
  type Session,
  sayWarnings,
  type Warning,
  warningsOf,
} from '../config-session.ts';
import { demoOption } from '../demo-home.ts';
import { Failure, usageFailure } from '../failure.ts';
import { passphraseOption, readPassphrase } from '../passphrase.ts';
import { spelledIn } from '../paths.ts';
import { exitCodes } from '../ports.ts';
import { jsonText, printable, shellWord } from '../text.ts';
import { flag, json, optional, required } from '../values.ts';

/** The contents of an exported file: a document, and its sealed secrets when it was exported with them. */
export interface Exported {
  readonly content: JsonObject;
  /** Null when the file is a plain document. */
  readonly sealed: JsonObject | null;
}

/** Value of `format` in an export with secrets; a plain document has none. */
const exportFormat = 'ola-export';

export function contentOf(document: JsonObject): Exported {
  const { format, content, sealed } = document;
  if (format !== exportFormat || !isObject(content) || !isObject(sealed)) return { content: document, sealed: null };
  return { content: content as JsonObject, sealed: sealed as JsonObject };
}

export const exportConfig = command({
  path: ['config', 'export'],
  onDemo: 'follows',
  summary: 'Export the configuration for another machine',
  description:
    'Secrets are exported as [REDACTED]; --with-secrets exports them encrypted with a passphrase. FILE must not exist; only its owner can read it.',
  options: {
    withSecrets: flag('add the secrets, encrypted with a passphrase'),
    passphraseFile: passphraseOption,
    config: configOption,
    json,
  },
  arguments: { file: optional('the file to create (default: standard output)') },
  examples: [
    { command: 'ola config export', note: 'to standard output, without secrets' },
    { command: 'ola config export move.json --with-secrets --passphrase-file words.txt', note: 'to a file, with secrets' },
  ],
  async run({ ports }, { withSecrets, passphraseFile, config, json: asJson }, { file }) {
    const session = { ports, configFile: config, failure: 'nothing was exported' };
    const next = 'ola config export --help';
    if (passphraseFile !== null && !withSecrets) {
      throw usageFailure(session.failure, '--passphrase-file is for --with-secrets.', next);
    }
    const wanted = { file: passphraseFile, of: 'the secrets in the export', isNew: true, next: `${next}` };
    const body = withSecrets ? { passphrase: await readPassphrase(session, wanted) } : {};
    const answer = await callConfig(session, { method: 'POST', path: '/config/export', body });
    const { content, sealed, missing } = isObject(answer.body) ? answer.body : {};
    if (!isObject(content) || !Array.isArray(missing) || (withSecrets && !isObject(sealed))) throw unexpected(session.failure);
    const text = jsonText(withSecrets ? { format: exportFormat, content, sealed } : content);
    if (file === undefined) ports.terminal.out(text);
    else await createFile(session, file, text);
    if (file !== undefined)
      ports.terminal.out(asJson ? jsonText({ status: 'ok', file, missing }) : `exported to ${printable(file)}\n`);
    if (!asJson && missing.length > 0) ports.terminal.err(sayMissing(missing));
    return exitCodes.ok;
  },
});

async function createFile({ ports, failure }: Session, file: string, text: string): Promise<void> {
  if (await ports.files.create(file, text)) return;
  const why = `${file} exists already, and ola does not overwrite it.`;
  throw new Failure({ code: 'conflict', what: failure, why, next: 'ola config export --help', exitCode: exitCodes.failure });
}

function sayMissing(missing: readonly unknown[]): string {
  const places = missing.map((path) => `  ${printable(String(path))}\n`).join('');
  return `Secrets that are not in the export:\n${places}next: ola config export FILE --with-secrets\n`;
}

export const importConfig = command({
  path: ['config', 'import'],
  onDemo: 'asked',
  summary: 'Replace the configuration with the one in a file',
  description:
    'FILE is JSON with comments, or an export of ola config export. [REDACTED] keeps the secret that is stored at the same path. In file mode ola edits the configuration file and keeps its comments.',
  options: { passphraseFile: passphraseOption, config: configOption, demo: demoOption, json },
  arguments: { file: required('the file to import; - reads standard input') },
  examples: [
    { command: 'ola config import ola.json', note: 'stored only when all of it is valid' },
    { command: 'ola config import moved.json --passphrase-file words.txt', note: 'an export with secrets' },
  ],
  async run({ ports }, { passphraseFile, config, json: asJson }, { file }) {
    const session = { ports, configFile: config, failure: 'nothing was imported' };
    const exported = contentOf(
      parseDocument(session, await readInputOrFile(session, file), file, `ola config validate ${shellWord(file)}`),
    );
    const { file: current } = await configLocation(session);
    const warnings =
      current === null
        ? await importStored(session, exported, { passphraseFile, file })
        : await importIntoFile(session, exported, current);
    ports.terminal.out(
      asJson
        ? jsonText({ status: 'ok', file: current, warnings })
        : `imported ${printable(current === null ? file : `${file} into ${current}`)}\n`,
    );
    if (!asJson) sayWarnings(ports, warnings);
    return exitCodes.ok;
  },
});

async function importStored(
  session: Session,
  { content, sealed }: Exported,
  { passphraseFile, file }: { readonly passphraseFile: string | null; readonly file: string },
): Promise<readonly Warning[]> {
  const next = 'ola config import --help';
  if (sealed === null && passphraseFile !== null) {
    throw usageFailure(session.failure, '--passphrase-file is for an export with secrets; this file has none.', next);
  }
  const wanted = { file: passphraseFile, of: 'the secrets in the export', isNew: false, next };
  const secrets = sealed === null ? {} : { sealed, passphrase: await readPassphrase(session, wanted) };
  const again = `ola config import ${shellWord(file)}`;
  const wrong = { invalid_field: (param: string | null) => (param === 'passphrase' ? again : 'ola config schema') };
  const { body } = await callConfig(session, {
    method: 'POST',
    path: '/config/import',
    body: { content, ...secrets },
    next: wrong,
  });
  return warningsOf(body);
}

function importIntoFile(session: Session, { content, sealed }: Exported, current: string): Promise<readonly Warning[]> {
  if (sealed !== null) {
    const why = `The configuration is the file ${current}, and ola does not write secrets into a file. Export without secrets, then set references like \${NAME}.`;
    throw usageFailure(session.failure, why, 'ola config export --help');
  }
  const to = foldNames(content, documentSchema) as JsonObject;
  return changeFile(session, current, (text, document) =>
    edits(foldNames(document, documentSchema) as JsonObject, to).reduce(
      (edited, { path, value }) => editJsonc(edited, spelledIn(document, path), value),
      text,
    ),
  );
}
