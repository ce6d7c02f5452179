/** The names by which a client knows the fields that its upstream is not told. Pure. */
import type { CarriedFields, RequestField } from '../core/hub-fields.ts';

/**
 * @param dropped names of the hub's fields; other names stay as they are
 * @param request the client's request: a field that may be written in several ways has the name that stands in it
 */
export function namesOfDropped(
  dropped: readonly string[],
  { client }: CarriedFields,
  request: Readonly<Record<string, unknown>>,
): readonly string[] {
  return dropped.flatMap((field) => {
    const names = Object.keys(client).filter((name) => mayHold(client[name], field));
    const written = names.filter((name) => request[name] !== undefined && request[name] !== null);
    if (written.length > 0) return written;
    // It stands inside of a message or a tool.
    return names.slice(0, 1).concat(names.length === 0 ? [field] : []);
  });
}

function mayHold(fate: CarriedFields['client'][string] | undefined, field: string): boolean {
  return Array.isArray(fate) && (fate as readonly RequestField[]).some((each) => each === field);
}
