/** `ola serve`. */
import { command } from '../command.ts';
import { choice, file, flag, host, wholeNumber } from '../values.ts';

export const serve = command({
  path: ['serve'],
  summary: 'Run the gateway',
  description:
    'On SIGTERM or Ctrl-C it accepts no new requests, waits up to --grace seconds for running streams, then exits. On a second signal it exits at once.',
  options: {
    host: host('ADDRESS', 'address to listen on', '127.0.0.1'),
    port: wholeNumber('PORT', 'port to listen on; 0 takes any free port', { initial: 8080, from: 0, to: 65_535 }),
    config: file('take the configuration from this JSON file instead of the database; reloaded when it changes'),
    demo: flag('add a provider that needs no key and no network'),
    grace: wholeNumber('SECONDS', 'time for running streams to finish after a signal', { initial: 30, from: 0, to: 86_400 }),
    requireToken: flag('refuse to start when no access token is configured', { conflicts: ['disableAuth'] }),
    disableAuth: flag('ask for no token: every program on this machine is admin; for development', {
      conflicts: ['requireToken'],
    }),
    logLevel: choice('LEVEL', 'log this level and those above it', { of: ['debug', 'info', 'warn', 'error'], initial: 'info' }),
    logFormat: choice('FORMAT', 'form of the log (default: pretty on a terminal, else json)', {
      of: ['pretty', 'json'],
      initial: null,
    }),
    logRequests: flag('log each request (default on a terminal and in the demo)', { conflicts: ['noLogRequests'] }),
    noLogRequests: flag('log no requests', { conflicts: ['logRequests'] }),
  },
  arguments: {},
  examples: [
    { command: 'ola serve', note: 'on 127.0.0.1, port 8080' },
    { command: 'ola serve --demo --port 0', note: 'try it without a key, on a free port' },
    { command: 'ola serve --config /etc/ola/config.json', note: 'with the configuration of a file' },
    { command: 'ola serve --log-format json --log-requests', note: 'for a log collector' },
  ],
  run: ({ ports }, { noLogRequests, ...options }) =>
    ports.startServer({ ...options, logRequests: options.logRequests || (noLogRequests ? false : null) }),
});
