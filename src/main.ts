/**
 * The entry. First what must not wait or must come before everything: the version, and the clean start of a server.
 * Then the command line, over the parts that `compose.ts` builds. All else is imported after that: a server comes here
 * twice, and its first life ends at once.
 */
import { exit, platform, programArguments, startClean } from './runtime/process.ts';
import { versionLine } from './runtime/version.ts';

const [command] = programArguments;
if (command === '--version' || command === '-V') {
  const { standardOutput } = await import('./runtime/output.ts');
  standardOutput.write(`${versionLine(platform)}\n`);
} else {
  // Before anything is opened: what is open does not survive it.
  if (command === 'serve' && !programArguments.some((argument) => argument === '--help' || argument === '-h')) startClean();
  const { main } = await import('./compose.ts');
  await main().catch(async (error: unknown) => {
    const { standardError } = await import('./runtime/output.ts');
    // Not left to the runtime: it would print source text, and the properties of the error with it.
    standardError.write(`error: ola failed\n  why: ${error instanceof Error ? error.message : 'unknown'}\n  next: ola --help\n`);
    exit(1);
  });
}
