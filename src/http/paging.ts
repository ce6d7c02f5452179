/** Lists by pages: `?limit=50&after=CURSOR`. */
import { type TSchema, Type } from '@sinclair/typebox';
import { OlaError } from '../core/errors.ts';

export interface Page<T> {
  readonly object: 'list';
  readonly data: readonly T[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

const defaultLimit = 50;
const mostAtOnce = 1000;

/** The parameters of the query. */
export const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: mostAtOnce, default: defaultLimit }),
  after: Type.String(),
} as const;

/** The schema of a page. */
export function pageOf(item: TSchema) {
  return Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    hasMore: Type.Boolean(),
    nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'send it as `after` to get the next page' }),
  });
}

/** The page of `items` that a request asks for; the cursor is the id of the last item of the page before. */
export function page<T extends { readonly id: string }>(items: readonly T[], request: Request): Page<T> {
  const query = new URL(request.url).searchParams;
  const limit = limitOf(query.get('limit'));
  const after = query.get('after');
  const from = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0) throw noCursor();
  const data = items.slice(from, from + limit);
  const hasMore = from + limit < items.length;
  return { object: 'list', data, hasMore, nextCursor: hasMore ? (data.at(-1)?.id ?? null) : null };
}

export interface NumberedPage {
  readonly limit: number;
  /** Null: the first page. */
  readonly after: number | null;
}

/** The page of a list whose cursors are whole numbers. @throws OlaError `invalid_field` */
export function numberedPageOf(request: Request): NumberedPage {
  const query = new URL(request.url).searchParams;
  const after = query.get('after');
  if (after !== null && !/^\d{1,16}$/.test(after)) throw noCursor();
  return { limit: limitOf(query.get('limit')), after: after === null ? null : Number(after) };
}

function noCursor(): OlaError {
  return new OlaError('invalid_field', "'after' is not a cursor of this list.", { param: 'after' });
}

function limitOf(text: string | null): number {
  if (text === null) return defaultLimit;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1)
    throw new OlaError('invalid_field', "'limit' is to be a whole number from 1.", { param: 'limit' });
  return Math.min(limit, mostAtOnce);
}
