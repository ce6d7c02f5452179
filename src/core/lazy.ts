/** A value that is made at its first use and then kept, so that a value which a run never uses does not delay the start. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
