/**
 * The entry. First what must not wait or must come before everything: the version, and the clean start of a server.
 * Then the command line, over the parts that `compose.ts` builds.
 */
import { exit, platform, programArguments, standardError, standardOutput, startClean } from './runtime/process.ts';
import { versionLine } from './runtime/version.ts';

const [command] = programArguments;
if (command === '--version' || command === '-V') {
  standardOutput.write(`${versionLine(platform)}\n`);
} else {
  // Before anything is opened: what is open does not survive it.
  if (command === 'serve' && !programArguments.some((argument) => argument === '--help' || argument === '-h')) startClean();
  const { main } = await import('./compose.ts');
  await main().catch((error: unknown) => {
    // Not left to the runtime: it would print source text, and the properties of the error with it.
    standardError.write(`error: ola failed\n  why: ${error instanceof Error ? error.message : 'unknown'}\n  next: ola --help\n`);
    exit(1);
  });
}
