/** Members inside of a request of Google's clients that the hub has no place for, and that harm nothing when they are left out. */
import { isObject } from '../../core/json.ts';
import { camelOf, type Fields, member } from './names.ts';

const ofResult: ReadonlySet<string> = new Set(['id', 'name', 'response', 'parts']);
const ofFunction: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'parametersJsonSchema']);
const ofConfig: ReadonlySet<string> = new Set(['functionCallingConfig']);

/** @returns names, each once: `tools.functionDeclarations.response` */
export function unknownInside(body: Fields): readonly string[] {
  const names = new Set<string>();
  const add = (place: string, fields: unknown, known: ReadonlySet<string>) => {
    for (const [name, value] of Object.entries(isObject(fields) ? fields : {})) {
      if (!known.has(camelOf(name)) && value !== undefined && value !== null) names.add(`${place}.${name}`);
    }
  };
  for (const content of listOf(member(body, 'contents'))) {
    for (const part of isObject(content) ? listOf(content['parts']) : []) {
      if (!isObject(part)) continue;
      if (member(part, 'videoMetadata') !== undefined) names.add('videoMetadata');
      add('functionResponse', member(part, 'functionResponse'), ofResult);
    }
  }
  for (const tool of listOf(member(body, 'tools'))) {
    const functions = isObject(tool) ? listOf(member(tool, 'functionDeclarations')) : [];
    for (const each of functions) add('tools.functionDeclarations', each, ofFunction);
  }
  add('toolConfig', member(body, 'toolConfig'), ofConfig);
  return [...names];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
