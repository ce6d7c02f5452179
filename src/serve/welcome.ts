/** The text that `ola serve` prints once it listens: the address, and the next commands, ready to be copied. */

export interface StartSummary {
  readonly address: string;
  readonly version: string;
  /** The token that this start created; null when none was created. ola never shows it again. */
  readonly token: string | null;
  /** True when a request without a token is accepted. */
  readonly open: boolean;
  /** A model that can be called now; null when no provider is usable. */
  readonly model: string | null;
  readonly demo: boolean;
  readonly home: string;
  /** Path of the configuration file; null in database mode. */
  readonly configFile: string | null;
}

export function welcome({ address, version, token, open, model, demo, home, configFile }: StartSummary): string {
  const lines = [`ola ${version} listens on ${address}`, ''];
  if (configFile !== null) lines.push(`  Configuration: ${configFile}; reloaded when it changes.`, '');
  if (token !== null) lines.push('  Your admin token, shown only once:', '', `    ${token}`, '');
  // With anonymous access a request that sends a token may be refused.
  const headers = open ? '' : `-H 'Authorization: Bearer ${token ?? '$TOKEN'}' `;
  if (model === null) lines.push(...firstProvider(address, headers, configFile));
  if (token !== null || open) lines.push(...question(address, headers, model ?? 'PROVIDER/MODEL'));
  if (token !== null) lines.push(...clients(address, token, model ?? 'PROVIDER/MODEL'));
  else lines.push(`  Health   curl ${address}/health`, '  Tokens   ola token create NAME', '');
  lines.push('  API reference for your browser:', '', `    ${address}/docs`, '');
  if (demo) lines.push(`  This is the demo. Its data is in ${home}. Its model repeats your message.`, '');
  lines.push('  Stop with Ctrl-C; running streams get time to finish.', '');
  return `${lines.join('\n')}\n`;
}

function firstProvider(address: string, headers: string, configFile: string | null): string[] {
  const start = 'No provider can be used yet. Set a key (OPENAI_API_KEY, GROQ_API_KEY, ...) and start again, or';
  if (configFile !== null) {
    const example = '    "providers": {"openai": {"apiKey": "file:/run/secrets/openai"}}';
    return [`  ${start} name the file that holds it:`, '', example, ''];
  }
  return [
    `  ${start} store it in ola:`,
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
    '  For the OpenAI SDKs, and tools that read the same variables, in front of the command that starts them:',
    '',
    `    OPENAI_BASE_URL=${address}/v1 OPENAI_API_KEY=${token} CLIENT`,
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
