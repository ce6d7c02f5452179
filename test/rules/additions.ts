/**
 * The rows of the README's table "to add", each carried out: the edits that make such a thing, and edits left out or done
 * by half, each with the check that then fails.
 */
import { type Addition, after, before, both, compiler, replace } from './edits.ts';
import { protocol } from './protocol-addition.ts';

/** A row of the catalog, whose address is a server of the test. */
function provider(upstream: string): Addition {
  const row = (variable: string, more: string) =>
    before(
      'src/catalog/providers.ts',
      '];\n\nexport const catalogProviders',
      `  row('acme', 'Acme', ['${variable}'], [completions('${upstream}')], { aliases: ['acme-llm']${more} }),\n`,
    );
  return {
    row: 'a provider of a known protocol',
    edits: [
      row('ACME_API_KEY', ', local: true'),
      {
        path: 'docs/providers.md',
        change: (text) => `${text.trimEnd()}\n| \`acme\` | Acme | \`ACME_API_KEY\` | \`acme-llm\` |\n`,
      },
    ],
    halves: [
      {
        what: 'a provider that would get the key of another',
        leaveOut: 'src/catalog/providers.ts',
        instead: row('OPENAI_API_KEY', '').change,
        guard: 'test/catalog/data.test.ts',
        tests: 'one key is never sent to two vendors',
      },
      {
        what: 'a provider that the page does not have',
        leaveOut: 'docs/providers.md',
        guard: 'test/rules/docs.test.ts',
        tests: 'the table of providers',
      },
    ],
  };
}

const commandFile = (examples: string) => `/** \`ola moon\`. */
import { command } from '../command.ts';
import { exitCodes } from '../ports.ts';

export const moon = command({
  path: ['moon'],
  summary: 'Show the phase of the moon',
  options: {},
  arguments: {},
  examples: [${examples}],
  async run({ ports }) {
    ports.terminal.out('full\\n');
    return exitCodes.ok;
  },
});
`;

const command: Addition = {
  row: 'a command',
  edits: [
    {
      path: 'src/cli/commands/moon.ts',
      change: () => commandFile("{ command: 'ola moon', note: 'for people' }"),
    },
    both(
      before('src/cli/commands/all.ts', "import { status } from './status.ts';\n", "import { moon } from './moon.ts';\n"),
      before('src/cli/commands/all.ts', '  help,\n];', '  moon,\n'),
    ),
  ],
  halves: [
    {
      what: 'a command without an example',
      leaveOut: 'src/cli/commands/moon.ts',
      instead: () => commandFile(''),
      guard: 'test/cli/commands/all.test.ts',
      tests: 'ola moon',
    },
  ],
};

const routesFile = 'src/http/routes/keys.ts';
const keysRoute = (scope: string) =>
  after(
    routesFile,
    '  return [\n',
    `    route({ method: 'GET', path: '/config/keys',${scope} summary: 'Name the cipher that seals secrets', answer: Type.Object({ cipher: Type.String() }) },
      (call) => reply(call, { cipher: 'AES-256-GCM' }),
    ),
`,
  );

const route: Addition = {
  row: 'a route',
  edits: [
    keysRoute(" scope: 'admin',"),
    after(
      'src/http/reference/server.ts',
      'export const serverOperations: Operations = {\n',
      `  'GET /config/keys': {
    id: 'getKeys',
    tag: 'Configuration',
    answers: [{ description: 'The cipher.', example: { cipher: 'AES-256-GCM' } }],
  },
`,
    ),
    after(
      'test/http/reference/reference.test.ts',
      "    await expectTold(200, 'POST', '/config/keys/rotate', '/config/keys/rotate');\n",
      "    await expectTold(200, 'GET', '/config/keys', '/config/keys');\n",
    ),
    before(
      'docs/api.md',
      '| `POST /config/keys/rotate` |',
      '| `GET /config/keys` | admin | Name the cipher that seals secrets |\n',
    ),
  ],
  halves: [
    {
      what: 'a route without a scope',
      leaveOut: routesFile,
      instead: keysRoute('').change,
      guard: compiler,
      tests: '',
      says: "Property 'scope' is missing",
    },
    {
      what: 'a route that the reference says nothing of',
      leaveOut: 'src/http/reference/server.ts',
      guard: 'test/http/reference/reference.test.ts',
      tests: 'has every route of the table',
    },
    {
      what: 'a route that no test asks',
      leaveOut: 'test/http/reference/reference.test.ts',
      guard: 'test/http/reference/reference.test.ts',
      tests: 'are what it says they are',
    },
    {
      what: 'a route that the page does not have',
      leaveOut: 'docs/api.md',
      guard: 'test/rules/docs.test.ts',
      tests: 'the table of routes',
    },
  ],
};

const setting: Addition = {
  row: 'a key of the document',
  edits: [
    before(
      'src/core/document.ts',
      '    publicHosts: Type.Optional(',
      "    modelNote: Type.Optional(text('stands in the list of models')),\n",
    ),
    before(
      'docs/configuration.md',
      '| `publicHosts` |',
      '| `modelNote` | a note that stands in the list of models | none | yes |\n',
    ),
  ],
  acting: replace(
    'src/http/routes/models.ts',
    'data: await gateway.listModels() }',
    'data: await gateway.listModels(), note: gateway.config.snapshot().open.modelNote }',
  ),
  halves: [
    {
      what: 'a key that nothing acts on',
      leaveOut: 'src/http/routes/models.ts',
      guard: 'test/rules/configuration.test.ts',
      tests: 'is read by the code',
    },
    {
      what: 'a key that the page does not have',
      leaveOut: 'docs/configuration.md',
      guard: 'test/rules/configuration.test.ts',
      tests: 'every key is on the page',
    },
  ],
};

const variable: Addition = {
  row: 'a variable',
  edits: [
    both(
      before(
        'src/core/settings.ts',
        '  /** `DISABLE_AUTH`:',
        '  /** `OPEN_LLM_AUTH_MOTTO`. */\n  readonly motto: string | null;\n',
      ),
      before('src/core/settings.ts', '    disableAuth: flag(', "    motto: text(environment, 'OPEN_LLM_AUTH_MOTTO'),\n"),
    ),
    before('test/core/settings.test.ts', '      disableAuth: false,\n', '      motto: null,\n'),
    before('docs/environment.md', '| `DISABLE_AUTH` |', '| `OPEN_LLM_AUTH_MOTTO` | a line for the log of the start |\n'),
  ],
  acting: before(
    'src/serve/serve.ts',
    '    warn(parts, home, log);\n',
    "    if (settings.motto !== null) log.log('info', settings.motto);\n",
  ),
  halves: [
    {
      what: 'a variable without a default',
      leaveOut: 'test/core/settings.test.ts',
      guard: 'test/core/settings.test.ts',
      tests: 'that says nothing',
    },
    {
      what: 'a variable that the page does not have',
      leaveOut: 'docs/environment.md',
      guard: 'test/rules/docs.test.ts',
      tests: 'every variable of ola',
    },
  ],
};

/** In the order of the README's table. @param vendor the base URL of the provider that is added */
export const additionsOver = (vendor: string): readonly Addition[] => [
  provider(vendor),
  protocol,
  command,
  route,
  setting,
  variable,
];
