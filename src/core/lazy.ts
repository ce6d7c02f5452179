/** A value that is made when it is first asked for, and kept: what one run may never need does not delay its start. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
