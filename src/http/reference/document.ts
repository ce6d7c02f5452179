/** The OpenAPI document of every route, made when it is first asked for: of the route table and of what the operations say. */
import { type ElysiaSwaggerConfig, swagger } from '@elysiajs/swagger';
import type { TObject, TSchema } from '@sinclair/typebox';
import { Elysia } from 'elysia';
import { documentSchema, profileSchema, providerSchema } from '../../core/document.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Route } from '../route.ts';
import { anthropicOperations } from './anthropic.ts';
import { authProfileOperations } from './auth-profiles.ts';
import { configOperations } from './config.ts';
import { cooldownOperations } from './cooldowns.ts';
import { type DocumentedError, errorSchema, errorsOf } from './errors.ts';
import { explainOperations } from './explain.ts';
import { googleOperations } from './google.ts';
import { historyOperations } from './history.ts';
import { ollamaOperations } from './ollama.ts';
import { openAiOperations } from './openai.ts';
import type {
  DescribedAnswer,
  DescribedRequest,
  ErrorForm,
  Operation,
  OperationKey,
  Operations,
  Parameter,
} from './operations.ts';
import { tags } from './operations.ts';
import { responsesOperations } from './responses.ts';
import { createSchemas, type Schemas } from './schemas.ts';
import { serverOperations } from './server.ts';
import { tokenOperations } from './tokens.ts';
import { usageOperations } from './usage.ts';
import { introduction, scopeWords, securitySchemes, tagWords } from './words.ts';

/** A test holds that each route has an operation, and each operation a route. */
export const operations: Operations = {
  ...tokenOperations,
  ...configOperations,
  ...cooldownOperations,
  ...explainOperations,
  ...authProfileOperations,
  ...openAiOperations,
  ...anthropicOperations,
  ...googleOperations,
  ...ollamaOperations,
  ...responsesOperations,
  ...historyOperations,
  ...usageOperations,
  ...serverOperations,
};

/** Where the plugin serves the document. */
const specPath = '/document';

/**
 * The plugin is part of the given stack. It reads an Elysia app whose routes have details; the app that serves has none, so
 * that a start does not pay for them, and this one is for the plugin alone.
 * @throws Error when a route has no operation
 */
export async function referenceDocument(routes: readonly Route[], version: string): Promise<JsonObject> {
  const shared = createShared();
  const described = routes.map((route) => {
    const operation = operations[keyOf(route)];
    if (operation === undefined) throw new Error(`${keyOf(route)} has no operation`);
    return { route, operation, detail: detailOf(route, operation, shared) };
  });
  const documentation = {
    // The schemas of TypeBox are JSON Schema, which OpenAPI 3.0 does not take.
    openapi: '3.1.0',
    info: { title: 'ola', version, description: introduction, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/', description: 'this gateway' }],
    tags: tags.map((name) => ({ name, description: tagWords[name] })),
    components: { ...shared.components(), securitySchemes },
  } as unknown as NonNullable<ElysiaSwaggerConfig['documentation']>;
  const app = new Elysia().use(swagger({ specPath, excludeStaticFile: false, documentation }));
  for (const { route, operation, detail } of described) {
    // The plugin leaves wildcards out, so the path is the one that is shown, in Elysia's form.
    const path = operation.path?.replace(verbBehind, '~$2/{$1}').replace(/\{(\w+)\}/g, ':$1') ?? route.path;
    app.route(route.method, path, () => '', { detail });
  }
  const response = await app.handle(new Request(`http://localhost${specPath}`));
  return JSON.parse((await response.text()).replaceAll(verbBefore, '{$2}:$1')) as JsonObject;
}

/** A verb behind a parameter, which Elysia does not know: it is moved in front for the plugin, and back. */
const verbBehind = /\{(\w+)\}:(\w+)$/;
const verbBefore = /~(\w+)\/\{(\w+)\}/g;

function keyOf({ method, path }: Route): OperationKey {
  return `${method} ${path as `/${string}`}`;
}

/** What operations refer to instead of repeating it. */
interface Shared {
  readonly schemas: Schemas;
  /** The answer of a status with these errors. @returns a reference to it */
  errorAnswer(status: number, errors: readonly DocumentedError[], form: ErrorForm | undefined): JsonObject;
  components(): JsonObject;
}

/** Headers of every answer with that status. */
const errorHeaders: Readonly<Record<number, JsonObject>> = {
  401: { 'WWW-Authenticate': { description: '`Bearer`', schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Whole seconds.', schema: { type: 'integer' } } },
};
const requestId: JsonObject = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };

function createShared(): Shared {
  const schemas = createSchemas({ Provider: providerSchema, AuthProfile: profileSchema, Configuration: documentSchema });
  const examples: Record<string, Json> = {};
  const responses: Record<string, Json> = {};
  return {
    schemas,
    errorAnswer(status, errors, form) {
      for (const { component, when, envelope } of errors) examples[component] = { summary: when, value: envelope };
      const key = [...(form === undefined ? [] : [form.name]), status, ...errors.map(({ name }) => name)].join('.');
      responses[key] ??= {
        description: errors.map(({ when, code }) => `- \`${code}\`: ${when}`).join('\n'),
        headers: { ...requestId, ...errorHeaders[status] },
        content: {
          'application/json': {
            schema: schemas.show(form?.schema ?? errorSchema),
            examples: Object.fromEntries(
              errors.map(({ name, component }) => [name, { $ref: `#/components/examples/${component}` }]),
            ),
          },
        },
      };
      return { $ref: `#/components/responses/${key}` };
    },
    components: () => ({
      schemas: schemas.components(),
      responses: sorted(responses),
      examples: sorted(examples),
      headers: {
        RequestId: {
          description: 'The id of this request in the log: the client’s own, if it is plain, else a new one.',
          schema: { type: 'string' },
        },
      },
    }),
  };
}

function detailOf(route: Route, operation: Operation, shared: Shared): object {
  const { scope, summary } = route;
  const { id, tag, description, vendorPage, parameters = [] } = operation;
  const words = [description, scopeWords[scope]].filter((text) => text !== undefined);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: words.join('\n\n'),
    ...(vendorPage === undefined ? {} : { externalDocs: { url: vendorPage, description: 'The vendor’s reference' } }),
    'x-scope': scope,
    security: scope === 'none' ? [] : Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map((each) => parameterOf(each, shared)) }),
    ...requestOf(route, operation, shared),
    responses: {
      ...Object.fromEntries(operation.answers.map((answer) => [answer.status ?? 200, answerOf(route, answer, shared)])),
      ...errorAnswers(route, operation, shared),
    },
  };
}

function parameterOf({ schema, example, ...rest }: Parameter, { schemas }: Shared): JsonObject {
  return {
    ...rest,
    ...(rest.in === 'path' ? { required: true } : {}),
    schema: schemas.show(schema),
    ...(example === undefined ? {} : { example }),
  };
}

function requestOf(route: Route, { request = {} }: Operation, { schemas }: Shared): JsonObject {
  const { type = 'application/json', schema = route.body, fields = {}, examples = {}, fitting = {} } = request;
  if (schema === undefined) return {};
  const shown = Object.entries(examples).map(([summary, value], index) => {
    const parameters = fitting[summary];
    return [`example${index + 1}`, { summary, value, ...(parameters && { 'x-parameters': parameters }) }];
  });
  const content = {
    schema: schemas.show(withFields(schema, fields)),
    ...(shown.length === 0 ? {} : { examples: Object.fromEntries(shown) }),
  };
  return { requestBody: { required: true, content: { [type]: content } } };
}

function withFields(schema: TSchema, fields: NonNullable<DescribedRequest['fields']>): TSchema {
  const { properties } = schema as Partial<TObject>;
  if (properties === undefined) return schema;
  const described = Object.entries(properties).map(([name, field]) => {
    const said = fields[name];
    return [name, typeof said === 'string' ? { ...field, description: said } : (said ?? field)];
  });
  return { ...schema, properties: Object.fromEntries(described) };
}

function answerOf({ answer }: Route, described: DescribedAnswer, { schemas }: Shared): JsonObject {
  const { description, headers = {}, example } = described;
  const json =
    answer === undefined ? [] : [{ type: 'application/json', schema: answer, ...(example === undefined ? {} : { example }) }];
  const content = (described.content ?? json).map(({ type, schema, ...rest }) => [
    type,
    { schema: schemas.show(schema), ...rest },
  ]);
  const own = Object.entries(headers).map(([name, words]) => [name, { description: words, schema: { type: 'string' } }]);
  return {
    description,
    headers: { ...requestId, ...Object.fromEntries(own) },
    ...(content.length === 0 ? {} : { content: Object.fromEntries(content) }),
  };
}

/** By status; not for a status that the operation itself describes. */
function errorAnswers(route: Route, operation: Operation, shared: Shared): JsonObject {
  const own = new Set(operation.answers.map(({ status }) => status));
  const byStatus = Map.groupBy(errorsOf(route, operation), ({ status }) => status);
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => !own.has(status))
      .map(([status, errors]) => [status, shared.errorAnswer(status, errors, operation.errorForm)]),
  );
}

function sorted(map: Readonly<Record<string, Json>>): JsonObject {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
