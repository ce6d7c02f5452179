/** `ola serve`. */
import { command } from '../command.ts';
import { choice, file, flag, host, wholeNumber } from '../values.ts';

export const serve = command({
  path: ['serve'],
  summary: 'Run the gateway until it is told to stop',
  description:
    'Stops on SIGTERM or Ctrl-C: takes no new requests, lets streams finish for --grace seconds, then ends. A second signal ends at once.',
  options: {
    host: host('ADDRESS', 'address to listen on', '127.0.0.1'),
    port: wholeNumber('PORT', 'port to listen on; 0 takes any free one', { initial: 8080, from: 0, to: 65_535 }),
    config: file('JSON file that governs in place of the stored configuration; it is watched'),
    demo: flag('add a provider that needs no key and no network'),
    grace: wholeNumber('SECONDS', 'time that streams get to finish', { initial: 30, from: 0, to: 86_400 }),
    requireToken: flag('refuse to start when no access token is configured', { conflicts: ['disableAuth'] }),
    disableAuth: flag('let everybody on this machine in as admin, for development', { conflicts: ['requireToken'] }),
    logLevel: choice('LEVEL', 'least level that is logged', { of: ['debug', 'info', 'warn', 'error'], initial: 'info' }),
    logFormat: choice('FORMAT', 'default: pretty on a terminal, else json', { of: ['pretty', 'json'], initial: null }),
  },
  arguments: {},
  examples: [
    { command: 'ola serve', note: 'on 127.0.0.1, port 8080' },
    { command: 'ola serve --demo --port 0', note: 'try it without any key, on a free port' },
    { command: 'ola serve --config /etc/ola/config.json', note: 'governed by a file, which is read again when it changes' },
    { command: 'ola serve --log-level debug --log-format json', note: 'for a log collector' },
  ],
  run: ({ ports }, options) => ports.startServer(options),
});
