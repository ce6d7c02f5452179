/**
 * A stand-in for curl on a machine that has none: the options that the documents use, and no others. Run by Bun:
 * `bun test/e2e/curl.ts -s -X POST -H 'Name: value' -d BODY URL`.
 */

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | FormData | Blob | undefined;
  readonly output: string | null;
  /** Exit code 22 when the status is 400 or more. */
  readonly fail: boolean;
  /** The head of the answer before its body. */
  readonly include: boolean;
}

const takesValue = ['-X', '-H', '-d', '-F', '-o', '--data-binary'];
const flags = ['-s', '-S', '-N', '-f', '-i', '-sS', '-sN', '--fail-with-body'];

async function read(words: readonly string[]): Promise<Asked> {
  const headers = new Headers();
  const form = new FormData();
  let method: string | undefined;
  let data: string | Blob | undefined;
  let url: string | undefined;
  let output: string | null = null;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const value = takesValue.includes(word) ? words[++at] : undefined;
    if (takesValue.includes(word) && value === undefined) throw new Error(`${word} wants a value`);
    if (value === undefined) {
      if (!word.startsWith('-') && url === undefined) url = word;
      else if (!flags.includes(word)) throw new Error(`the stand-in for curl does not know '${word}'`);
    } else if (word === '-X') method = value;
    else if (word === '-o') output = value;
    else if (word === '-H') headers.append(value.slice(0, value.indexOf(':')), value.slice(value.indexOf(':') + 1).trim());
    else if (word === '-F') await addPart(form, value);
    else data = value.startsWith('@') ? new Blob([await Bun.file(value.slice(1)).bytes()]) : value;
  }
  if (url === undefined) throw new Error('an address is missing');
  const body = data ?? ([...form.keys()].length > 0 ? form : undefined);
  if (data !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/x-www-form-urlencoded');
  return {
    url,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    body,
    output,
    fail: words.includes('-f') || words.includes('--fail-with-body'),
    include: words.includes('-i'),
  };
}

/** `name=value`, `name=@file`. */
async function addPart(form: FormData, part: string): Promise<void> {
  const name = part.slice(0, part.indexOf('='));
  const value = part.slice(name.length + 1);
  if (!value.startsWith('@')) return form.append(name, value);
  const file = value.slice(1);
  form.append(name, new Blob([await Bun.file(file).bytes()]), file.split('/').at(-1) ?? file);
}

async function main(words: readonly string[]): Promise<number> {
  const { url, method, headers, body, output, fail, include } = await read(words);
  const response = await fetch(url, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) });
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const bytes = await response.bytes();
  if (include) await Bun.write(Bun.stdout, `HTTP/1.1 ${response.status} ${response.statusText}\r\n${lines}\r\n`);
  await Bun.write(output === null ? Bun.stdout : Bun.file(output), bytes);
  return fail && response.status >= 400 ? 22 : 0;
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`curl: ${String(error)}\n`);
    return 7;
  });
}
