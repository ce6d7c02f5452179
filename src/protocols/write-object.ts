/** JSON objects as text, made by hand where the text of a member must go through unchanged. */

/** @param members names with the JSON text of their values */
export function writeObject(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}
