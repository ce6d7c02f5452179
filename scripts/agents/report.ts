/** Owns what is said of a run: a table for the terminal, and docs/clients.md. */
import { readFileSync } from 'node:fs';
import { packageName, version } from './claude-code.ts';
import { type Row, targets } from './play.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};
const versionOf = (name: string): string => manifest.devDependencies[name] ?? 'unknown';

const resultOf = ({ faults }: Row): string => (faults.length === 0 ? 'works' : 'FAILS');

/** A row for each step, a column for each target. */
export function renderTable(rows: readonly Row[]): string {
  const steps = [...new Set(rows.map(({ step }) => step.what))];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const cell = (what: string, id: string): string => {
    const row = rows.find(({ step, target }) => step.what === what && target.id === id);
    if (row !== undefined) return resultOf(row);
    return rows.some(({ step }) => step.what === what && step.anthropicAlone === true) ? 'no such case' : 'not run';
  };
  const head = [line(['step', ...targets.map(({ name }) => name)]), line(['---', ...targets.map(() => '---')])];
  return [...head, ...steps.map((what) => line([what, ...targets.map(({ id }) => cell(what, id))]))].join('\n');
}

/** Each kind of request once. */
function requestList(rows: readonly Row[], ofGateway: boolean): string {
  const kinds = new Set(rows.filter(({ target }) => (target.api !== null) === ofGateway).flatMap(({ requests }) => requests));
  return [...kinds]
    .sort()
    .map((kind) => `- \`${kind}\``)
    .join('\n');
}

export function renderDocument(rows: readonly Row[]): string {
  return `# Clients that were run

Programs and packages that other people wrote, against the compiled binary. The upstreams are doubles on loopback. They refuse what the vendors
refuse: a turn of tools without its signed reasoning, a call without its result, an id of a wrong form, more than four cache marks. The test runs also use
aimock (\`@copilotkit/aimock\` ${versionOf('@copilotkit/aimock')}) as the upstream, which reads each request by a parser of its own.

| client | version | where it runs |
|---|---|---|
| Claude Code (\`${packageName}\`) | ${version} | \`scripts/agents.ts\`, by hand: \`npm run agents\` |
| \`openai\` for Node | ${versionOf('openai')} | in every test run: \`test/e2e/openai.test.ts\`, \`test/e2e/responses-sdk.test.ts\`, \`test/e2e/cross.test.ts\`, \`test/e2e/cross-doubles.test.ts\` |
| \`@anthropic-ai/sdk\` for Node | ${versionOf('@anthropic-ai/sdk')} | in every test run: \`test/e2e/anthropic-sdk.test.ts\`, \`test/e2e/cross.test.ts\`, \`test/e2e/cross-doubles.test.ts\` |
| \`@ai-sdk/open-responses\` | ${versionOf('@ai-sdk/open-responses')} | in every test run, on what ola writes: \`test/protocols/openai-responses/encode-stream.test.ts\` |

## Claude Code

\`ANTHROPIC_BASE_URL\` is ola's address without \`/v1\`, \`ANTHROPIC_API_KEY\` a token of ola, \`--model\` a model reference of ola, for example
\`openai/gpt-5\`. With \`CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY=1\` it asks for
\`/v1/models?limit=1000\` and offers the models whose ids begin with \`claude\` or \`anthropic\`; others are named by \`--model\`. This page is written by \`scripts/agents.ts\`; the first column shows what Claude Code does without ola.

${renderTable(rows)}

Requests that Claude Code made, and ola's answers to them:

${requestList(rows, true)}

Requests that it made to an upstream without ola between them:

${requestList(rows, false)}
`;
}
