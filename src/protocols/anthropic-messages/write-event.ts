/** @returns the text of an event with the name of its type, as Anthropic's streams have it */
export function writeEvent(event: { readonly type: string; readonly [name: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
