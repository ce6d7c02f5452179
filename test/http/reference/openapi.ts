/** A served OpenAPI document as a judge: whether a real answer is what it says. */
import { createRequire } from 'node:module';
import { isObject, type Json, type JsonObject } from '../../../src/core/json.ts';
import { readGoogleError } from '../google-error.ts';

export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly object[];
  readonly externalDocs?: { readonly url: string };
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: Json }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaObject>> };
  readonly responses: Readonly<Record<string, ResponseObject>>;
  readonly 'x-scope': string;
}
interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, MediaObject>>;
}
interface MediaObject {
  readonly schema: JsonObject;
  readonly example?: Json;
  readonly examples?: Readonly<Record<string, ExampleObject>>;
}
interface ExampleObject {
  readonly $ref?: string;
  readonly value?: Json;
  readonly 'x-parameters'?: Readonly<Record<string, string>>;
}
export interface Document {
  readonly openapi: string;
  readonly info: { readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonObject>>;
    readonly examples: Readonly<
      Record<
        string,
        { readonly value: { readonly error: { readonly code: string; readonly type: string; readonly message: string } } }
      >
    >;
  };
}

/** A document as it is served, its shared answers written out wherever an operation refers to them. */
export function readDocument(text: string): Document {
  const served = JSON.parse(text) as Document & {
    readonly components: { readonly responses: Readonly<Record<string, ResponseObject>> };
  };
  const answer = (said: ResponseObject & { readonly $ref?: string }): ResponseObject => {
    if (said.$ref === undefined) return said;
    const shared = served.components.responses[said.$ref.replace('#/components/responses/', '')];
    if (shared === undefined) throw new Error(`the document has no ${said.$ref}`);
    return shared;
  };
  const operation = (said: OperationObject): OperationObject => ({ ...said, responses: mapped(said.responses, answer) });
  return { ...served, paths: mapped(served.paths, (methods) => mapped(methods, operation)) };
}

function mapped<From, To>(members: Readonly<Record<string, From>>, change: (member: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, change(member)]));
}

export interface Judge {
  /** @returns what does not fit, empty when all does: status, media type, headers, body, the code of an error */
  answer(method: string, path: string, response: Response): Promise<string[]>;
  /** @param side `requestBody` or `responses/200`. @returns what does not fit */
  body(method: string, path: string, side: string, type: string, value: unknown): string[];
}

interface Ajv {
  addSchema(schema: object, key: string): void;
  compile(schema: object): {
    (value: unknown): boolean;
    errors?: { instancePath: string; message?: string; params: object }[] | null;
  };
}

// What the validator of documents has inside; it is no dependency of its own here.
const inside = createRequire(createRequire(import.meta.url).resolve('@seriousme/openapi-schema-validator'));
const { Ajv2020 } = inside('ajv/dist/2020') as { Ajv2020: new (options: object) => Ajv };
const addFormats = (inside('ajv-formats') as { default: (ajv: Ajv) => void }).default;

export function judgeBy(document: Document): Judge {
  // Answers hold nothing that the document does not tell of, where it does not say that they may.
  const strict = validator(closed(document as unknown as Json));
  const open = validator(document as unknown as Json);

  function operation(method: string, path: string): OperationObject {
    const found = document.paths[path]?.[method.toLowerCase()];
    if (found === undefined) throw new Error(`the document has no ${method} ${path}`);
    return found;
  }

  return {
    async answer(method, path, response) {
      const text = await response.text();
      const said = operation(method, path).responses[response.status];
      if (said === undefined) return [`${response.status} is not told of: ${text.slice(0, 200)}`];
      if (response.headers.get('x-request-id') === null) return ['it has no X-Request-Id'];
      const missing = ['etag', 'www-authenticate'].filter(
        (name) => response.headers.has(name) && !Object.keys(said.headers ?? {}).some((told) => told.toLowerCase() === name),
      );
      if (missing.length > 0) return [`${missing} is not told of`];
      const type = response.headers.get('content-type')?.split(';')[0] ?? '';
      const media = said.content?.[type];
      if (media === undefined)
        return text === '' && said.content === undefined ? [] : [`${response.status} as '${type}' is not told of`];
      const value: unknown = type === 'application/json' ? JSON.parse(text) : text;
      const pointer = [path, method.toLowerCase(), 'responses', String(response.status), 'content', type, 'schema'];
      return [...strict(pointer, value), ...(response.status < 400 ? [] : errorFaults(value, media))];
    },
    body: (method, path, side, type, value) =>
      open([path, method.toLowerCase(), ...side.split('/'), 'content', type, 'schema'], value),
  };

  /** Each code that comes is among the examples of its status. */
  function errorFaults(value: unknown, media: MediaObject): string[] {
    if (!isObject(value) || !isObject(value['error'])) return [];
    const { code } = readGoogleError(value['error']);
    const codes = Object.values(media.examples ?? {}).map(
      ({ $ref }) => readGoogleError(document.components.examples[$ref?.split('/').at(-1) ?? '']?.value.error)?.code,
    );
    return codes.includes(String(code)) ? [] : [`the code ${String(code)} is not told of`];
  }
}

function validator(document: Json): (pointer: readonly string[], value: unknown) => string[] {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, inlineRefs: false, code: { optimize: false } });
  addFormats(ajv);
  const { schemas = {} } = (document as unknown as Document).components;
  // The whole document would be looked through for each schema that is compiled.
  const named = (text: string) => text.replaceAll('"#/components/schemas/', '"components#/schemas/');
  ajv.addSchema(JSON.parse(named(JSON.stringify({ schemas }))) as object, 'components');
  const compiled = new Map<string, ReturnType<Ajv['compile']>>();
  return (pointer, value) => {
    const schema = pointer.reduce<Json | undefined>(
      (at, key) => (at as JsonObject | undefined)?.[key],
      (document as JsonObject)['paths'],
    );
    if (schema === undefined) return [`${pointer.join(' ')} is not told of`];
    const text = named(JSON.stringify(schema));
    const check = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
    compiled.set(text, check);
    if (check(value)) return [];
    return (check.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
}

/** The same document, in which an object has no other members than those that are named, unless it says so. */
function closed(value: Json): Json {
  if (Array.isArray(value)) return value.map(closed);
  if (!isObject(value)) return value;
  const members = Object.fromEntries(Object.entries(value as JsonObject).map(([key, member]) => [key, closed(member as Json)]));
  const isShape = members['type'] === 'object' && isObject(members['properties']);
  return isShape && members['additionalProperties'] === undefined ? { ...members, additionalProperties: false } : members;
}
