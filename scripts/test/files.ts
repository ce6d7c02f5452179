/** Which test files a step has, and how they are divided among processes. */
import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Step } from './steps.ts';

export const root = join(import.meta.dir, '../..');

/** @returns test files of the step whose path holds one of the filters (all when there is none), sorted */
export function testFiles(step: Step, filters: readonly string[]): string[] {
  const globs = step.tests ?? [];
  const matches = (path: string, negated: boolean): boolean =>
    globs.some((glob) => glob.startsWith('!') === negated && new Bun.Glob(glob.replace('!', '')).match(path));
  return [...new Bun.Glob('**/*.test.ts').scanSync({ cwd: join(root, 'test') })]
    .map((path) => path.replaceAll(sep, '/'))
    .filter((path) => matches(path, false) && !matches(path, true))
    .map((path) => `test/${path}`)
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort();
}

/**
 * Divides files among parts of about the same size: the largest file first, each to the part that has the least so far.
 * A file's size stands for the time that its tests take; a table of times would have to be kept.
 * @returns at most so many parts, none of them empty, the same for the same files
 */
export function divide(files: readonly string[], parts: number, sizeOf = sizeInBytes): string[][] {
  const bins = Array.from({ length: Math.min(parts, files.length) }, () => ({ size: 0, files: [] as string[] }));
  const sized = files.map((file) => ({ file, size: sizeOf(file) }));
  for (const { file, size } of sized.sort((a, b) => b.size - a.size || (a.file < b.file ? -1 : 1))) {
    const least = bins.reduce((smallest, bin) => (bin.size < smallest.size ? bin : smallest));
    least.size += size;
    least.files.push(file);
  }
  return bins.map((bin) => bin.files.sort());
}

function sizeInBytes(file: string): number {
  return statSync(join(root, file)).size;
}
