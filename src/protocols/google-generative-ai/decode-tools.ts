/** Tools and tool choices of Google's requests. */
import type { Conversation, OpaqueField, Tool } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { camelOf, type Fields, member, protocolId, refuse } from './names.ts';
import { jsonSchemaOf } from './schemas.ts';

export interface DecodedTools {
  readonly tools: readonly Tool[];
  /** Tools that run at Google, as they came. */
  readonly own: readonly Fields[];
  readonly opaque: readonly OpaqueField[];
}

export function decodeTools(list: unknown): DecodedTools {
  if (list === undefined) return { tools: [], own: [], opaque: [] };
  if (!Array.isArray(list)) refuse("'tools' must be a list of tools.", 'tools');
  const tools: Tool[] = [];
  const own: Fields[] = [];
  const opaque: OpaqueField[] = [];
  for (const [at, entry] of (list as readonly unknown[]).entries()) {
    if (!isObject(entry)) refuse(`'tools.${at}' must be an object.`, `tools.${at}`);
    const functions = member(entry, 'functionDeclarations');
    if (functions !== undefined && !Array.isArray(functions)) {
      refuse(`'tools.${at}.functionDeclarations' must be a list.`, `tools.${at}.functionDeclarations`);
    }
    const place = `tools.${at}.functionDeclarations`;
    for (const [index, each] of (functions ?? []).entries()) tools.push(decodeTool(each, `${place}.${index}`));
    const others = Object.entries(entry).filter(([name]) => camelOf(name) !== 'functionDeclarations');
    if (others.length > 0) own.push(Object.fromEntries(others));
    for (const [name] of others) opaque.push({ protocol: protocolId, name: camelOf(name), field: `tools.${at}.${name}` });
  }
  return { tools, own, opaque };
}

function decodeTool(tool: unknown, field: string): Tool {
  if (!isObject(tool)) return refuse(`'${field}' must be a function: an object with a 'name'.`, field);
  const { name, description } = tool;
  if (typeof name !== 'string') return refuse(`'${field}.name' must be a text.`, `${field}.name`);
  const schema = member(tool, 'parametersJsonSchema') ?? jsonSchemaOf(member(tool, 'parameters'));
  if (schema !== undefined && !isObject(schema)) refuse(`'${field}.parameters' must be a schema.`, `${field}.parameters`);
  return {
    kind: 'function',
    name,
    description: typeof description === 'string' ? description : null,
    parameters: schema ?? null,
    strict: null,
  };
}

/** @param hasTools false: a choice without tools means nothing */
export function decodeToolChoice(config: unknown, hasTools: boolean): Conversation['toolChoice'] {
  const choice = isObject(config) ? member(config, 'functionCallingConfig') : null;
  if (!isObject(choice) || !hasTools) return null;
  const names = member(choice, 'allowedFunctionNames');
  const allowed = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  const mode = String(choice['mode'] ?? 'AUTO').toUpperCase();
  if (mode === 'NONE') return 'none';
  if (mode === 'ANY') return allowed.length === 0 ? 'required' : forced(allowed);
  return allowed.length === 0 ? 'auto' : { allowed, mode: 'auto' };
}

function forced(allowed: readonly string[]): Conversation['toolChoice'] {
  const [name, ...others] = allowed;
  return name !== undefined && others.length === 0 ? { name } : { allowed, mode: 'required' };
}
