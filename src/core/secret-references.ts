/** References in the document to secrets that are kept elsewhere: in a variable, in a file, in the store. */

export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'store'; readonly id: string };

const braced = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
/** A variable's name must have an underscore, because a key in capitals has none. */
const bare = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;

/** `${NAME}`, `file:PATH`, `store:ID`; null for anything else. */
export function parseReference(text: string): Reference | null {
  const name = braced.exec(text)?.[1];
  if (name !== undefined) return { kind: 'variable', name };
  if (/^file:./.test(text)) return { kind: 'file', path: text.slice('file:'.length) };
  if (/^store:./.test(text)) return { kind: 'store', id: text.slice('store:'.length) };
  return null;
}

/** True for a bare variable name such as `OPENAI_API_KEY`, the form of reference that the predecessor used. */
export function isVariableName(text: string): boolean {
  return bare.test(text);
}
