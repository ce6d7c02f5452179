/** The names under which a client knows what the upstream was not told. Pure. */
import { isRequestField, type RequestField } from '../core/hub-fields.ts';
import { isObject } from '../core/json.ts';
import type { ChatCodec } from '../core/protocol.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param dropped names of the client's own fields, and of the hub's
 * @param request the client's request
 * @returns the names of the hub's fields in the client's protocol, where one name fits; all others as they are
 */
export function clientNames(dropped: readonly string[], { fields }: ChatCodec, request: Fields): readonly string[] {
  return dropped.map((name) => (isRequestField(name) ? nameOf(name, Object.entries(fields.client), request) : name));
}

function nameOf(field: RequestField, client: readonly (readonly [string, unknown])[], request: Fields): string {
  const alone = client.filter(([, fate]) => Array.isArray(fate) && fate.length === 1 && fate[0] === field).map(([name]) => name);
  const said = alone.filter((name) => isSaid(name.split('.'), request));
  const [only, another] = said.length > 0 ? said : alone;
  return only === undefined || (another !== undefined && said.length === 0) ? field : only;
}

/** Whether the request has the member of a dotted name. */
function isSaid([first, ...rest]: readonly string[], value: unknown): boolean {
  if (first === undefined) return true;
  return isObject(value) && value[first] !== undefined && value[first] !== null && isSaid(rest, value[first]);
}
