/** What Google's API refuses of a request to generate, in its own words: the rules that translations break. */
import { type Fields, fieldsOf, listOf, textOf } from './script.ts';

/** Google's value for a call whose signature is gone. */
export const bypass = 'skip_thought_signature_validator';

/**
 * @param sign the signature that a call must have
 * @returns the message of the refusal, null for a request that is taken
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures and /docs/function-calling
 */
export function ruleBroken(body: Fields, sign: (call: Fields) => string): string | null {
  const contents = listOf(body['contents']);
  const config = fieldsOf(body['generationConfig']);
  const thinking = fieldsOf(config['thinkingConfig']);
  if (contents.length === 0) return 'contents is not specified';
  if (contents[0]?.['role'] !== 'user') return 'Please ensure that the first turn is of the role user.';
  if (contents.at(-1)?.['role'] !== 'user') return 'Please ensure that single turn requests end with a user role.';
  if ('thinkingLevel' in thinking && 'thinkingBudget' in thinking)
    return 'You can only set only one of thinking budget and thinking level.';
  if ('responseJsonSchema' in config && config['responseMimeType'] !== 'application/json')
    return 'response_json_schema needs response_mime_type application/json';
  for (const [at, content] of contents.entries()) {
    const broken = brokenContent(content, at) ?? brokenCalls(content, contents[at + 1], at, sign) ?? brokenResults(contents, at);
    if (broken !== null) return broken;
  }
  return null;
}

const dataOfParts = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'];

function brokenContent({ role, parts }: Fields, at: number): string | null {
  if (role !== 'user' && role !== 'model') return 'Please use a valid role: user, model.';
  const list = listOf(parts);
  if (list.length === 0) return `contents[${at}].parts must not be empty`;
  const empty = list.findIndex((part) => dataOfParts.filter((name) => name in part).length !== 1);
  return empty < 0 ? null : `contents[${at}].parts[${empty}].data: required oneof field 'data' must have one initialized field`;
}

const callsOf = (content: Fields | undefined): readonly Fields[] =>
  listOf(content?.['parts']).filter((part) => 'functionCall' in part);
const resultsOf = (content: Fields | undefined): readonly Fields[] =>
  listOf(content?.['parts'])
    .map((part) => fieldsOf(part['functionResponse']))
    .filter((result) => Object.keys(result).length > 0);

function brokenCalls(content: Fields, next: Fields | undefined, at: number, sign: (call: Fields) => string): string | null {
  const calls = callsOf(content);
  if (calls.length === 0) return null;
  if (content['role'] !== 'model') return 'Please ensure that function call turns are of the role model.';
  const signature = calls[0]?.['thoughtSignature'];
  const call = fieldsOf(calls[0]?.['functionCall']);
  if (signature === undefined)
    return `Function call is missing a thought_signature in functionCall parts. Function call \`${textOf(call['name'])}\`, position ${at}.`;
  if (signature !== bypass && signature !== sign(call)) return 'Thought signature is not valid.';
  const results = resultsOf(next);
  if (results.length !== calls.length)
    return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
  return null;
}

function brokenResults(contents: readonly Fields[], at: number): string | null {
  const results = resultsOf(contents[at]);
  const calls = callsOf(contents[at - 1]).map((part) => fieldsOf(part['functionCall']));
  if (results.length > calls.length)
    return 'Please ensure that function response turn comes immediately after a function call turn.';
  for (const [place, result] of results.entries()) {
    if (textOf(result['name']) === '') return 'GenerateContentRequest.contents: function_response.name: Name cannot be empty.';
    const { response } = result;
    if (typeof response !== 'object' || response === null || Array.isArray(response))
      return 'function_response.response: not a Struct';
    if (result['name'] !== calls[place]?.['name'] || result['id'] !== calls[place]?.['id'])
      return 'Please ensure that function responses match their function calls.';
  }
  return null;
}
