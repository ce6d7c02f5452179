/** Everything that README.md and docs/ tell a reader to type is typed here, against the binary; see sandbox.ts for how. */
import { afterAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, blocksOf, commandsOf, hasClaimed, isOutput } from './markdown.ts';
import { openSandbox, type Sandbox } from './sandbox.ts';
import { stage } from './stage.ts';

const root = join(import.meta.dir, '../..');
const { directory, upstream } = stage();
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((path) => blocksOf(text(path)).length > 0);

const firstLine = ({ text: said }: Block) => said.split('\n')[0] ?? '';

/** Blocks that are not run, by document and first line, with the reason. */
const leftOut: readonly { readonly document: string; readonly block: string; readonly why: string }[] = [
  {
    document: 'docs/deno.md',
    block: 'deno run --quiet --cached-only --allow-all --config deno.json src/main.ts serve --demo',
    why: 'it shows what scripts/ola-deno.sh runs, which the block before it does; a reader has no deno in the PATH',
  },
  {
    document: 'README.md',
    block:
      'ANTHROPIC_BASE_URL=http://127.0.0.1:8080 ANTHROPIC_API_KEY=$(ola token create claude --expires 30d) claude --model groq/llama-3.3-70b-versatile',
    why: 'it starts Claude Code, which `npm run agents` installs and plays with the same variables',
  },
];

/** A command that makes keys of passphrases takes seconds on a busy machine. */
const longestMs = 600_000;

const open: Sandbox[] = [];
afterAll(async () => {
  for (const each of open) await each.close();
});

async function sandbox(): Promise<Sandbox> {
  const made = await openSandbox(directory(), (await upstream()).port);
  open.push(made);
  return made;
}

/** What is changed in a copy of the README, and what is said of it. */
const mistakes = [
  { what: 'a command that is not there', from: 'ola token list', to: 'ola token lst', said: "unknown command 'lst'" },
  {
    what: 'an option that is not there',
    from: 'ola config history ',
    to: 'ola config history --jsno ',
    said: "unknown option '--jsno'",
  },
  { what: 'a route that is not there', from: '8080/v1/models', to: '8080/v1/modles', said: 'route_not_found' },
  { what: 'a body that does not fit', from: '"allowLocal": true', to: '"allowLocal": "yes"', said: 'invalid_field' },
  {
    what: 'a key of the configuration that is not there',
    from: 'set defaultModel',
    to: 'set defaultModle',
    said: 'defaultModle',
  },
  { what: 'an answer that is another one', from: 'You said: Hello', to: 'You say: Hello', said: 'not what is printed' },
  { what: 'an output that is another one', from: 'Ask something:', to: 'Ask anything:', said: 'not what is printed' },
  { what: 'an npm script that is not there', from: 'npm run build', to: 'npm run bulid', said: "no script 'bulid'" },
  {
    what: 'a program that fails',
    from: 'create editor --expires 30d) node ',
    to: 'create other) node no-',
    said: 'no-client.mjs',
  },
  {
    what: 'a model that the catalog does not have',
    from: "llama-3.3-70b-versatile'",
    to: "llama-3'",
    said: 'lists no groq/llama-3',
  },
] as const;

describe('every block does what it says', () => {
  for (const document of documents) {
    const passedOver = leftOut.filter((each) => each.document === document).map(({ block }) => block);
    // The README is also read with mistakes in it, each behind the block that it is made in: one way through is enough for both.
    const made = new Set<string>();
    test(
      document,
      async () => {
        const reader = await sandbox();
        for (const block of blocksOf(text(document))) {
          if (passedOver.includes(firstLine(block))) continue;
          expect(await reader.run(block)).toBeNull();
          if (document !== 'README.md') continue;
          for (const { what, from, to, said } of mistakes.filter((each) => block.text.includes(each.from))) {
            made.add(what);
            expect([what, (await reader.run({ ...block, text: block.text.replaceAll(from, to) }))?.what]).toEqual([
              what,
              expect.stringContaining(said),
            ]);
          }
        }
        await reader.close();
        if (document === 'README.md') expect([...made].sort()).toEqual(mistakes.map(({ what }) => what).sort());
      },
      longestMs,
    );
  }

  test(
    'a failure inside of an export, which the shell does not tell, is one',
    async () => {
      const reader = await sandbox();
      const [block, right] = blocksOf('```sh\nexport A=$(ola token make x)\n```\n```sh\nexport A=$(ola token create x)\n```');
      expect((await reader.run(block!))?.what).toContain("unknown command 'make'");
      expect(await reader.run(right!)).toBeNull();
    },
    longestMs,
  );

  test(
    'a block of an unknown kind is an error',
    async () => {
      const reader = await sandbox();
      for (const block of blocksOf('```python\nprint(1)\n```\n\n```text\na picture\n```\n\n```\nx\n```')) {
        expect((await reader.run(block))?.what).toContain('neither run nor compared');
      }
    },
    longestMs,
  );

  test('what is left out is there, with a reason', () => {
    for (const { document, block, why } of leftOut) {
      expect(blocksOf(text(document)).map(firstLine)).toContain(block);
      expect(why.length).toBeGreaterThan(20);
    }
  });

  test('a command that runs until it is stopped is the last of its block: behind it a reader needs another terminal', () => {
    const runs = /^\s*(?:npm start\b|(?:\S.*?[\s/])?(?:ola|ola-deno\.sh) serve\b)/;
    const blocks = documents.flatMap((document) =>
      blocksOf(text(document))
        .filter(({ language }) => language === 'sh')
        .map((block) => ({ document, commands: commandsOf(block.text).map((command) => command.text) })),
    );
    const serving = blocks.filter(({ commands }) => commands.some((command) => runs.test(command)));
    expect(serving.length).toBeGreaterThan(8);
    expect(serving.filter(({ commands }) => commands.findIndex((command) => runs.test(command)) < commands.length - 1)).toEqual(
      [],
    );
  });

  test('there is something of every kind to run', () => {
    const kinds = documents.flatMap((document) => blocksOf(text(document)).map(({ language, word }) => `${language} ${word}`));
    for (const kind of ['sh ', 'sh refused', 'sh stopped', 'js ', 'jsonc ', 'jsonc ola.jsonc', 'text output', 'json output']) {
      expect(kinds).toContain(kind);
    }
  });
});

describe('blocks are read as a shell and a reader do', () => {
  test('commands with their quotes and continuations, without comments', () => {
    const block = "# it's a comment\na 'x\ny' # don't\n\nb \\\n  -c \"d'\"\ne";
    expect(commandsOf(block)).toEqual([
      { line: 2, text: "a 'x\ny' # don't" },
      { line: 5, text: 'b \\\n  -c "d\'"' },
      { line: 7, text: 'e' },
    ]);
    expect(() => commandsOf("a 'b")).toThrow('no end');
    expect(() => blocksOf('```sh\na')).toThrow('no end');
  });

  test('an output with what differs left open', () => {
    expect(isOutput('a …\n…\nd', 'a 1\nb\nc\nd\n')).toBe(true);
    expect(isOutput('a …\n…\nd', 'a 1\nd')).toBe(true);
    expect(isOutput('a\nd', 'a\nb\nd')).toBe(false);
    expect(isOutput('a.', 'ab')).toBe(false);
    expect(isOutput('a', 'a b')).toBe(false);
    expect(isOutput('b', 'a b')).toBe(false);
  });

  test('an answer that has at least what is claimed', () => {
    const given = { a: 1, b: [{ c: 'x-1', d: null }], e: true };
    expect(hasClaimed({ a: 1, b: [{ c: 'x-…', d: null }] }, given)).toBe(true);
    expect(hasClaimed({ e: '…' }, given)).toBe(true);
    for (const claimed of [{ a: 2 }, { b: [{ c: 'y-…' }] }, { f: '…' }, { b: {} }, { b: [{ d: 0 }] }, { e: 'true' }]) {
      expect([claimed, hasClaimed(claimed, given)]).toEqual([claimed, false]);
    }
    expect(hasClaimed({}, undefined)).toBe(false);
  });
});

describe('the stand-in for curl', () => {
  const file = join(directory(), 'part.txt');
  writeFileSync(file, 'in a file');
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const type = request.headers.get('content-type') ?? '';
      const body = type.startsWith('multipart/')
        ? await Promise.all(
            [...(await request.formData())].map(async ([name, value]) => [name, await new Response(value).text()]),
          )
        : await request.text();
      const status = request.url.endsWith('/refused') ? 404 : 200;
      return Response.json({ method: request.method, type, x: request.headers.get('x-a'), body }, { status });
    },
  });
  afterAll(() => server.stop(true));

  async function curl(...words: string[]) {
    const command = [process.execPath, join(import.meta.dir, 'curl.ts'), ...words];
    const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const out = await new Response(child.stdout).text();
    return { code: await child.exited, out, err: await new Response(child.stderr).text() };
  }
  const at = (path: string) => `http://127.0.0.1:${server.port}${path}`;

  test('sends what it is told to, as curl does', async () => {
    expect(JSON.parse((await curl('-s', at('/'))).out)).toEqual({ method: 'GET', type: '', x: null, body: '' });
    const typed = ['-H', 'Content-Type: application/json', '-H', 'X-A: b: c'];
    expect(JSON.parse((await curl('-sN', '-X', 'PUT', ...typed, '-d', '{"a":1}', at('/'))).out)).toEqual({
      method: 'PUT',
      type: 'application/json',
      x: 'b: c',
      body: '{"a":1}',
    });
    expect(JSON.parse((await curl(at('/'), '--data-binary', `@${file}`)).out)).toMatchObject({
      method: 'POST',
      body: 'in a file',
    });
    const form = JSON.parse((await curl(at('/'), '-F', 'model=a', '-F', `file=@${file}`)).out) as { body: unknown };
    expect(form.body).toEqual([
      ['model', 'a'],
      ['file', 'in a file'],
    ]);
    const saved = join(directory(), 'saved.json');
    expect((await curl('-o', saved, at('/'))).out).toBe('');
    expect(readFileSync(saved, 'utf8')).toContain('"method":"GET"');
  });

  test('fails as curl does, and for what it does not know', async () => {
    expect(await curl(at('/refused'))).toMatchObject({ code: 0 });
    expect(await curl('--fail-with-body', at('/refused'))).toMatchObject({ code: 22, out: expect.stringContaining('GET') });
    expect(await curl('--compressed', at('/'))).toMatchObject({ code: 7, err: expect.stringContaining('--compressed') });
    expect(await curl('http://127.0.0.1:1/')).toMatchObject({ code: 7 });
  });
});
