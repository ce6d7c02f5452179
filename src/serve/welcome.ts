/** What `ola serve` says when it listens: where, and what to do next, ready to be copied. */

export interface StartSummary {
  readonly address: string;
  readonly version: string;
  /** A token that was made just now and is never shown again; null when there was one already. */
  readonly token: string | null;
  /** Whether a request without a token is let in. */
  readonly open: boolean;
  /** One that could be asked now; null when no provider can be used yet. */
  readonly model: string | null;
  readonly demo: boolean;
  readonly home: string;
  /** The file that governs; null: the database does. */
  readonly configFile: string | null;
}

export function welcome({ address, version, token, open, model, demo, home, configFile }: StartSummary): string {
  const lines = [`ola ${version} listens on ${address}`, ''];
  if (configFile !== null) lines.push(`  Governed by ${configFile}; a change of it takes effect at once.`, '');
  if (token !== null) lines.push('  Your admin token, shown this once:', '', `    ${token}`, '');
  // Where no token is asked for, one that is sent may be refused.
  const headers = open ? '' : `-H 'Authorization: Bearer ${token ?? '$TOKEN'}' `;
  if (model === null) lines.push(...firstProvider(address, headers, configFile));
  if (token !== null || open) lines.push(...question(address, headers, model ?? 'PROVIDER/MODEL'));
  if (token !== null) lines.push(...clients(address, token, model ?? 'PROVIDER/MODEL'));
  else lines.push(`  Health   curl ${address}/health`, '  Tokens   ola token create NAME', '');
  lines.push('  Reference, to be tried in a browser:', '', `    ${address}/docs`, '');
  if (demo) lines.push(`  This is the demo: its state is in ${home}, its model says back what it hears.`, '');
  lines.push('  Stop with Ctrl-C; streams get time to finish.', '');
  return `${lines.join('\n')}\n`;
}

function firstProvider(address: string, headers: string, configFile: string | null): string[] {
  const start = 'No provider can be used yet. Set its key (OPENAI_API_KEY, GROQ_API_KEY, ...) and start again, or';
  if (configFile !== null) {
    return [`  ${start} name its file:`, '', '    "providers": {"openai": {"apiKey": "file:/run/secrets/openai"}}', ''];
  }
  return [
    `  ${start} give it to ola:`,
    '',
    `    curl -X PUT ${address}/config/providers/openai \\`,
    `      ${headers}-H 'Content-Type: application/json' \\`,
    `      -d '{"apiKey":"sk-..."}'`,
    '',
  ];
}

function question(address: string, headers: string, model: string): string[] {
  return [
    '  Ask something:',
    '',
    `    curl ${address}/v1/chat/completions \\`,
    `      ${headers}-H 'Content-Type: application/json' \\`,
    `      -d '{"model":"${model}","messages":[{"role":"user","content":"Hello"}]}'`,
    '',
  ];
}

function clients(address: string, token: string, model: string): string[] {
  return [
    '  For the OpenAI SDKs and tools that read their variables:',
    '',
    `    export OPENAI_BASE_URL=${address}/v1 OPENAI_API_KEY=${token}`,
    '',
    '  In Python:',
    '',
    '    from openai import OpenAI',
    `    client = OpenAI(base_url="${address}/v1", api_key="${token}")`,
    `    print(client.chat.completions.create(model="${model}",`,
    '          messages=[{"role": "user", "content": "Hello"}]).choices[0].message.content)',
    '',
  ];
}
