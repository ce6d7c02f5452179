/** Tool calls from an upstream, put together from fragments as servers cut them. */
import type { Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { createDistinctIds } from '../../core/tool-ids.ts';
import { createJsonScan, type JsonScan } from './json-scan.ts';
import type { Fields } from './members.ts';

/** The steps of an answer go here; it gives out the indexes of parts. */
export interface PartSink {
  take(step: Step): void;
  /** Ends parts that are complete, as another one begins. @returns its index */
  nextPart(): number;
  /** The upstream's id of the answer; null: it gave none. */
  readonly answerId: string | null;
}

/** A call while its fragments come. */
interface OpenCall {
  /** The upstream's index; null: it gave none. */
  readonly place: unknown;
  readonly kind: 'function' | 'custom';
  /** The upstream's id. */
  id: string;
  name: string;
  /** Arguments that wait for a name. */
  waiting: string;
  /** The index of its part; null: the part has not begun. */
  part: number | null;
  readonly scan: JsonScan;
  ended: boolean;
}

/** A fragment, whatever its spelling. */
interface Fragment {
  readonly place: unknown;
  readonly kind: 'function' | 'custom';
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

export interface CallReading {
  /** @param isWhole each item is a call of its own: the answer was not streamed. @returns false for one that breaks the protocol */
  take(items: readonly unknown[], isWhole: boolean): boolean;
  /** Ends the calls whose arguments are complete. */
  endComplete(): void;
  /** Ends all calls. @returns false when one has arguments and no name */
  endAll(): boolean;
  readonly seen: boolean;
}

export function createCallReading(sink: PartSink): CallReading {
  return new Calls(sink);
}

class Calls implements CallReading {
  seen = false;
  private readonly sink: PartSink;
  private last: OpenCall | undefined;
  private readonly byPlace = new Map<unknown, OpenCall>();
  private readonly byId = new Map<string, OpenCall>();
  private readonly calls: OpenCall[] = [];
  /** Calls whose arguments are complete, and which have not ended. */
  private complete: OpenCall[] = [];
  /** By the id that a client sees: the number of calls that were to have it. */
  private readonly distinct = createDistinctIds();

  constructor(sink: PartSink) {
    this.sink = sink;
  }

  take(items: readonly unknown[], isWhole: boolean): boolean {
    return items.every((item) => !isObject(item) || this.takeFragment(fragmentIn(item), isWhole));
  }

  private takeFragment(fragment: Fragment, isWhole: boolean): boolean {
    const known = isWhole ? undefined : this.callOf(fragment);
    const call = known ?? this.begin(fragment);
    if (call.ended) return fragment.text.trim() === '';
    // A name may come in pieces, or again with each fragment.
    if (call.part === null && call.waiting === '' && fragment.name !== call.name) call.name += fragment.name;
    else if (call.name === '') call.name = fragment.name;
    if (call.id === '') this.name(call, fragment.id);
    if (fragment.text !== '') this.add(call, fragment.text);
    return true;
  }

  /** The call that a fragment goes on with: by its index, else by its id, else the last one. */
  private callOf({ place, id, name, text }: Fragment): OpenCall | undefined {
    const candidate = place === undefined ? this.unplaced(id, name) : this.byPlace.get(place);
    if (candidate === undefined || name === '') return candidate;
    // Some servers give each call the index 0, or no id: another id is another call, and so are arguments behind complete ones.
    const isOther = id !== '' && candidate.id !== '' && candidate.id !== id;
    return isOther || (candidate.scan.isComplete && text.trim() !== '') ? undefined : candidate;
  }

  private unplaced(id: string, name: string): OpenCall | undefined {
    return this.byId.get(id) ?? (id === '' || name === '' ? this.last : undefined);
  }

  private name(call: OpenCall, id: string): void {
    call.id = id;
    if (id !== '') this.byId.set(id, call);
  }

  /** The call before it has all its fragments by now, in nearly all streams. */
  private begin({ place, kind, id }: Fragment): OpenCall {
    const before = this.last;
    if (before !== undefined && before.part === null && before.name !== '') this.beginPart(before);
    const call: OpenCall = { place, kind, id: '', name: '', waiting: '', part: null, scan: createJsonScan(), ended: false };
    this.name(call, id);
    this.last = call;
    this.calls.push(call);
    if (place !== undefined) this.byPlace.set(place, call);
    return call;
  }

  private add(call: OpenCall, text: string): void {
    if (call.part === null && call.name === '') {
      call.waiting += text;
      return;
    }
    const index = call.part ?? this.beginPart(call);
    const all = call.waiting + text;
    call.waiting = '';
    if (call.kind === 'function') {
      call.scan.push(all);
      if (call.scan.isComplete) this.complete.push(call);
    }
    this.sink.take({ type: 'partDelta', index, text: all });
  }

  private beginPart(call: OpenCall): number {
    const index = this.sink.nextPart();
    call.part = index;
    this.seen = true;
    const id = this.distinct(call.id, this.sink.answerId);
    const part = { type: 'toolCall', id, name: call.name, kind: call.kind, arguments: '' } as const;
    this.sink.take({ type: 'partBegin', index, part });
    return index;
  }

  endComplete(): void {
    if (this.complete.length === 0) return;
    // Text behind the object may have come since.
    for (const call of this.complete) if (call.scan.isComplete) this.end(call);
    this.complete = [];
  }

  endAll(): boolean {
    for (const call of this.calls) {
      if (call.part === null && call.name === '') {
        if (call.waiting.trim() !== '') return false;
        continue;
      }
      if (call.part === null) this.beginPart(call);
      if (call.waiting !== '') this.add(call, '');
      this.end(call);
    }
    return true;
  }

  private end(call: OpenCall): void {
    if (call.ended || call.part === null) return;
    call.ended = true;
    this.sink.take({ type: 'partEnd', index: call.part });
  }
}

function fragmentIn(item: Fields): Fragment {
  const isCustom = item['type'] === 'custom' || isObject(item['custom']);
  const kind = isCustom ? 'custom' : 'function';
  const made = isObject(item[kind]) ? item[kind] : item;
  return {
    place: item['index'] ?? undefined,
    kind,
    id: stringOf(item['id']),
    name: stringOf(made['name']),
    text: textOf(made[isCustom ? 'input' : 'arguments']),
  };
}

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Some servers give the arguments as an object. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return isObject(value) ? JSON.stringify(value) : '';
}
