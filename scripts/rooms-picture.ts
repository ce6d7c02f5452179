/**
 * Draws docs/rooms.svg from the table of rooms: `node scripts/bootstrap.mjs run scripts/rooms-picture.ts`.
 * A box a room, on the line that its row names; its doors inside it; arrows to what is imported. Only how far to the right
 * a box stands is said here.
 */
import { join } from 'node:path';
import { type Room, rooms } from './rooms.ts';

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const pageWidth = 960;
const titleHeight = 54;
const doorHeight = 30;
/** Between two lines of boxes, where the arrows are. */
const lineGap = 40;
/** The same between doors. */
const doorGap = 24;
/** From an edge of a box to what is inside it. */
const inset = 12;

/** Left edge and width of each room. Rooms above one another are joined by an upright arrow. */
const places: Readonly<Record<string, readonly [left: number, width: number]>> = {
  main: [24, 912],
  serve: [24, 536],
  upkeep: [580, 356],
  http: [24, 304],
  home: [344, 440],
  cli: [800, 136],
  web: [24, 96],
  gateway: [136, 348],
  store: [540, 84],
  egress: [636, 96],
  runtime: [744, 130],
  backends: [24, 96],
  catalog: [136, 118],
  credentials: [270, 118],
  protocols: [404, 118],
  core: [24, 912],
};

/** A room to what it imports: the rows of a room and of its doors together, or the doors of one room among themselves. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const topOf = (name: string): string => name.split('/')[0] ?? name;
const isDoor = (name: string): boolean => name.includes('/');
const names = Object.keys(rooms);
const rowOf = (name: string): Room => {
  const row = rooms[name];
  if (row === undefined) throw new Error(`scripts/rooms.ts names ${name} and has no row for it.`);
  return row;
};
const doorsOf = (room: string): string[] => names.filter((name) => isDoor(name) && topOf(name) === room);

/** Adds an arrow. */
const connect = (graph: Map<string, Set<string>>, from: string, to: string) =>
  graph.set(from, (graph.get(from) ?? new Set()).add(to));

/** What rooms import of one another, and apart from it what doors of one room do; a room and its own doors are one. */
function importsOf(): { readonly ofRooms: Graph; readonly ofDoors: Graph } {
  const ofRooms = new Map<string, Set<string>>();
  const ofDoors = new Map<string, Set<string>>();
  for (const from of names) {
    for (const to of rowOf(from).rooms) {
      if (topOf(from) !== topOf(to)) connect(ofRooms, topOf(from), topOf(to));
      else if (isDoor(from) && isDoor(to)) connect(ofDoors, from, to);
    }
  }
  return { ofRooms, ofDoors };
}

/** The arrows that do not follow from others. */
function reduced(graph: Graph): [from: string, to: string][] {
  const reaches = (from: string, to: string): boolean =>
    [...(graph.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  return [...graph].flatMap(([from, targets]) =>
    [...targets].filter((to) => ![...targets].some((by) => reaches(by, to))).map((to): [string, string] => [from, to]),
  );
}

/** Rows of names, by the line of each. */
function linesOf(some: readonly string[]): string[][] {
  const byLine = Map.groupBy(some, (name) => rowOf(name).line);
  return [...byLine].sort(([a], [b]) => a - b).map(([, line]) => line);
}

function heightOf(room: string): number {
  const lines = linesOf(doorsOf(room)).length;
  return titleHeight + (lines === 0 ? 0 : lines * (doorHeight + doorGap) - doorGap + inset);
}

/** @returns every box by name, and where the last one ends */
function layOut(): { readonly boxes: ReadonlyMap<string, Box>; readonly bottom: number } {
  const boxes = new Map<string, Box>();
  let top = 24;
  for (const line of linesOf(names.filter((name) => !isDoor(name)))) {
    for (const room of line) {
      const place = places[room];
      if (place === undefined) throw new Error(`Give ${room} a place in scripts/rooms-picture.ts.`);
      const box = { left: place[0], top, width: place[1], height: heightOf(room) };
      boxes.set(room, box);
      for (const [door, inside] of layOutDoors(room, box)) boxes.set(door, inside);
    }
    top += Math.max(...line.map(heightOf)) + lineGap;
  }
  return { boxes, bottom: top - lineGap };
}

/** Side by side, each line as wide as the room. */
function layOutDoors(room: string, { left, top, width }: Box): [string, Box][] {
  return linesOf(doorsOf(room)).flatMap((line, index) => {
    const each = (width - inset * (line.length + 1)) / line.length;
    return line.map((door, at): [string, Box] => [
      door,
      {
        left: left + inset + at * (each + inset),
        top: top + titleHeight + index * (doorHeight + doorGap),
        width: each,
        height: doorHeight,
      },
    ]);
  });
}

/** From the lower edge of one box to the upper edge of another: upright where nothing stands between them, else around a corner. */
function arrowPath(from: Box, to: Box, others: readonly Box[]): string {
  const top = from.top + from.height;
  const bottom = to.top - 1;
  const upright = freeColumn(from, to, others);
  if (upright !== null) return `M${upright} ${top}V${bottom}`;
  const rightwards = from.left < to.left;
  const start = Math.round(rightwards ? from.left + from.width - 2 * inset : from.left + 2 * inset);
  const end = Math.round(rightwards ? to.left + 2 * inset : to.left + to.width - 2 * inset);
  if (Math.abs(end - start) < 100) return `M${start} ${top}L${end} ${bottom}`;
  return `M${start} ${top}V${(top + bottom) / 2}H${end}V${bottom}`;
}

/** The middle of the widest stretch that both boxes share and that nothing between them covers; null: there is none. */
function freeColumn(from: Box, to: Box, others: readonly Box[]): number | null {
  const shared = { left: Math.max(from.left, to.left), right: Math.min(from.left + from.width, to.left + to.width) };
  const covering = others.filter(({ top, height }) => top >= from.top + from.height && top + height <= to.top);
  const free = covering.reduce(
    (stretches, { left, width }) => {
      return stretches.flatMap((stretch) => [
        { left: stretch.left, right: Math.min(stretch.right, left) },
        { left: Math.max(stretch.left, left + width), right: stretch.right },
      ]);
    },
    [shared],
  );
  const [widest] = free.sort((a, b) => b.right - b.left - (a.right - a.left));
  return widest === undefined || widest.right - widest.left < inset ? null : Math.round((widest.left + widest.right) / 2);
}

function drawBox(name: string, box: Box): string {
  const { owns, empty } = rowOf(name);
  const { left, top, width, height } = box;
  if (owns.length * letterWidth > width) throw new Error(`The words for ${name} are wider than its box: ${owns}`);
  const kind = isDoor(name) ? 'door' : empty ? 'box later' : 'box';
  const shape = `<rect class="${kind}" x="${left}" y="${top}" width="${width}" height="${height}" rx="8" />`;
  const words = isDoor(name) ? doorWords(name, owns, box) : roomWords(name, owns, box);
  return `<g data-room="${name}">${shape}${words}</g>`;
}

/** Of a note, in the widest of the usual fonts. */
const letterWidth = 7;

function roomWords(name: string, owns: string, { left, top, width }: Box): string {
  const middle = left + width / 2;
  const title = `<text class="room middle" x="${middle}" y="${top + 23}">${name}</text>`;
  return `${title}<text class="note middle" x="${middle}" y="${top + 42}">${owns}</text>`;
}

function doorWords(name: string, owns: string, { left, top, width }: Box): string {
  const note = owns === '' ? '' : `<tspan class="note" dx="8">${owns}</tspan>`;
  const title = `<tspan class="name">${name.slice(name.indexOf('/') + 1)}</tspan>`;
  return `<text class="middle" x="${left + width / 2}" y="${top + 20}">${title}${note}</text>`;
}

const style = `
    .paper { fill: #ffffff; stroke: #d0d7de; }
    .box { fill: #f6f8fa; stroke: #57606a; }
    .door { fill: #ffffff; stroke: #8c959f; }
    .later { stroke-dasharray: 4 3; }
    .line { stroke: #57606a; stroke-width: 1.5; fill: none; }
    .head { fill: #57606a; }
    text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; font-size: 13px; }
    .room { font-size: 15px; font-weight: 600; }
    .name { font-weight: 600; }
    .note { fill: #57606a; font-size: 12px; }
    .middle { text-anchor: middle; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117; stroke: #30363d; }
      .box { fill: #161b22; stroke: #8b949e; }
      .door { fill: #0d1117; stroke: #6e7681; }
      .line { stroke: #8b949e; }
      .head { fill: #8b949e; }
      text { fill: #e6edf3; }
      .note { fill: #9198a1; }
    }
  `;

const caption =
  'An arrow leads to what a room imports; one that follows from others is left out. Boxes inside a room: its doors. Dashed: still empty.';

/** @returns the picture, whole in itself */
export function drawRooms(): string {
  const { boxes, bottom } = layOut();
  const { ofRooms, ofDoors } = importsOf();
  const boxOf = (name: string): Box => boxes.get(name) as Box;
  const inTheWay = [...boxes].filter(([name]) => !isDoor(name)).map(([, box]) => box);
  const drawArrow = ([from, to]: [string, string], others: readonly Box[]) =>
    `<path class="line" data-arrow="${from} ${to}" d="${arrowPath(boxOf(from), boxOf(to), others)}" marker-end="url(#head)" />`;
  const height = bottom + 42;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${pageWidth} ${height}" width="${pageWidth}" height="${height}" role="img">`,
    '<title>The rooms of src: an arrow leads from a room to what it imports</title>',
    `<style>${style}</style>`,
    '<defs>',
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">',
    '<path class="head" d="M0 0 8 4 0 8z" />',
    '</marker>',
    '</defs>',
    `<rect class="paper" x="0.5" y="0.5" width="${pageWidth - 1}" height="${height - 1}" rx="10" />`,
    ...[...boxes].map(([name, box]) => drawBox(name, box)),
    ...reduced(ofRooms).map((arrow) => drawArrow(arrow, inTheWay)),
    ...reduced(ofDoors).map((arrow) => drawArrow(arrow, [])),
    `<text class="note middle" x="${pageWidth / 2}" y="${bottom + 24}">${caption}</text>`,
    '</svg>',
  ].join('\n')}\n`;
}

if (import.meta.main) await Bun.write(join(import.meta.dir, '../docs/rooms.svg'), drawRooms());
