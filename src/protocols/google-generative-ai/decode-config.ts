/** `generationConfig` of Google's requests. */
import { type AnswerFormat, noSampling, type ReasoningWish, type Sampling } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { camelOf, type Fields, member, refuse } from './names.ts';
import { jsonSchemaOf } from './schemas.ts';

export interface DecodedConfig {
  readonly maxTokens: number | null;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  readonly format: AnswerFormat | null;
  readonly reasoning: ReasoningWish | null;
  /** Members that the hub has no place for, as they came. */
  readonly kept: Fields;
  /** Names of those that change the answer. */
  readonly opaque: readonly string[];
}

const carried: ReadonlySet<string> = new Set([
  ...['maxOutputTokens', 'temperature', 'topP', 'topK', 'seed', 'frequencyPenalty', 'presencePenalty', 'stopSequences'],
  ...['responseMimeType', 'responseSchema', 'responseJsonSchema', '_responseJsonSchema', 'thinkingConfig'],
]);

/** Members that ask for something else than one answer in words, with the value that asks for nothing else. */
const changing: Readonly<Record<string, (value: unknown) => boolean>> = {
  candidateCount: (value) => value === 1,
  responseModalities: (value) => Array.isArray(value) && value.every((each) => String(each).toUpperCase() === 'TEXT'),
  responseLogprobs: (value) => value === false,
  logprobs: (value) => value === 0,
  speechConfig: () => false,
};

export function decodeConfig(given: unknown): DecodedConfig {
  if (given !== undefined && !isObject(given)) refuse("'generationConfig' must be an object.", 'generationConfig');
  const config = given ?? {};
  const kept = Object.entries(config).filter(([name, value]) => !carried.has(camelOf(name)) && value !== null);
  return {
    maxTokens: numberIn(config, 'maxOutputTokens'),
    sampling: {
      ...noSampling,
      temperature: numberIn(config, 'temperature'),
      topP: numberIn(config, 'topP'),
      topK: numberIn(config, 'topK'),
      seed: numberIn(config, 'seed'),
      frequencyPenalty: numberIn(config, 'frequencyPenalty'),
      presencePenalty: numberIn(config, 'presencePenalty'),
    },
    stop: decodeStop(member(config, 'stopSequences')),
    format: decodeFormat(config),
    reasoning: decodeThinking(member(config, 'thinkingConfig')),
    kept: Object.fromEntries(kept),
    opaque: kept.flatMap(([name, value]) => (isChanging(camelOf(name), value) ? [name] : [])),
  };
}

function isChanging(name: string, value: unknown): boolean {
  return Object.hasOwn(changing, name) && changing[name]?.(value) === false;
}

function numberIn(config: Fields, name: string): number | null {
  const value = member(config, name) ?? null;
  if (value !== null && typeof value !== 'number') {
    refuse(`'generationConfig.${name}' must be a number.`, `generationConfig.${name}`);
  }
  return value;
}

function decodeStop(stop: unknown): readonly string[] {
  if (stop === undefined) return [];
  if (!Array.isArray(stop) || !stop.every((each) => typeof each === 'string')) {
    refuse("'generationConfig.stopSequences' must be a list of texts.", 'generationConfig.stopSequences');
  }
  return stop;
}

/** @throws OlaError for a type of answer that no other protocol has: `text/x.enum` */
function decodeFormat(config: Fields): AnswerFormat | null {
  const type = member(config, 'responseMimeType') ?? 'text/plain';
  const whole = member(config, 'responseJsonSchema') ?? config['_responseJsonSchema'];
  const schema = whole ?? jsonSchemaOf(member(config, 'responseSchema'));
  if (type === 'text/plain') return null;
  if (type !== 'application/json') {
    const field = 'generationConfig.responseMimeType';
    refuse(`'${field}' must be 'text/plain' or 'application/json' for a model of this provider.`, field);
  }
  if (schema === undefined) return { kind: 'json' };
  return { kind: 'schema', name: null, description: null, schema, strict: true };
}

/** Google shows no thoughts unless it is asked to. */
function decodeThinking(config: unknown): ReasoningWish | null {
  if (!isObject(config)) return null;
  const level = member(config, 'thinkingLevel');
  const budget = member(config, 'thinkingBudget');
  const isOff = budget === 0;
  const effort = typeof level === 'string' && !/UNSPECIFIED/i.test(level) ? level.toLowerCase() : null;
  return {
    effort: isOff ? 'none' : effort,
    budget: typeof budget === 'number' && budget > 0 ? budget : null,
    summary: member(config, 'includeThoughts') === true ? 'auto' : 'none',
  };
}
