/** The command table as a commander program. It parses the typed words and prints the help; it runs no command. */
import { Argument, Command as Commander, type CommanderError, Help, Option } from 'commander';
import type { Choice, Command, Example } from './command.ts';
import { usageFailure } from './failure.ts';
import { flagOf } from './plain.ts';

/** Width of the help in columns: that of the narrowest common terminal. */
const helpWidth = 80;

export interface Program {
  /** @returns null when help or the version was printed. @throws Failure when the typed words are no valid command */
  choose(argv: readonly string[]): Choice | null;
  /** The help text of the command or group at a path; null when there is none. */
  help(path: readonly string[]): string | null;
}

interface Tree {
  readonly commands: readonly Command[];
  readonly groups: Readonly<Record<string, string>>;
  readonly version: string;
  /** Text at the end of `ola --help`. */
  readonly epilogue: string;
}

export function buildProgram(tree: Tree, out: (text: string) => void): Program {
  return {
    choose: (argv) => choose(tree, out, argv),
    help(path) {
      const { root } = grow(tree, out);
      const at = path.reduce<Commander | undefined>((node, word) => node?.commands.find((child) => child.name() === word), root);
      return at?.helpInformation() ?? null;
    },
  };
}

function choose(tree: Tree, out: (text: string) => void, argv: readonly string[]): Choice | null {
  // When the first words name a command, only that command is built.
  const named = tree.commands.find(({ path }) => path.every((word, index) => argv[index] === word));
  const { root, chosen } = grow(named === undefined ? tree : { ...tree, commands: [named] }, out);
  try {
    root.parse(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof Displayed)) throw thrown;
  }
  return chosen();
}

interface Grown {
  readonly root: Commander;
  /** The command line of the last parse. */
  chosen(): Choice | null;
}

function grow({ commands, groups, version, epilogue }: Tree, out: (text: string) => void): Grown {
  let chosen: Choice | null = null;
  const root = prepare(new Commander('ola'), out, epilogue)
    .description('One local address for language models, with the keys kept safe.')
    .version(version, '-V, --version', 'show the version')
    // Without this `ola token create --version` would be read as the program's own option.
    .enablePositionalOptions();
  for (const command of commands) {
    const leaf = prepare(new Commander(command.path.at(-1)), out, examplesText(command.examples));
    describe(leaf, command);
    leaf.action(() => {
      chosen = { command, ...typed(leaf, command) };
    });
    parentOf(root, command, groups, out).addCommand(leaf);
  }
  return { root, chosen: () => chosen };
}

/** Thrown where commander would exit: the help or the version has been printed. */
class Displayed extends Error {}

/** Keeps commander from exiting, from colours and from printing errors: failure.ts prints those. */
function prepare(command: Commander, out: (text: string) => void, after: string): Commander {
  return command
    .helpCommand(false)
    .helpOption('-h, --help', 'show this help')
    .configureOutput({
      writeOut: out,
      writeErr: () => {},
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ formatHelp: (node, helper) => `${Help.prototype.formatHelp.call(helper, node, helper)}${after}` })
    .exitOverride((error) => {
      if (error.exitCode === 0) throw new Displayed();
      throw misuse(command, error);
    });
}

/** Turns commander's error into a Failure. Its message is `error: WHAT`, a line break, then a suggestion or the expected form. */
function misuse(command: Commander, error: CommanderError): Error {
  const typedPath = pathOf(command);
  const next = `${typedPath} --help`;
  if (error.code === 'commander.help') {
    const words = command.commands.map((child) => child.name()).join(', ');
    return usageFailure(`${typedPath} needs a command`, `One of ${words}.`, next);
  }
  const message = error.message.replace(/^error: /, '');
  const lineBreak = message.lastIndexOf('\n');
  if (lineBreak < 0) return usageFailure(message, `Usage: ${typedPath} ${command.usage()}`, next);
  return usageFailure(message.slice(0, lineBreak).trimEnd(), message.slice(lineBreak + 1).replace(/^\((.*)\)$/, '$1'), next);
}

function pathOf(command: Commander): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function parentOf(root: Commander, { path }: Command, groups: Tree['groups'], out: (text: string) => void): Commander {
  const [name] = path;
  if (path.length === 1 || name === undefined) return root;
  const existing = root.commands.find((child) => child.name() === name);
  if (existing !== undefined) return existing;
  const group = prepare(new Commander(name), out, '').description(groups[name] ?? '');
  root.addCommand(group);
  return group;
}

function describe(leaf: Commander, { summary, description, options, arguments: args }: Command): void {
  leaf.summary(summary).description(description === undefined ? `${summary}.` : `${summary}. ${description}`);
  for (const [name, { summary: text, takes, read }] of Object.entries(args)) {
    leaf.addArgument(new Argument(argumentForm[takes](name), text).argParser(read));
  }
  for (const [key, declared] of Object.entries(options)) {
    const { placeholder, summary: text, initial, choices, conflicts, read } = declared;
    const option = new Option(`${flagOf(key)}${placeholder === null ? '' : ` <${placeholder}>`}`, text);
    // Commander reads `--no-log-requests` as `--log-requests` switched off; here each option has its own key.
    option.negate = false;
    if (choices !== undefined) option.choices(choices);
    if (placeholder !== null) option.argParser(read);
    if (typeof initial === 'string' || typeof initial === 'number') option.default(initial);
    if (conflicts !== undefined) option.conflicts([...conflicts]);
    leaf.addOption(option);
  }
}

const argumentForm: Readonly<Record<Command['arguments'][string]['takes'], (name: string) => string>> = {
  one: (name) => `<${name}>`,
  'one or none': (name) => `[${name}]`,
  rest: (name) => `[${name}...]`,
};

function typed(leaf: Commander, { options, arguments: args }: Command): Pick<Choice, 'options' | 'args'> {
  const given: Readonly<Record<string, unknown>> = leaf.opts();
  const processed: readonly unknown[] = leaf.processedArgs;
  return {
    options: Object.fromEntries(Object.entries(options).map(([key, { initial }]) => [key, given[key] ?? initial])),
    args: Object.fromEntries(Object.keys(args).map((name, index) => [name, processed[index]])),
  };
}

function examplesText(examples: readonly Example[]): string {
  return `\nExamples:\n${examples.map(({ command, note }) => `  # ${note}\n  ${command}\n`).join('')}`;
}
