/** Files that are imported `with { type: 'text' }`: the module is the file's text. */
declare module '*.css' {
  const text: string;
  export = text;
}
declare module '*/docs.js' {
  const text: string;
  export = text;
}
declare module 'swagger-ui-dist/*' {
  const text: string;
  export = text;
}
