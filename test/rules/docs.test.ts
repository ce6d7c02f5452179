/** What the documents say against the code: names of files, links, commands, variables, routes, codes, rooms. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { rooms } from '../../scripts/rooms.ts';
import { drawRooms } from '../../scripts/rooms-picture.ts';
import { createCatalog } from '../../src/catalog/lookup.ts';
import { catalogProviders } from '../../src/catalog/providers.ts';
import { errorStatus } from '../../src/core/errors.ts';
import { readSettings } from '../../src/core/settings.ts';
import { protocols } from '../../src/protocols/all.ts';
import { blocksOf, commandsOf, spansOf } from '../e2e/markdown.ts';
import { missingScript } from '../e2e/sandbox.ts';
import { type AppScene, open } from '../http/scene.ts';
import { whatIsWrong } from './typed.ts';

const root = join(import.meta.dir, '../..');
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe('a file that a document names exists', () => {
  for (const document of documents) {
    const named = new Set(text(document).match(/(?<![\w/.-])(?:src|test|scripts|docs)\/[\w./-]*\w/g));
    for (const path of named) {
      test(`${document}: ${path}`, () => {
        expect(existsSync(join(root, path))).toBe(true);
      });
    }
  }
});

describe('a link of a document leads somewhere', () => {
  const anchorOf = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-');
  for (const document of documents) {
    test(document, () => {
      for (const [, target = ''] of text(document).matchAll(/\]\(([^)]+)\)/g)) {
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? document : join(dirname(document), file);
        expect([target, existsSync(join(root, path))]).toEqual([target, true]);
        const anchors =
          anchor === undefined ? [] : [...text(path).matchAll(/^#+ (.+)$/gm)].map(([, line = '']) => anchorOf(line));
        if (anchor !== undefined) expect(anchors).toContain(anchor);
      }
    });
  }
});

test('every page and picture is listed in the index', () => {
  const index = text('docs/README.md');
  for (const name of readdirSync(join(root, 'docs')).filter((each) => each !== 'README.md')) {
    expect(index).toContain(`](${name})`);
  }
});

describe('a command that a document names exists, with its options', () => {
  for (const document of documents) {
    test(document, () => {
      const spans = spansOf(text(document));
      const typed = [...spans, ...blockCommands(text(document))].flatMap(({ line, text: said }) => {
        const wrong = said.startsWith('ola ') ? whatIsWrong(said) : npmFault(said);
        return wrong === null ? [] : [`${document}:${line}: \`${said}\`: ${wrong}`];
      });
      expect(typed).toEqual([]);
    });
  }
});

function blockCommands(document: string): { readonly line: number; readonly text: string }[] {
  return blocksOf(document)
    .filter(({ language, word }) => language === 'sh' && word !== 'refused')
    .flatMap((block) =>
      commandsOf(block.text).map((command) => ({ line: block.line + command.line, text: command.text.trim() })),
    );
}

function npmFault(said: string): string | null {
  const script = /^npm (?:run )?([\w-]+)/.exec(said)?.[1];
  return script === undefined ? null : missingScript(script);
}

test('a command that does not exist, or has no such option, is found', () => {
  expect(whatIsWrong('ola token make NAME')).toContain('make');
  expect(whatIsWrong('ola tokens')).toContain('tokens');
  expect(whatIsWrong('ola serve --prot 80')).toContain('--prot');
  expect(whatIsWrong('ola status now')).toContain('now');
  expect(whatIsWrong('ola config show|gett')).toContain('gett');
  expect(npmFault('npm run benhc')).toContain('benhc');
  for (const right of [
    'ola help',
    'ola config',
    'ola config get|set PATH',
    'ola token create NAME --expires 30d',
    'ola --version',
  ]) {
    expect([right, whatIsWrong(right)]).toEqual([right, null]);
  }
});

test('every decision names the test that holds it', () => {
  const rows = text('docs/decisions.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| decision'));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) expect(row).toMatch(/\| test\/[\w./-]+\.test\.ts \|$/);
});

test('every fault has a row that says what was seen and names its tests', () => {
  const rows = [...text('docs/faults.md').matchAll(/^\| F(\d+) \| (.+) \| (.+) \| (.+) \| (.+) \|$/gm)];
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 28 }, (_, at) => at + 1));
  for (const [, , , , , tests] of rows) expect(tests).toMatch(/^test\/[\w./-]+\.test\.ts(?:, test\/[\w./-]+\.test\.ts)*$/);
});

/** Names that are read: through the settings, by asking them for everything, and for the registry by the catalog. */
function variablesRead(): Set<string> {
  const read = new Set<string>();
  const spy = new Proxy<Record<string, string | undefined>>({}, { get: (_, name) => void read.add(String(name)) });
  readSettings(spy);
  return read;
}

test('every variable of ola that is read is documented, and every documented one is read', () => {
  const page = text('docs/environment.md');
  const read = variablesRead();
  expect(read.size).toBeGreaterThan(8);
  for (const name of read) expect(page).toContain(`| \`${name}\` |`);
  const known = new Set([...read, ...catalogProviders.flatMap(({ envVars }) => envVars)]);
  for (const document of documents) {
    for (const [, name = ''] of text(document).matchAll(/`((?:OPEN_LLM_AUTH|LLM_INTERACTIVE)_[A-Z_]+|[A-Z]+_API_KEY)\b/g)) {
      expect([document, name, known.has(name)]).toEqual([document, name, true]);
    }
  }
});

test('the table of providers is the catalog that this version can call', () => {
  const span = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
  const rows = createCatalog(protocols.map(({ id }) => id))
    .providers()
    .map(({ id, name, envVars, aliases }) =>
      `| \`${id}\` | ${name} | ${span(envVars) || 'none'} | ${span(aliases)} |`.replace('|  |', '| |'),
    );
  const [, page = ''] = text('docs/providers.md').split('also called |\n|---|---|---|---|\n');
  expect(page.trim().split('\n')).toEqual(rows);
});

test('the table of error codes is that of the code', () => {
  const rows = [...text('docs/api.md').matchAll(/^\| (\d{3}) \| `(\w+)` \| .+ \|$/gm)];
  expect(rows.map(([, status, code]) => `${status} ${code}`).sort()).toEqual(
    Object.entries(errorStatus)
      .map(([code, status]) => `${status} ${code}`)
      .sort(),
  );
});

describe('routes', () => {
  let directory = '';
  let scene: AppScene;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ola-docs-'));
    scene = await open(directory);
  });
  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test('the table of routes is that of the server, with the scopes', () => {
    const rows = [...text('docs/api.md').matchAll(/^\| `([A-Z]+) (\/\S*)` \| (none|any|read|write|admin) \| .+ \|$/gm)];
    const written = ({ method, path, scope }: AppScene['app']['routes'][number]) =>
      `${method} ${path.replace(/\*(?=:|$)/, '{id}').replaceAll(/(?<=\/):(\w+)/g, '{$1}')} ${scope}`;
    expect(rows.map(([, method, path, scope]) => `${method} ${path} ${scope}`).sort()).toEqual(
      scene.app.routes.map(written).sort(),
    );
  });
});

describe('the picture of the rooms', () => {
  const picture = text('docs/rooms.svg');
  const topOf = (name: string): string => name.split('/')[0] ?? name;
  const reachable = (from: string, arrows: ReadonlyMap<string, readonly string[]>): Set<string> => {
    const found = new Set<string>();
    const queue = [from];
    for (let room = queue.pop(); room !== undefined; room = queue.pop()) {
      for (const next of arrows.get(room) ?? []) {
        if (!found.has(next)) queue.push(next);
        found.add(next);
      }
    }
    return found;
  };
  const drawn = new Map<string, string[]>();
  for (const [, from = '', to = ''] of picture.matchAll(/data-arrow="([\w/]+) ([\w/]+)"/g))
    drawn.set(from, [...(drawn.get(from) ?? []), to]);

  test('is what scripts/rooms-picture.ts draws', () => {
    expect(picture, 'node scripts/bootstrap.mjs run scripts/rooms-picture.ts draws it anew').toBe(drawRooms());
  });

  test('names every room and every door, and nothing else', () => {
    const boxes = [...picture.matchAll(/<g data-room="([\w/]+)"><rect [^>]*>(.*)<\/g>/g)];
    expect(boxes.map(([, name]) => name).sort()).toEqual(Object.keys(rooms).sort());
    for (const [, name = '', words] of boxes) expect(words).toContain(`>${name.split('/').at(-1)}</`);
  });

  test('its arrows lead from a room to what it and its doors may import, and to nothing else', () => {
    const table = new Map<string, string[]>();
    for (const [name, row] of Object.entries(rooms)) {
      const others = row.rooms.map(topOf).filter((room) => room !== topOf(name));
      table.set(topOf(name), [...(table.get(topOf(name)) ?? []), ...others]);
    }
    for (const room of table.keys()) {
      expect([room, ...[...reachable(room, drawn)].sort()]).toEqual([room, ...[...reachable(room, table)].sort()]);
    }
  });

  test('its arrows lead from a door to what it may import of the doors beside it, and to nothing else', () => {
    for (const name of Object.keys(rooms).filter((each) => each.includes('/'))) {
      const beside = (rooms[name]?.rooms ?? []).filter((to) => to.includes('/') && topOf(to) === topOf(name));
      expect([name, ...[...reachable(name, drawn)].sort()]).toEqual([name, ...beside.sort()]);
    }
  });

  test('has no arrow that follows from others', () => {
    for (const [from, targets] of drawn) {
      for (const to of targets) {
        const without = new Map([...drawn, [from, targets.filter((target) => target !== to)]]);
        expect([from, to, reachable(from, without).has(to)]).toEqual([from, to, false]);
      }
    }
  });

  test('has no arrow through a box', () => {
    const boxes = [...picture.matchAll(/<rect class="box[^>]* x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/g)].map(
      ([, ...numbers]) => numbers.map(Number) as [left: number, top: number, width: number, height: number],
    );
    expect(boxes.length).toBeGreaterThan(10);
    const upright = [...picture.matchAll(/data-arrow="(\w+ \w+)" d="M(\d+) (\d+)V(\d+)"/g)];
    expect(upright.length).toBeGreaterThan(10);
    for (const [, arrow, ...numbers] of upright) {
      const [at = 0, from = 0, to = 0] = numbers.map(Number);
      const crossed = boxes.filter(
        ([left, top, width, height]) => at > left && at < left + width && from < top + height && to > top,
      );
      expect([arrow, crossed]).toEqual([arrow, []]);
    }
  });
});

test('the picture of a request names the files that the README names, in their order', () => {
  const life = text('README.md').split('The life of a request')[2]?.split('| to add')[0] ?? '';
  const files = [...life.matchAll(/`(src\/[\w./-]+\.ts)`/g)].map(([, path = '']) => path.replace('src/', ''));
  expect(files.length).toBeGreaterThan(10);
  const shown = [...text('docs/request.svg').matchAll(/<text class="file"[^>]*>([\w./-]+)<\/text>/g)].map(([, path]) => path);
  expect(shown).toEqual(files);
});

describe('a picture is whole in itself', () => {
  for (const name of ['rooms.svg', 'request.svg']) {
    test(name, () => {
      const picture = text(`docs/${name}`);
      expect(picture).toStartWith('<svg xmlns="http://www.w3.org/2000/svg"');
      expect(picture).toContain('<title>');
      expect(picture).toContain('prefers-color-scheme: dark');
      // Nothing is loaded, and nothing runs.
      expect(picture).not.toMatch(/<script|<image|@import|\bhref="(?!#)|url\((?!#)/);
    });
  }
});
