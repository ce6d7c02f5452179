/** Streams of OpenAI's responses as steps of the hub (https://platform.openai.com/docs/api-reference/responses-streaming). */
import type { Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import type { StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { createDistinctIds } from '../../core/tool-ids.ts';
import { createEventReader } from '../event-reader.ts';
import { readEnd } from './end-reasons.ts';
import { failureInside, failureNamed } from './errors.ts';
import { donePart, type EventSource, ItemReading } from './item-reading.ts';
import { type Fields, nonEmpty } from './members.ts';
import { readUsage } from './usage.ts';

type Take = (step: Step) => void;

export function streamDecoder(): StreamDecoder {
  return new Decoder();
}

/** Events of an item, by their type. Events of other types are ignored: new ones come with each tool of the vendor. */
const ofItems: Readonly<Record<string, (items: ItemReading, event: Fields, take: Take, source: EventSource) => void>> = {
  'response.output_text.delta': (items, event, take, source) => items.text(event, 'text', take, source),
  'response.refusal.delta': (items, event, take) => items.text(event, 'refusal', take),
  'response.output_text.done': takeDone,
  'response.refusal.done': takeDone,
  'response.function_call_arguments.delta': (items, event, take) => items.input(event, take),
  'response.custom_tool_call_input.delta': (items, event, take) => items.input(event, take),
  'response.function_call_arguments.done': (items, event, take) => items.inputDone(event, take),
  'response.custom_tool_call_input.done': (items, event, take) => items.inputDone(event, take),
  'response.reasoning_summary_part.added': (items, event, take) => items.summaryPart(event, take),
  'response.reasoning_summary_text.delta': (items, event, take) => items.reasoning(event, 'summary', take),
  'response.reasoning_text.delta': (items, event, take) => items.reasoning(event, 'content', take),
  'response.output_item.added': (items, event, take) => items.added(event, take),
  'response.output_item.done': (items, event, take) => items.done(event, take),
};

function takeDone(items: ItemReading, event: Fields, take: Take): void {
  const part = donePart(event);
  if (part !== null) items.textDone(event, part, take);
}

/** Types of the last event. `response.done` is the one of the vendor's other transports. */
const lastTypes: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.done']);
const firstTypes: ReadonlySet<string> = new Set(['response.created', 'response.in_progress', 'response.queued']);

class Decoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly items: ItemReading;
  private readonly reader = createEventReader((events, at) =>
    this.isOver() ? events.length : this.items.unparsed(events, at, this.steps),
  );
  /** Takes the steps of the bytes that are pushed now. */
  private steps: Take = () => undefined;
  private id: string | null = null;
  private begun = false;
  private ended = false;

  constructor() {
    const distinct = createDistinctIds();
    this.items = new ItemReading((id) => distinct(id, this.id));
  }

  push(chunk: Uint8Array, take: Take): void {
    if (this.isOver()) return;
    this.steps = take;
    try {
      this.reader.push(chunk, (event, data, name) => this.take(event, data, name, take));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = 'oversized_event';
    }
  }

  /** An event that was cut is the upstream's end, not its words. */
  finish(take: Take): void {
    if (this.isOver()) return;
    this.steps = take;
    this.reader.finish((event, data, name) => this.take(event, data, name, take));
    if (this.fault === 'malformed_event') this.fault = null;
  }

  close(): void {
    this.reader.close();
  }

  private isOver(): boolean {
    return this.ended || this.fault !== null;
  }

  private take(event: Fields | null, data: string, name: string, take: Take): void {
    if (this.isOver()) return;
    if (event === null) {
      this.takeText(data, name);
      return;
    }
    const type = typeof event['type'] === 'string' ? event['type'] : name;
    const ofItem = Object.hasOwn(ofItems, type) ? ofItems[type] : undefined;
    if (ofItem !== undefined) {
      this.begin({}, take);
      ofItem(this.items, event, take, { data, name });
      return;
    }
    this.failure = failureInside(told(event, type), data);
    if (this.failure !== null) this.fault = 'upstream_error';
    else if (lastTypes.has(type)) this.end(event, type, take);
    else if (firstTypes.has(type)) this.begin(responseIn(event), take);
  }

  /** Data that is no object: JSON of another kind carries nothing, and some servers send the `[DONE]` of chats. */
  private takeText(data: string, name: string): void {
    if (name === 'error') {
      this.failure = failureNamed(data);
      this.fault = 'upstream_error';
    } else if (!isJson(data) && !/^\[done\]$/i.test(data)) this.fault = 'malformed_event';
  }

  private begin({ id, model }: Fields, take: Take): void {
    if (this.begun) return;
    this.begun = true;
    this.id = nonEmpty(id);
    take({ type: 'begin', id: this.id, model: nonEmpty(model) });
  }

  private end(event: Fields, type: string, take: Take): void {
    const response = responseIn(event);
    if (!this.begun && !isObject(event['response'])) {
      this.fault = 'empty_answer';
      return;
    }
    this.begin(response, take);
    this.items.whole(response['output'], take);
    this.items.finish(take);
    if (isObject(response['usage'])) take({ type: 'usage', tokens: readUsage(response['usage']) });
    this.ended = true;
    const told = type === 'response.incomplete' ? { ...response, status: 'incomplete' } : response;
    take({ type: 'end', end: readEnd(told, this.items.kinds) });
  }
}

/** The event as its name says: some servers leave its type out, or the status of a response that failed. */
function told(event: Fields, type: string): Fields {
  if (type === 'response.failed') return { ...event, response: { ...responseIn(event), status: 'failed' } };
  return type === 'error' ? { ...event, type } : event;
}

function responseIn({ response }: Fields): Fields {
  return isObject(response) ? response : {};
}

function isJson(data: string): boolean {
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}
