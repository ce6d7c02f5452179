/**
 * Writes docs/protocols.md from the table of protocols: `node scripts/bootstrap.mjs run scripts/protocols-doc.ts`.
 * The page begins with scripts/protocols-head.md; its tables come from the lists of fates in each protocol's folder.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AnswerField,
  answerFields,
  type CarriedFields,
  type ClientFate,
  type Fate,
  type RequestField,
} from '../src/core/hub-fields.ts';
import type { Protocol } from '../src/core/protocol.ts';
import { protocols } from '../src/protocols/all.ts';
import { answerWords, protocolTitles, requestWords } from './protocols-words.ts';

/** A protocol whose chats are translated. */
interface Spoken {
  readonly id: string;
  readonly title: string;
  readonly fields: Pick<CarriedFields, 'upstream'>;
}

/** One that has clients too. */
interface SpokenByClients extends Spoken {
  readonly fields: CarriedFields;
}

/** A row of a table of two columns: fields with the same fate share one. */
type Row = readonly [fields: string, fate: string];

const same = 'the same';
const olasOwn = 'for ola itself';

/** @returns the page. @throws Error for a protocol without a title */
export function protocolsPage(table: readonly Protocol[] = protocols): string {
  const spoken = table.flatMap(spokenBy);
  const clients = spoken.filter(hasClients);
  const sections = clients.map((client) => clientSection(client, spoken)).join('\n');
  return `${readFileSync(join(import.meta.dir, 'protocols-head.md'), 'utf8')}\n${pairTable(clients, spoken)}\n${sections}`;
}

const hasClients = (spoken: Spoken): spoken is SpokenByClients => 'client' in spoken.fields;

function spokenBy({ id, chat }: Protocol): readonly Spoken[] {
  if (chat === null) return [];
  const title = protocolTitles[id];
  if (title === undefined) throw new Error(`scripts/protocols-words.ts has no title for ${id}.`);
  return [{ id, title, fields: chat.fields }];
}

function pairTable(clients: readonly Spoken[], spoken: readonly Spoken[]): string {
  const head = ['client', ...spoken.map(({ title }) => `upstream: ${title}`)];
  const rows = clients.map((client) => [
    `[${client.title}](#${anchorOf(clientHeading(client))})`,
    ...spoken.map((upstream) => (upstream === client ? 'as it came' : `[fields](#${anchorOf(pairHeading(client, upstream))})`)),
  ]);
  return tableOf(head, rows);
}

const clientHeading = ({ title }: Spoken) => `Clients of ${title}`;
const pairHeading = (client: Spoken, upstream: Spoken) => `From ${client.title} to ${upstream.title}`;
const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(' ', '-');

function clientSection(client: SpokenByClients, spoken: readonly Spoken[]): string {
  const { title, fields } = client;
  const pairs = spoken
    .filter((upstream) => upstream !== client)
    .map((upstream) => `### ${pairHeading(client, upstream)}\n\n${pairSection(client, upstream)}`);
  return [
    `## ${clientHeading(client)}\n`,
    `Fields and blocks of a request, and their meaning in the hub. An upstream of ${title} gets all of them as they came.\n`,
    tableOf(['field', 'meaning'], merged(Object.entries(fields.client).map(([name, fate]) => [code(name), meaningOf(fate)]))),
    ...pairs,
    `### Answers to clients of ${title}\n`,
    `An upstream of ${title} is passed on as it came. Of an answer of any other upstream the client is told:\n`,
    tableOf(['in the answer', 'told as'], merged(answerFields.map((field) => answerRow(fields, field)))),
  ].join('\n');
}

function meaningOf(fate: ClientFate): string {
  if (!isPlaces(fate)) return fateWords(fate);
  return fate.length === 0 ? olasOwn : fate.map((field) => requestWords[field]).join(', ');
}

const isPlaces = (fate: ClientFate): fate is readonly RequestField[] => Array.isArray(fate);

/** What the upstream is told of each field of the client. */
function pairSection(client: SpokenByClients, upstream: Spoken): string {
  const rows = Object.entries(client.fields.client).map(([name, fate]): Row => {
    if (isPlaces(fate)) return [code(name), toldOf(fate, upstream.fields)];
    return [code(name), 'dropped' in fate ? 'left out, for the reason above' : 'refused, for the reason above'];
  });
  return tableOf(['field', 'told as'], merged(rows));
}

/** The fates of a field's places: those that differ from the rest are named. */
function toldOf(places: readonly RequestField[], { upstream }: Spoken['fields']): string {
  if (places.length === 0) return olasOwn;
  const fates = places.map((place): Row => [requestWords[place], fateWords(upstream[place])]);
  const distinct = merged(fates);
  const [first] = distinct;
  if (distinct.length === 1 && first !== undefined) return first[1];
  return distinct.map(([words, fate]) => `${words}: ${fate}`).join('\n');
}

function answerRow({ answer }: CarriedFields, field: AnswerField): Row {
  return [answerWords[field], fateWords(answer[field])];
}

function fateWords(fate: Fate): string {
  if (fate === 'carried') return same;
  if ('adapted' in fate) return fate.adapted;
  return 'dropped' in fate ? `left out (${fate.dropped})` : `refused (${fate.refused})`;
}

/** Rows with the same fate as one, in the order of the first of each; the unchanged ones first. */
function merged(rows: readonly Row[]): Row[] {
  const byFate = new Map<string, string[]>();
  for (const [field, fate] of rows) byFate.set(fate, [...(byFate.get(fate) ?? []), field]);
  const all = [...byFate].map(([fate, fields]): Row => [fields.join(', '), fate]);
  return [...all.filter(([, fate]) => fate === same), ...all.filter(([, fate]) => fate !== same)];
}

/** Names of the vendor's documentation are code; a description of several is not. */
const code = (name: string) => (/^[\w.]+$/.test(name) ? `\`${name}\`` : name);

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(written).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')).replaceAll(' ', '') + rows.map(line).join('');
}

/** A cell in Markdown: no tag but the end of a line, no end of a cell. */
function written(cell: string): string {
  const spans = cell.split('`').map((span, at) => (at % 2 === 0 ? span.replaceAll('<', '&lt;') : span));
  return spans.join('`').replaceAll('|', '\\|').replaceAll('\n', '<br>');
}

if (import.meta.main) await Bun.write(join(import.meta.dir, '../docs/protocols.md'), protocolsPage());
