/**
 * How Claude Code is started, as data (https://code.claude.com/docs/en/cli-reference). Tried with version 2.1.197: a model that
 * asks for files, and a prompt that names them, get none of their bytes.
 */
import type { VerifiedVersions } from '../../core/programs.ts';

export const program = 'claude';

/** Of the same major version newer ones are run too: its first line tells the tools, and any tool ends the run. */
export const versions: VerifiedVersions = { from: '2.1.197', before: '3.0.0' };

/**
 * `--tools ''` leaves the model without a tool, but the program itself reads files that a prompt names as `@/path`: the rules
 * forbid it, and `encode-request.ts` ends each prompt with a text of ola's, where alone the program looks for such names.
 */
const settings = {
  disableAllHooks: true,
  permissions: { deny: ['Read(//**)', 'Edit(//**)', 'Bash', 'WebFetch', 'WebSearch'] },
  env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
};

/** In place of the instructions of a coding agent, which has tools. */
const systemPrompt =
  'You answer in a conversation. The message holds its instructions, where it has any, and its turns. You have no tools.';

/** Nothing of a request stands here: the model is one that the provider lists. */
export function argumentsFor(model: string): readonly string[] {
  return [
    '--print',
    ...['--input-format', 'stream-json'],
    ...['--output-format', 'stream-json', '--verbose', '--include-partial-messages'],
    ...['--tools', ''],
    // Neither servers for tools, settings, instructions (CLAUDE.md), plugins nor hooks of the user's own.
    ...['--strict-mcp-config', '--setting-sources', '', '--safe-mode', '--disable-slash-commands'],
    ...['--settings', JSON.stringify(settings)],
    ...['--no-session-persistence', '--max-turns', '3'],
    ...['--system-prompt', systemPrompt],
    ...['--model', model],
  ];
}
