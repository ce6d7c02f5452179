import type { UpstreamModel } from '../../../src/core/protocol.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How a client goes on with a conversation. */
export interface Reply {
  /** It sends the answer back as it came, or without its reasoning. */
  readonly keeps: 'all' | 'no reasoning';
  /** The results stand in the order of their calls, or in the opposite one. */
  readonly results?: 'in order' | 'reversed';
}

/** A program that speaks the protocol to ola as a vendor's SDK does. */
export interface NativeClient {
  /** The request of a first question, with the tool `weather`. */
  ask(question: string, more?: Fields): Fields;
  /** The next request: the answer is in the conversation, and each of its tool calls has the result `of ID`. */
  reply(request: Fields, answer: string, reply: Reply): Fields;
  /** A stream as the answer that it builds, as the vendor's SDK folds it. */
  fold(stream: string): string;
}

/** Facts of a protocol that its codec cannot tell, with bytes as its own vendor writes them. */
export interface HubSample {
  /** The model that is asked, with facts by which it takes everything that the protocol has. */
  readonly model: Partial<UpstreamModel>;
  /** A model that refuses a turn whose reasoning is gone; absent: the protocol has none. */
  readonly strictModel?: Partial<UpstreamModel>;
  /** Fields with which a client asks for a stream and its usage. */
  readonly streaming: Fields;
  /** Fields with which a client asks the model to reason. */
  readonly thinking: Fields;
  /** An answer has its texts, calls and reasoning in the order in which they came; else: reasoning, one text, calls. */
  readonly keepsOrder: boolean;
  /** The arguments of a call are an object and come whole: a call that the length limit cut is left out. */
  readonly wholeCalls?: true;
  /** Its streams have no border between two texts behind each other. */
  readonly joinsTexts?: true;
  /** An upstream's refusal of a request that is too long. */
  readonly tooLong: { readonly status: number; readonly body: string };
  /** An event of a type that no client knows. */
  readonly unknownEvent: string;
  /** An answer that says `Hi` and ends for a reason that is not known: the reason, the answer, its stream. */
  readonly unknownEnd: { readonly word: string; readonly answer: string; readonly stream: string };
  /** A value for each client field that is dropped or refused: the members of a request that has it. */
  readonly said: Readonly<Record<string, Fields>>;
  readonly client: NativeClient;
}
