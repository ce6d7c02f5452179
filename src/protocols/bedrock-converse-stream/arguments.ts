/** The arguments of tool calls as Bedrock takes them. */
import { argumentsObject, unparsedArguments } from '../object-arguments.ts';

/** An empty name of a member, which Bedrock refuses in a tool's input. In JSON two quotes before a colon stand for nothing else. */
const namelessMember = /(?<!\\)""\s*:/;

/** @returns the JSON text of an object: numbers keep their digits */
export function inputOf(text: string): string {
  return namelessMember.test(text) ? unparsedArguments(text) : argumentsObject(text);
}
