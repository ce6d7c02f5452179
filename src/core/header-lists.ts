/**
 * One value of a header whose value is a list (RFC 9110, 5.6.1): the members of both, each once, in their order.
 * @param one undefined: the header is absent
 */
export function joinedLists(one: string | undefined, other: string): string {
  const members = `${one ?? ''},${other}`.split(',').map((member) => member.trim());
  return [...new Set(members.filter((member) => member !== ''))].join(', ');
}
