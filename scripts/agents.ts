/**
 * Runs other people's agents against the built gateway: Claude Code over an upstream of its own protocol and over one of
 * OpenAI's, whose models are scripts. Prints a table, writes docs/clients.md, and ends with 1 when a step fails. Not part of
 * the tests: the client is 235 MB from the npm registry, which is all of the network that it needs.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { install } from './agents/claude-code.ts';
import { playAll, type Row, targets } from './agents/play.ts';
import { renderDocument, renderTable } from './agents/report.ts';
import { ensureBuilt } from './bench/gateway.ts';
import { endAll } from './bench/processes.ts';

const help = `Usage: npm run agents -- [options]

  --client DIRECTORY  keep the client there, and take it from there (default: a temporary directory)
  --only WORDS        only steps whose name begins so, and docs/clients.md stays as it is
`;

const say = (words: string): void => console.error(`agents: ${words}`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { client: { type: 'string' }, only: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const root = fileURLToPath(new URL('..', import.meta.url));
  const directory = mkdtempSync(join(tmpdir(), 'ola-agents-'));
  const rows: Row[] = [];
  try {
    const binary = ensureBuilt(root, say);
    const program = install(values.client ?? join(directory, 'client'));
    for (const target of targets) {
      const place = join(directory, target.id);
      mkdirSync(place);
      rows.push(...(await playAll({ binary, program, directory: place, only: values.only ?? '', say }, target)));
    }
    console.log(renderTable(rows));
    for (const { step, target, faults } of rows) for (const fault of faults) say(`${target.id}, ${step.what}: ${fault}`);
    if (rows.length === 0) throw new Error('no step was run');
    const failed = rows.some(({ faults }) => faults.length > 0);
    if (!failed && values.only === undefined) writeFileSync(join(root, 'docs/clients.md'), renderDocument(rows));
    return failed ? 1 : 0;
  } finally {
    await endAll();
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  return 1;
});
