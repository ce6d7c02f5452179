/** The command table: one record per command. Each command is written in the file of its noun and listed here. */

import type { Command } from '../command.ts';
import { backup, restore } from './backup.ts';
import { configPath, configSchema, getConfig, showConfig, validateConfig } from './config.ts';
import { editConfig, setConfig } from './config-changes.ts';
import { cooldowns } from './cooldowns.ts';
import { explainModel, explainRequest } from './explain.ts';
import { exportConfig, importConfig } from './exports.ts';
import { help } from './help.ts';
import { rotateKeys } from './keys.ts';
import { configDiff, configHistory, rollbackConfig } from './revisions.ts';
import { serve } from './serve.ts';
import { status } from './status.ts';
import { createToken, listTokens, revokeToken } from './tokens.ts';
import { usage } from './usage.ts';
import { version } from './version.ts';

export const commands: readonly Command[] = [
  serve,
  status,
  usage,
  explainRequest,
  explainModel,
  showConfig,
  getConfig,
  setConfig,
  editConfig,
  validateConfig,
  importConfig,
  exportConfig,
  configPath,
  configHistory,
  configDiff,
  rollbackConfig,
  configSchema,
  cooldowns,
  createToken,
  listTokens,
  revokeToken,
  rotateKeys,
  backup,
  restore,
  version,
  help,
];

/** First words of the commands that have two words, with the summary of the group. */
export const groups: Readonly<Record<string, string>> = {
  auth: 'See the credentials of providers that cannot be used at the moment',
  config: 'Show, change, compare, export and undo the configuration',
  models: 'See how models are called',
  keys: 'Change the master key, which encrypts the stored secrets',
  token: 'Create, list and revoke access tokens',
};
