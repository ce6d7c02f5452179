/** Restores a backup, unless it dies before its nth change of the file system. Arguments: home, backup, n. Says `done`. */
import { dieBefore } from '../home/dying.ts';

const [home = '', file = '', change = ''] = process.argv.slice(2);
dieBefore(Number(change));
const { restore } = await import('../../src/upkeep/restore.ts');
const { readSettings } = await import('../../src/core/settings.ts');
await restore({ file, passphrase: null }, { home, settings: readSettings({}), configFile: null, now: Date.now });
process.stdout.write('done');
