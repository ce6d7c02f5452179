/** Files that are imported `with { type: 'text' }`: what they hold, as a string. */
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
