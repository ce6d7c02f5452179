/**
 * The dependency rule as a table: which room of src may import what. `rooms-check.ts` refuses an import that does not fit,
 * `rooms-picture.ts` draws docs/rooms.svg.
 */

export interface Room {
  /** Imports lead to rooms of a higher number alone. A door is numbered among the doors of its own room. */
  readonly line: number;
  /** A few words for docs/rooms.svg; none where the name says it. */
  readonly owns: string;
  /** Rooms and doors that it imports besides itself: a test holds that each is used. */
  readonly rooms: readonly string[];
  /** Packages that it imports, subpaths included; `#platform/*` is every module with that prefix. */
  readonly packages: readonly string[];
  readonly why: string;
  /** No file stands in it yet. */
  readonly empty?: true;
}

const typebox = '@sinclair/typebox';
const techniqueWhy = 'a technique knows core alone; home and main hand it over';
const siblingWhy = 'siblings never import each other: they meet through the interfaces of core';
const platformWhy = 'a platform knows no other, and is reached as #platform alone';

/**
 * A row a room, and a row a door: a folder inside a room. A folder without a row is refused.
 * `main` is main.ts and compose.ts, which may see every room; the row of a room that has doors is for the files beside them.
 */
export const rooms: Readonly<Record<string, Room>> = {
  main: {
    line: 1,
    owns: 'one command, over parts that compose hands to each other',
    rooms: ['serve', 'upkeep', 'cli', 'runtime', 'core'],
    packages: [],
    why: 'the entry builds and wires: what a package does is done in a room',
  },
  serve: {
    line: 2,
    owns: 'a server’s life: start, demo, drain, end',
    rooms: ['home', 'http', 'cli', 'gateway', 'gateway/routing', 'gateway/config', 'gateway/access', 'runtime', 'core'],
    packages: ['node:crypto'],
    why: 'a server runs what home opens and http answers',
  },
  upkeep: {
    line: 2,
    owns: 'a home from outside: calls, backup, restore',
    rooms: ['home', 'http', 'cli', 'credentials', 'runtime', 'store', 'core'],
    packages: [],
    why: 'a command works on a home from outside, through its routes or its files',
  },
  home: {
    line: 3,
    owns: 'one home directory: locks, database, file; opens the gateway',
    rooms: [
      ...['gateway', 'gateway/routing', 'gateway/config', 'gateway/access'],
      ...['catalog', 'protocols', 'credentials', 'runtime', 'egress', 'store', 'core'],
    ],
    packages: [],
    why: 'a home gives the gateway its ports; who asks, and how, is above it',
  },
  http: {
    line: 3,
    owns: 'the way in: admission, body, errors',
    rooms: ['http/routes', 'gateway', 'gateway/access', 'gateway/records', 'core'],
    packages: ['elysia', typebox],
    why: 'the way in holds no business rule and no technique',
  },
  'http/routes': {
    line: 1,
    owns: 'a file a group',
    rooms: ['http', 'http/reference', 'gateway', 'gateway/inference', 'gateway/access', 'web', 'core'],
    packages: [typebox],
    why: 'routes hold no business rule and no technique',
  },
  'http/reference': {
    line: 2,
    owns: 'what /docs says',
    rooms: ['http', 'gateway/inference', 'gateway/access', 'web', 'core'],
    packages: ['elysia', '@elysiajs/swagger', typebox],
    why: 'the reference describes routes; it asks the code for examples of its errors, and runs no use-case',
  },
  cli: {
    line: 3,
    owns: 'the command line',
    rooms: ['cli/commands', 'core'],
    packages: ['commander', '@clack/prompts'],
    why: 'main hands it startServer and every port',
  },
  'cli/commands': {
    line: 1,
    owns: '',
    rooms: ['cli', 'core'],
    packages: [],
    why: 'a command asks through the ports of cli',
  },
  web: { line: 4, owns: 'browser code', rooms: [], packages: ['swagger-ui-dist'], why: 'the server is reached over HTTP' },
  gateway: {
    line: 4,
    owns: 'the use-cases, over ports',
    rooms: [
      ...['gateway/inference', 'gateway/config', 'gateway/routing', 'gateway/access', 'gateway/records'],
      ...['catalog', 'credentials', 'core'],
    ],
    packages: [],
    why: 'use-cases take ports: no framework, no platform',
  },
  'gateway/inference': {
    line: 1,
    owns: 'one call',
    rooms: ['gateway/routing', 'gateway/access', 'gateway/records', 'catalog', 'core'],
    packages: [],
    why: 'a call reads a configuration that is handed to it',
  },
  'gateway/config': {
    line: 1,
    owns: 'the document',
    rooms: ['gateway/routing', 'gateway/access', 'gateway/records', 'catalog', 'credentials', 'core'],
    packages: ['node:crypto', typebox],
    why: 'what is written down is judged without a call',
  },
  'gateway/routing': {
    line: 2,
    owns: 'which model',
    rooms: ['catalog', 'credentials', 'core'],
    packages: [],
    why: 'a route is decided over data that is handed in, whoever calls',
  },
  'gateway/access': {
    line: 2,
    owns: 'who calls',
    rooms: ['gateway/records', 'core'],
    packages: ['node:crypto'],
    why: 'who may call does not depend on what is called',
  },
  'gateway/records': {
    line: 3,
    owns: 'usage and audit',
    rooms: ['core'],
    packages: [],
    why: 'records are written by every use-case',
  },
  runtime: {
    line: 4,
    owns: 'the platform',
    rooms: ['core'],
    packages: [
      '#platform/*',
      ...['child_process', 'crypto', 'dns', 'fs', 'os', 'path', 'process', 'tty'].map((name) => `node:${name}`),
    ],
    why: techniqueWhy,
  },
  'runtime/bun': {
    line: 1,
    owns: '',
    rooms: ['runtime', 'core'],
    packages: ['bun:sqlite', 'node:process', 'node:url'],
    why: platformWhy,
  },
  'runtime/deno': {
    line: 1,
    owns: '',
    rooms: ['runtime', 'core'],
    packages: ['node:fs', 'node:net', 'node:sqlite', 'node:tls', 'node:url'],
    why: platformWhy,
  },
  egress: { line: 4, owns: 'the door out', rooms: ['core'], packages: [], why: techniqueWhy },
  store: { line: 4, owns: 'state', rooms: ['core'], packages: [], why: techniqueWhy },
  backends: {
    line: 5,
    owns: 'agents',
    rooms: ['core'],
    packages: [],
    why: 'they return snapshots and events; gateway encodes',
    empty: true,
  },
  catalog: { line: 5, owns: 'vendors, models', rooms: ['core'], packages: [], why: siblingWhy },
  protocols: {
    line: 5,
    owns: 'wire formats',
    rooms: ['core'],
    packages: [typebox],
    why: 'protocols are pure, on Web APIs, and do not know each other',
  },
  credentials: { line: 5, owns: 'which secret', rooms: ['core'], packages: ['node:crypto'], why: siblingWhy },
  core: {
    line: 6,
    owns: 'the vocabulary: shapes, errors, settings, and the ports through which the rooms above meet',
    rooms: [],
    packages: [typebox, 'node:buffer', 'jsonc-parser'],
    why: 'the vocabulary knows no technique',
  },
};
