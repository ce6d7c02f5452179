/** The command table: one record a command. A new one is written in the file of its noun and named here. */
import type { Command } from './command.ts';
import { help } from './help.ts';
import { serve } from './serve.ts';
import { status } from './status.ts';
import { createToken, listTokens, revokeToken } from './tokens.ts';
import { version } from './version.ts';

export const commands: readonly Command[] = [serve, status, createToken, listTokens, revokeToken, version, help];

/** First words of commands that have two, with what they are about. */
export const groups: Readonly<Record<string, string>> = {
  token: 'Make, list and revoke access tokens',
};
