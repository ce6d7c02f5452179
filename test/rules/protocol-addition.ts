/** A wire protocol that says back what it hears: a folder, and everything that a protocol and its one route need beside it. */
import { type Addition, after, before } from './edits.ts';

const source = `/** A server that says back what it hears. */
import { Type } from '@sinclair/typebox';

import type { ClientRoute, Exchange, Protocol, UpstreamFailure, WholeAnswer } from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';

const route: ClientRoute = {
  path: '/v1/echo',
  operation: 'other',
  summary: 'Say back what is heard',
  schema: Type.Object({ model: Type.String(), text: Type.String() }, { additionalProperties: true }),
  needsModel: null,
  peek: (body) => ({ model: 'fields' in body ? String(body.fields['model']) : null, stream: false, maxTokens: null }),
};

const failure = (kind: UpstreamFailure['kind'], status: number, message: string): UpstreamFailure =>
  ({ kind, status, message, param: null, code: null, retryAfterMs: null, body: null });

function whole(text: string): WholeAnswer | UpstreamFailure {
  try {
    const { words } = JSON.parse(text) as { words: number };
    if (typeof words === 'number') return { body: text, tokens: { ...noTokenCounts, prompt: words, completion: words } };
  } catch {
    // No JSON is no echo.
  }
  return failure('malformed', 502, 'sent no echo');
}

export const echo: Protocol = {
  id: 'echo',
  clientRoutes: [route],
  modelList: null,
  chatPath: null,
  envelopePaths: ['/v1/echo'],
  direct: ({ body }, { id }): Exchange => ({
    method: 'POST',
    path: '/echo',
    body: JSON.stringify({ ...('fields' in body ? body.fields : {}), model: id }),
    contentType: null,
    headers: null,
    notes: null,
    added: [],
    expects: 'whole',
    answerKind: () => 'whole',
    labelOf: () => 'application/json',
    whole,
    pipe() {
      throw new Error('an echo comes whole');
    },
  }),
  chat: null,
  count: null,
  models: null,
  headersUp: { names: [], prefixes: [] },
  headersDown: { names: [], prefixes: [] },
  readFailure: (status) => failure(status === 413 ? 'context_overflow' : 'server_error', status, 'the echo failed'),
  errorBody: (error) => JSON.stringify({ error: { message: error.message } }),
  errorEvent: (error) => new TextEncoder().encode(JSON.stringify({ error: { message: error.message } })),
  keepAlive: null,
};
`;

const samples = `import type { Sample } from '../../contract/protocol.ts';

export const echo: readonly Sample[] = [
  {
    path: '/v1/echo',
    request: { model: 'MODEL', text: 'hello' },
    answer: '{"text":"hello","words":1}',
    prompt: 1,
    completion: 1,
    tooLong: { status: 413, body: '' },
  },
];
`;

const operation = `  'POST /v1/echo': {
    id: 'createEcho',
    tag: 'Inference',
    vendorPage: 'https://echo.example/docs',
    request: {
      examples: { 'A word': { model: 'mountain/cave', text: 'hello' }, 'Two words': { model: 'mountain/cave', text: 'hello there' } },
    },
    answers: [
      {
        description: 'The echo.',
        content: [{ type: 'application/json', schema: Type.Unknown(), example: { text: 'hello', words: 1 } }],
      },
    ],
  },
`;

const contract = 'test/protocols/contract.test.ts';
const reference = 'src/http/reference/server.ts';

export const protocol: Addition = {
  row: 'a protocol',
  edits: [
    { path: 'src/protocols/echo/protocol.ts', change: () => source },
    {
      path: 'src/protocols/all.ts',
      change: (text) =>
        `import { echo } from './echo/protocol.ts';\n${text.replace(/\[(\s*)openaiCompletions/, '[$1openaiCompletions, echo')}`,
    },
    { path: 'test/protocols/echo/samples.ts', change: () => samples },
    {
      path: contract,
      change: (text) =>
        `import { echo } from './echo/samples.ts';\n${text.replace("'openai-completions': openaiCompletions", "'openai-completions': openaiCompletions, echo")}`,
    },
    after(reference, 'export const serverOperations: Operations = {\n', operation),
    before('docs/api.md', '| `GET /v1/models` |', '| `POST /v1/echo` | write | Say back what is heard |\n'),
  ],
  halves: [
    {
      what: 'a folder that is not in the table',
      leaveOut: 'src/protocols/all.ts',
      guard: contract,
      tests: 'every protocol of the table',
    },
    {
      what: 'a protocol without samples',
      leaveOut: contract,
      guard: contract,
      tests: 'every protocol of the table',
    },
    {
      what: 'a protocol that does not tell what is too long',
      leaveOut: 'src/protocols/echo/protocol.ts',
      instead: () => source.replace("status === 413 ? 'context_overflow' : 'server_error'", "'server_error'"),
      guard: contract,
      tests: 'protocol echo',
    },
    {
      what: 'a route that the reference says nothing of',
      leaveOut: reference,
      guard: 'test/http/reference/reference.test.ts',
      tests: 'has every route of the table',
    },
    {
      what: 'a route that the page does not have',
      leaveOut: 'docs/api.md',
      guard: 'test/rules/docs.test.ts',
      tests: 'the table of routes',
    },
  ],
};
