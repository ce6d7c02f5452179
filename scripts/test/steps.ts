/** The steps of `npm test`, as data. Steps run side by side: a step names those whose work it uses. */
import { denoCheck, hasDeno } from '../deno.ts';

/** Commands that must succeed, a check each, then test files. */
export interface Step {
  readonly name: string;
  readonly commands?: readonly (readonly string[])[];
  /** Globs below test/; a `!` excludes. */
  readonly tests?: readonly string[];
  /** Processes that the test files are divided among, one when absent. */
  readonly parts?: number;
  /** Steps that end before this one begins. */
  readonly needs?: readonly string[];
  /** The tests start ola from source under Deno, in place of the binary. */
  readonly underDeno?: true;
  /** Runs only when it is named by `--only`. */
  readonly onDemand?: true;
}

export const bun = [process.execPath, '--no-env-file'];
/** A package's JavaScript, run by this Bun: the names in node_modules/.bin want Node or a shell. */
const tool = (path: string, ...args: string[]): string[] => [...bun, `node_modules/${path}`, ...args];

/** Stale patterns in knip.json are errors: an entry that matches nothing would let everything pass. */
const knipFlags = ['--no-progress', '--treat-config-hints-as-errors'];

/** The tests over HTTP that ask nothing of the binary itself; `onBinary` leaves out single tests in them that do. */
const denoWhole = 'chat,streams,providers,shutdown,access,bad-input,canary,config,faults,file-mode,front-door,history,refusals';

const denoSteps: readonly Step[] = [
  { name: 'deno', commands: [denoCheck('src/main.ts')], tests: ['deno/smoke.test.ts'], underDeno: true },
  { name: 'deno-all', tests: ['deno/**', `e2e/{${denoWhole}}.test.ts`], parts: 2, underDeno: true, onDemand: true },
];

/** In the order in which they begin: `build` first, since e2e waits for it; the short ones before the long ones. */
export const steps: readonly Step[] = [
  { name: 'build', commands: [[...bun, 'scripts/build.ts']], tests: ['build/**'] },
  { name: 'types', commands: [tool('typescript/bin/tsc', '-p', '.')] },
  { name: 'lint', commands: [tool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.')] },
  {
    name: 'unused',
    // The second run leaves tests and scripts out: what in src only they reach is not part of ola.
    commands: [tool('knip/bin/knip.js', ...knipFlags), tool('knip/bin/knip.js', ...knipFlags, '--production')],
  },
  { name: 'rules', commands: [[...bun, 'scripts/rooms-check.ts']], tests: ['rules/**'] },
  { name: 'unit', tests: ['**', '!rules/**', '!build/**', '!e2e/**', '!deno/**'] },
  // Four parts run two at a time on two cores: when one of them takes longer, the others make up for it.
  { name: 'e2e', tests: ['e2e/**'], parts: 4, needs: ['build'] },
  ...(hasDeno ? denoSteps : []),
];
