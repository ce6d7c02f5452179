/** The table of models is imported `with { type: 'text' }`: the module is the file's text. */
declare module '*.jsonl' {
  const text: string;
  export = text;
}
