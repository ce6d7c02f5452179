/** Opens a home and closes it, unless it dies before its nth change of the file system. Arguments: home, n. Says `done`. */
import { dieBefore } from './dying.ts';

const [home = '', change = ''] = process.argv.slice(2);
dieBefore(Number(change));
const { openHome } = await import('../../src/home/home.ts');
const { homeOptions } = await import('./options.ts');
const open = await openHome(homeOptions(home));
await open.close();
process.stdout.write('done');
