/** Google Vertex AI behind ola by the host's Google login: the file is read, and one that cannot be used sends nothing. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountFile, userFile } from '../google-tokens.ts';
import { type Ola, stage } from './stage.ts';

const { directory, start } = stage();
const model = 'google-vertex/gemini-2.5-pro';
let home: string;
let file: string;

async function vertex(env: Readonly<Record<string, string>>): Promise<Ola> {
  const server = await start({ env: { HOME: home, ...env } });
  const baseUrl = 'https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1';
  const document = {
    // The host of the test may have no network: names are resolved when they are called.
    egressPolicy: { resolveDns: false },
    providers: { 'google-vertex': { api: 'google-generative-ai', baseUrl } },
    authProfiles: { 'google-vertex:host': { provider: 'google-vertex', type: 'gcp' } },
  };
  const { status, text } = await server.ask('POST', '/config', document);
  expect([status, text]).toEqual([200, text]);
  return server;
}

beforeAll(() => {
  home = directory();
  file = join(home, '.config/gcloud/application_default_credentials.json');
  mkdirSync(join(home, '.config/gcloud'), { recursive: true });
});

describe('the file of a Google login', () => {
  test('stands in the home directory; another token endpoint in it is refused', async () => {
    writeFileSync(file, JSON.stringify({ ...accountFile, token_uri: 'https://evil.example/token' }), { mode: 0o600 });
    const { status, text } = await (await vertex({})).chat(model);
    expect(status).toBe(502);
    expect(text).toContain('token_uri');
    expect(text).not.toContain(home);
  });

  test('is not read when other users can write it', async () => {
    const named = join(home, 'named.json');
    writeFileSync(named, JSON.stringify(userFile));
    chmodSync(named, 0o666);
    const server = await vertex({ GOOGLE_APPLICATION_CREDENTIALS: named });
    const { status, text } = await server.chat(model);
    expect(status).toBe(502);
    expect(text).not.toContain('refresh-token-of-the-login');
    expect(server.err()).toContain('chmod go-w');
  });

  test('that is missing is told with the remedy', async () => {
    const server = await vertex({ GOOGLE_APPLICATION_CREDENTIALS: join(home, 'none.json') });
    const { status, text } = await server.chat(model);
    expect(status).toBe(502);
    expect(text).toContain('gcloud auth application-default login');
  });
});
