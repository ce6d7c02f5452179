/** Reads columns of a row in the types of the tables; another type means that the database is damaged. */
import type { SqlRow } from '../core/ports.ts';

export function textOf(row: SqlRow, column: string): string {
  return textOrNull(row, column) ?? damaged(column);
}

export function textOrNull(row: SqlRow, column: string): string | null {
  const value = row[column];
  return value === null || typeof value === 'string' ? value : damaged(column);
}

export function numberOf(row: SqlRow, column: string): number {
  return numberOrNull(row, column) ?? damaged(column);
}

export function numberOrNull(row: SqlRow, column: string): number | null {
  const value = row[column];
  return value === null || typeof value === 'number' ? value : damaged(column);
}

export function bytesOf(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : damaged(column);
}

export function jsonOf(row: SqlRow, column: string): unknown {
  try {
    return JSON.parse(textOf(row, column));
  } catch {
    return damaged(column);
  }
}

function damaged(column: string): never {
  throw new Error(`database is malformed: column ${column}`);
}

/**
 * Rounds durations, and drops counts that are not safe integers: upstreams may report anything, and one number that the table
 * refuses would lose all rows of the batch.
 */
export function integer(value: number | null): number | null {
  if (value === null || Number.isSafeInteger(value)) return value;
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : null;
}
