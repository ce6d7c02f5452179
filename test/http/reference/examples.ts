/** An example of an answer against the answers that really came. */
import { isObject, type Json, type JsonObject } from '../../../src/core/json.ts';

/** Values that the code makes in a form of their own; the first that fits names the form. */
const forms: readonly (readonly [string, RegExp])[] = [
  ['a time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/],
  ['a token id', /^tok_[0-9a-f]{32}$/],
  ['a token', /^ola_./],
  ['a key id', /^[0-9a-f]{8}$/],
  ['a number', /^\d+$/],
  ['a path', /^\/\S+$/],
  ['JSON', /^\{.*\}$/s],
];

/**
 * @param answers what came, one of which at least has each member of the example
 * @returns what differs, empty when nothing does: members that no answer has or that every answer has, types, forms
 */
export function shapeFaults(example: Json, answers: readonly Json[], at = ''): string[] {
  const kinds = new Set(answers.map(kindOf));
  if (!kinds.has(kindOf(example))) return [`${at} is ${kindOf(example)}, and in answers ${[...kinds].join(', ') || 'nothing'}`];
  if (Array.isArray(example)) {
    const items = answers.flatMap((answer) => (Array.isArray(answer) ? (answer as readonly Json[]) : []));
    return (example as readonly Json[]).flatMap((item, index) => shapeFaults(item, items, `${at}/${index}`));
  }
  return isObject(example) ? memberFaults(example as JsonObject, answers.filter(isObject) as JsonObject[], at) : [];
}

function memberFaults(example: JsonObject, answers: readonly JsonObject[], at: string): string[] {
  const [first = {}] = answers;
  const always = Object.keys(first).filter((name) => answers.every((answer) => Object.hasOwn(answer, name)));
  const missing = always.filter((name) => !Object.hasOwn(example, name)).map((name) => `${at}/${name} is in every answer`);
  const faults = Object.entries(example).flatMap(([name, value]) => {
    const values = answers.flatMap((answer) => (Object.hasOwn(answer, name) ? [answer[name] as Json] : []));
    return shapeFaults(value as Json, values, `${at}/${name}`);
  });
  return [...missing, ...faults];
}

function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'string') return typeof value;
  return forms.find(([, form]) => form.test(value))?.[0] ?? 'text';
}
