/** The text that `ola serve` prints once it listens: the address, and the next commands, ready to be copied. */

import { providersLine } from '../cli/providers-line.ts';
import { printable } from '../cli/text.ts';
import type { ProviderState } from '../core/providers.ts';

export interface StartSummary {
  readonly address: string;
  readonly version: string;
  /** The token that this start created; null when none was created. ola never shows it again. */
  readonly token: string | null;
  /** True when a request without a token is accepted. */
  readonly open: boolean;
  readonly providers: readonly ProviderState[];
  /** A model that is listed and can be called now; null when there is none. */
  readonly model: string | null;
  readonly demo: boolean;
  readonly home: string;
  /** Path of the configuration file; null in database mode. */
  readonly configFile: string | null;
}

export function welcome(summary: StartSummary): string {
  const { address, version, token, open, providers, demo, home, configFile } = summary;
  const lines = [`ola ${version} listens on ${address}`, ''];
  if (configFile !== null) lines.push(`  Configuration: ${configFile}; reloaded when it changes.`, '');
  if (providers.length > 0) lines.push(`  Providers: ${printable(providersLine(providers))}`, '');
  if (token !== null) lines.push('  Your admin token, shown only once:', '', `    ${token}`, '');
  const usable = providers.find((state) => state.usable);
  if (usable === undefined) lines.push(...firstProvider(configFile));
  const model = summary.model ?? `${usable?.id ?? 'PROVIDER'}/MODEL`;
  // With anonymous access a request that sends a token may be refused.
  if (open) lines.push(...question(address, '', model));
  else if (token !== null) lines.push(...question(address, `-H 'Authorization: Bearer ${token}' `, model));
  if (token !== null) lines.push(...clients(address, token, model));
  else lines.push(`  Health   curl ${address}/health`, '  Tokens   ola token create NAME', '');
  lines.push('  API reference for your browser:', '', `    ${address}/docs`, '');
  if (demo) lines.push(`  This is the demo. Its data is in ${home}. Its model repeats your message.`, '');
  lines.push('  Stop with Ctrl-C; running streams get time to finish.', '');
  return `${lines.join('\n')}\n`;
}

function firstProvider(configFile: string | null): string[] {
  const start = 'No provider can be used yet. Set a key (OPENAI_API_KEY, GROQ_API_KEY, ...) and start again, or';
  if (configFile !== null) {
    const example = '    "providers": {"openai": {"apiKey": "file:/run/secrets/openai"}}';
    return [`  ${start} name the file that holds it:`, '', example, ''];
  }
  // A command needs no token, and a key is not typed where other users could see it.
  return [`  ${start} store it in ola, which asks for it:`, '', '    ola config set providers.openai.apiKey', ''];
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
