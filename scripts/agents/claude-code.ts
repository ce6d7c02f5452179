/** Owns Claude Code as a client: its pinned version, where it is installed, how it runs unattended and what it says in the end. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const packageName = '@anthropic-ai/claude-code';
export const version = '2.1.197';

/** The native program of this platform, as npm names its package. */
const nativePackage = `${packageName}-${process.platform}-${process.arch}`;

/**
 * Installs the client below a directory; what is there already is kept. Install scripts are off: the native program stands in a
 * package of its own.
 * @returns the path of the program
 * @throws Error with npm's words
 */
export function install(directory: string): string {
  const program = join(directory, 'node_modules', nativePackage, 'claude');
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{"private":true}');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
  const npm = Bun.spawnSync(['npm', 'install', ...options, `${packageName}@${version}`], {
    cwd: directory,
    stdout: 'pipe',
    stderr: 'pipe',
  });
  if (npm.success && existsSync(program)) return program;
  throw new Error(`npm could not install ${packageName}@${version}: ${npm.stderr.toString().slice(-2000)}`);
}

/** Where the client sends its requests, and as whom. */
export interface Address {
  /** Without `/v1`. */
  readonly baseUrl: string;
  readonly key: string;
}

export interface Prompt {
  readonly model: string;
  /** The model for titles and the like. */
  readonly smallModel: string;
  readonly text: string;
  /** Variables of the environment, besides those that every run has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The session that goes on. */
  readonly resume?: string;
}

export interface Outcome {
  readonly code: number | null;
  /** The final text: the answer, or the words for a failure. */
  readonly result: string;
  readonly isError: boolean;
  readonly session: string;
  /** The text that it put out, for people. */
  readonly output: string;
}

const patienceMs = 120_000;

/**
 * One unattended turn. Edits are accepted and nothing else is asked.
 * @param home the client's own, for settings and sessions. @param work the directory that it works in
 */
export async function prompt(
  program: string,
  to: Address,
  places: { home: string; work: string },
  asked: Prompt,
): Promise<Outcome> {
  const { text, model, smallModel, resume, environment = {} } = asked;
  const session = resume === undefined ? [] : ['--resume', resume];
  const options = [
    '--model',
    model,
    '--output-format',
    'json',
    '--permission-mode',
    'acceptEdits',
    '--allowedTools',
    'Read,Edit,Write',
  ];
  const child = Bun.spawn([program, '-p', text, ...options, ...session], {
    cwd: places.work,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: places.home,
      ANTHROPIC_BASE_URL: to.baseUrl,
      ANTHROPIC_API_KEY: to.key,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: smallModel,
      ANTHROPIC_SMALL_FAST_MODEL: smallModel,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      // A failure is shown after one more try, not after ten.
      CLAUDE_CODE_MAX_RETRIES: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patienceMs,
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  return { code: child.exitCode, ...readResult(out), output: `${out}${err}`.slice(0, 1000) };
}

function readResult(out: string): Pick<Outcome, 'result' | 'isError' | 'session'> {
  try {
    const { result, is_error: isError, session_id: session } = JSON.parse(out) as Record<string, unknown>;
    return { result: String(result), isError: isError === true, session: String(session) };
  } catch {
    return { result: '', isError: true, session: '' };
  }
}
