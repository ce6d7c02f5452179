/**
 * Server-sent events as a strict client reads them: WHATWG HTML, 9.2.6, but for one thing. Once an `id:` was seen every blank
 * line dispatches an event, data or not, as OpenAI's Python package does; other packages dispatch at every blank line behind a
 * field. Such an event has the data ''.
 */
export interface Decoded {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

export function decodeEvents(bytes: Uint8Array): readonly Decoded[] {
  const text = new TextDecoder().decode(bytes);
  const decoded: Decoded[] = [];
  let event = '';
  let data: string[] = [];
  let id = '';
  let retry = false;
  const dispatch = () => {
    if (event !== '' || data.length > 0 || id !== '' || retry) decoded.push({ event, data: data.join('\n'), id });
    event = '';
    data = [];
    retry = false;
  };
  for (const line of linesOf(text)) {
    if (line === '') dispatch();
    else if (!line.startsWith(':')) {
      const [name, value] = fieldOf(line);
      if (name === 'event') event = value;
      else if (name === 'data') data.push(value);
      else if (name === 'id' && !value.includes('\0')) id = value;
      else if (name === 'retry' && /^\d+$/.test(value)) retry = true;
    }
  }
  return decoded;
}

/** Lines that have ended; what stands behind the last line end is no line (9.2.6: an incomplete event is dropped). */
function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|\n|\r/).slice(0, -1);
}

function fieldOf(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
}
