/** docs/protocols.md against the lists that it is made from. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { protocolsPage } from '../../scripts/protocols-doc.ts';
import { answerWords, requestWords } from '../../scripts/protocols-words.ts';
import { answerFields, requestFields } from '../../src/core/hub-fields.ts';
import { protocols } from '../../src/protocols/all.ts';

const spoken = protocols.flatMap(({ id, chat }) => (chat === null ? [] : [{ id, fields: chat.fields }]));

test('the page is as the script makes it', () => {
  const written = readFileSync(join(import.meta.dir, '../../docs/protocols.md'), 'utf8');
  expect(written, 'node scripts/bootstrap.mjs run scripts/protocols-doc.ts makes it anew').toBe(protocolsPage());
});

test('no cell of a table is empty, and each row of a table has as many cells as its head', () => {
  const rows = protocolsPage()
    .split('\n')
    .filter((line) => line.startsWith('|'));
  expect(rows.length).toBeGreaterThan(0);
  const cellsOf = (row: string) => row.slice(1, -1).split(/(?<!\\)\|/);
  for (const row of rows) for (const cell of cellsOf(row)) expect([row, cell.trim()]).not.toEqual([row, '']);
  for (const table of protocolsPage().split(/\n(?!\|)/)) {
    const widths = new Set(
      table
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((row) => cellsOf(row).length),
    );
    expect([table, widths.size <= 1]).toEqual([table, true]);
  }
});

test('each place in the hub has words of its own', () => {
  for (const [fields, words] of [
    [requestFields, requestWords],
    [answerFields, answerWords],
  ] as const) {
    expect(Object.keys(words).sort()).toEqual([...fields].sort());
    expect(Object.values(words)).toSatisfy((texts: string[]) => texts.every((text) => /\S/.test(text)));
    expect(new Set(Object.values(words)).size).toBe(fields.length);
  }
});

describe('each client field stands once in each table of its protocol', () => {
  for (const { id, fields } of spoken) {
    if (!('client' in fields)) continue;
    test(id, () => {
      const names = Object.keys(fields.client).sort();
      const tables = protocolsPage()
        .split(/\n(?=##)/)
        .filter((section) => section.includes('| field |'))
        .map((section) =>
          [...section.matchAll(/^\| (.+?) \| /gm)].flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', ')),
        )
        .map((cells) => cells.filter((cell) => cell !== 'field').sort());
      expect(tables.filter((cells) => JSON.stringify(cells) === JSON.stringify(names)).length).toBe(spoken.length);
    });
  }
});
