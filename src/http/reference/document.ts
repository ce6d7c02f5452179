/** The OpenAPI document of every route: made when it is first asked for, of the route table and what the operations say. */
import { swagger } from '@elysiajs/swagger';
import { Elysia } from 'elysia';
import { documentSchema, profileSchema, providerSchema } from '../../core/document.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Route } from '../route.ts';
import { configOperations } from './config.ts';
import { type DocumentedError, errorsOf } from './errors.ts';
import { exportOperations } from './exports.ts';
import { historyOperations } from './history.ts';
import { inferenceOperations } from './inference.ts';
import type { Content, DescribedAnswer, Operation, OperationKey, Operations, Parameter } from './operations.ts';
import { tags } from './operations.ts';
import { createSchemas, type Schemas } from './schemas.ts';
import { serverOperations } from './server.ts';
import { errorSchema } from './shapes.ts';
import { tokenOperations } from './tokens.ts';
import { introduction, scopeWords, securitySchemes, tagWords } from './words.ts';

/** What is said of each route; a test holds that it is said of all of them and of nothing else. */
export const operations: Operations = {
  ...tokenOperations,
  ...configOperations,
  ...inferenceOperations,
  ...historyOperations,
  ...exportOperations,
  ...serverOperations,
};

/** Where the plugin serves the document inside an app that nobody reaches. */
const inside = '/-/document';

/** @throws Error when a route has no operation */
export async function referenceDocument(routes: readonly Route[], version: string): Promise<JsonObject> {
  const schemas = createSchemas({ Provider: providerSchema, AuthProfile: profileSchema, Configuration: documentSchema });
  const examples: Record<string, Json> = {};
  const app = new Elysia().use(swagger({ path: '/-/page', specPath: inside, excludeStaticFile: false }));
  for (const route of routes) {
    const operation = operations[keyOf(route)];
    if (operation === undefined) throw new Error(`${keyOf(route)} has no operation`);
    const detail = detailOf(route, operation, schemas, examples);
    // The plugin leaves wildcards out, so the path is the one that is shown.
    app.route(route.method, shownPath(route, operation), () => '', { detail });
  }
  const made = (await (await app.handle(new Request(`http://localhost${inside}`))).json()) as JsonObject;
  return repaired(made, { version, components: { schemas: schemas.components(), examples: sorted(examples) } });
}

export function keyOf({ method, path }: Pick<Route, 'method' | 'path'>): OperationKey {
  return `${method} ${path as `/${string}`}`;
}

/** In Elysia's form, as the plugin reads it. */
function shownPath({ path }: Route, operation: Operation): string {
  return operation.path === undefined ? path : operation.path.replace(/\{(\w+)\}/g, ':$1');
}

interface DocumentParts {
  readonly version: string;
  readonly components: { readonly schemas: JsonObject; readonly examples: JsonObject };
}

/**
 * What the plugin made, as a valid document of OpenAPI 3.1, whose schemas are JSON Schema as TypeBox writes it: of the
 * plugin's 3.0.3 the constants, nulls and types in lists are no part.
 */
export function repaired(made: JsonObject, { version, components }: DocumentParts): JsonObject {
  return {
    openapi: '3.1.0',
    info: { title: 'ola', version, description: introduction, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/', description: 'this gateway' }],
    tags: tags.map((name) => ({ name, description: tagWords[name] })),
    paths: made['paths'] ?? {},
    components: {
      ...components,
      headers: {
        RequestId: {
          description: 'Names this request in the log; the client’s own when it sent a plain one.',
          schema: { type: 'string' },
        },
      },
      securitySchemes,
    },
  };
}

/** One operation, complete: the plugin adds nothing of its own to it. */
function detailOf(route: Route, operation: Operation, schemas: Schemas, examples: Record<string, Json>): object {
  const { scope, summary } = route;
  const { id, tag, description, parameters = [], request } = operation;
  const words = [description, scopeWords[scope]].filter((text) => text !== undefined);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: words.join('\n\n'),
    'x-scope': scope,
    security: scope === 'none' ? [] : Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map((each) => parameterOf(each, schemas)) }),
    ...(request === undefined ? {} : { requestBody: { required: true, content: contentOf(request, schemas) } }),
    responses: {
      ...Object.fromEntries(operation.answers.map((answer) => [answer.status, answerOf(answer, schemas)])),
      ...errorAnswers(errorsOf(route, operation), operation, schemas, examples),
    },
  };
}

function parameterOf({ schema, example, ...rest }: Parameter, schemas: Schemas): JsonObject {
  return {
    ...rest,
    ...(rest.in === 'path' ? { required: true } : {}),
    schema: schemas.show(schema),
    ...(example === undefined ? {} : { example }),
  };
}

function contentOf(content: readonly Content[], schemas: Schemas): JsonObject {
  return Object.fromEntries(
    content.map(({ type, schema, examples }) => [
      type,
      { schema: schemas.show(schema), ...(examples === undefined ? {} : { examples: examples as unknown as JsonObject }) },
    ]),
  );
}

const requestId: JsonObject = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };

function answerOf({ description, content, headers = {} }: DescribedAnswer, schemas: Schemas): JsonObject {
  const own = Object.entries(headers).map(([name, words]) => [name, { description: words, schema: { type: 'string' } }]);
  return {
    description,
    headers: { ...requestId, ...Object.fromEntries(own) },
    ...(content.length === 0 ? {} : { content: contentOf(content, schemas) }),
  };
}

/** Headers that belong to a status. */
const errorHeaders: Readonly<Record<number, JsonObject>> = {
  401: { 'WWW-Authenticate': { description: '`Bearer`', schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Whole seconds.', schema: { type: 'integer' } } },
};

/** One answer for each status, with an example for each code. */
function errorAnswers(
  errors: readonly DocumentedError[],
  { answers }: Operation,
  schemas: Schemas,
  examples: Record<string, Json>,
): JsonObject {
  const byStatus = Map.groupBy(errors, ({ status }) => status);
  const told = [...byStatus].filter(([status]) => answers.every((answer) => answer.status !== status));
  return Object.fromEntries(
    told.map(([status, some]) => {
      for (const { name, when, envelope } of some) examples[name] = { summary: when, value: envelope as unknown as Json };
      const references = some.map(({ name }) => [name, { $ref: `#/components/examples/${name}` }]);
      const answer = {
        description: some.map(({ when, code }) => `${when} (\`${code}\`)`).join(' '),
        headers: { ...requestId, ...errorHeaders[status] },
        content: { 'application/json': { schema: schemas.show(errorSchema), examples: Object.fromEntries(references) } },
      };
      return [status, answer];
    }),
  );
}

function sorted(map: Readonly<Record<string, Json>>): JsonObject {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
