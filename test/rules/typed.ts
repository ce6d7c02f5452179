/** A command as a document names it, against the command table: whether it could be typed so. */
import { commands, groups } from '../../src/cli/commands/all.ts';

const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const global = ['--help', '-h', '--version', '-V'];

/**
 * @param said `ola token create NAME --admin`; the path alone will do, and `get|set` stands for two commands
 * @returns null when it is right
 */
export function whatIsWrong(said: string): string | null {
  const words = wordsOf(said).slice(1);
  const alternatives = words.findIndex((word) => /^[a-z]+(?:\|[a-z]+)+$/.test(word));
  if (alternatives < 0) return fault(words);
  const each = (words[alternatives] ?? '').split('|').map((word) => fault(words.with(alternatives, word)));
  return each.find((wrong) => wrong !== null) ?? null;
}

function fault(words: readonly string[]): string | null {
  const [first = ''] = words;
  if (first === 'COMMAND' || global.includes(first)) return null;
  if (words.length === 1 && Object.hasOwn(groups, first)) return null;
  const command = commands.find(({ path }) => path.every((word, index) => words[index] === word));
  if (command === undefined) return `there is no command '${words.slice(0, 2).join(' ')}'`;
  const options = new Map<string, (typeof command.options)[string]>(
    Object.entries(command.options).map(([key, option]) => [`--${kebab(key)}`, option]),
  );
  const given: string[] = [];
  for (let at = command.path.length; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!word.startsWith('--') || global.includes(word)) {
      if (!global.includes(word)) given.push(word);
      continue;
    }
    const option = options.get(word);
    if (option === undefined) return `there is no option ${word}`;
    if (option.placeholder !== null) at++;
  }
  const takes = Object.values(command.arguments);
  if (takes.some(({ takes: many }) => many === 'rest') || given.length <= takes.length) return null;
  return `'${given[takes.length]}' is one argument too many`;
}

/** Up to where the shell takes over: a pipe, a redirection, a comment. */
function wordsOf(said: string): string[] {
  const words = said.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const end = words.findIndex((word) => /^(?:[<>&#;]|\|+$|\d?>)/.test(word));
  return end < 0 ? words : words.slice(0, end);
}
