/** What a home is opened with where the test says nothing else. */
import { readSettings } from '../../src/core/settings.ts';
import type { OpenHomeOptions } from '../../src/home/home.ts';

export function homeOptions(path: string, environment: Readonly<Record<string, string>> = {}): OpenHomeOptions {
  return {
    path,
    by: 'server',
    settings: readSettings(environment),
    configFile: null,
    processProviders: [],
    ownListeners: () => [],
    now: Date.now,
    log: { log: () => undefined },
  };
}
