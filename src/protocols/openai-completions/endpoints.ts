/** What of OpenAI's API is passed through: a row an endpoint, with how it is asked and what it may answer. */
import type { Reply } from '../../core/ports.ts';
import type { AnswerShape } from './answer.ts';
import { type Encode, encodeChat, encodeCompletion, encodeModel } from './request.ts';

export interface Endpoint {
  /** Where it is served, and what usage rows call it. */
  readonly path: `/v1/${string}`;
  /** Behind a provider's base URL. */
  readonly upstreamPath: string;
  /** How a JSON body goes on; a form's needs no saying. */
  readonly encode: Encode;
  /** What whole JSON must be; null: it never answers JSON. */
  readonly json: AnswerShape | null;
  /**
   * `chunks`: streams when asked to, in OpenAI's chunks, and ends with `[DONE]`. `typed`: may stream when asked to, in
   * events that name their type. Null: never streams.
   */
  readonly stream: 'chunks' | 'typed' | null;
  /** What else it may answer, which goes on as bytes: how the content type begins. */
  readonly media: readonly string[];
}

const choices: AnswerShape = { list: 'choices', what: 'a chat completion' };
const images: AnswerShape = { list: 'data', what: 'a list of images' };
const transcript: AnswerShape = { list: null, what: 'a transcript' };
const transcriptTexts = ['text/plain', 'text/vtt', 'application/x-subrip', 'application/octet-stream'];

type Row = Omit<Endpoint, 'path' | 'upstreamPath' | 'encode' | 'media'> & Partial<Pick<Endpoint, 'encode' | 'media'>>;

function endpoint(upstreamPath: `/${string}`, row: Row): Endpoint {
  return { path: `/v1${upstreamPath}`, upstreamPath, encode: encodeModel, media: [], ...row };
}

export const chatCompletions = endpoint('/chat/completions', { encode: encodeChat, json: choices, stream: 'chunks' });

export const completions = endpoint('/completions', {
  encode: encodeCompletion,
  json: { list: 'choices', what: 'a completion' },
  stream: 'chunks',
});

export const embeddings = endpoint('/embeddings', { json: { list: 'data', what: 'a list of embeddings' }, stream: null });

export const moderations = endpoint('/moderations', { json: { list: 'results', what: 'a moderation' }, stream: null });

export const imageGenerations = endpoint('/images/generations', { json: images, stream: 'typed' });
export const imageEdits = endpoint('/images/edits', { json: images, stream: 'typed' });
export const imageVariations = endpoint('/images/variations', { json: images, stream: 'typed' });

export const speech = endpoint('/audio/speech', { json: null, stream: 'typed', media: ['audio/', 'application/octet-stream'] });

export const transcriptions = endpoint('/audio/transcriptions', { json: transcript, stream: 'typed', media: transcriptTexts });
export const translations = endpoint('/audio/translations', { json: transcript, stream: 'typed', media: transcriptTexts });

/** JSON that is checked whole, events that are tapped, or bytes that go on as they come. */
export type AnswerKind = 'json' | 'events' | 'bytes';

/**
 * @param asked whether the client asked for a stream: nobody gets one who did not
 * @returns null when the endpoint does not answer with that
 */
export function answerKind({ stream, json, media }: Endpoint, asked: boolean, reply: Pick<Reply, 'header'>): AnswerKind | null {
  if (stream !== 'typed') return asked ? 'events' : 'json';
  // Upstreams may ignore that a stream was asked for, and models of the same one differ: what they say counts.
  const type = essence(reply.header('content-type') ?? '');
  if (type === 'text/event-stream') return asked ? 'events' : null;
  if (type === 'application/json' || type.endsWith('+json')) return json === null ? null : 'json';
  return typeShape.test(type) && media.some((beginning) => type.startsWith(beginning)) ? 'bytes' : null;
}

function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

const typeShape = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/;
const parameters = /^(?:\s*;\s*[\w-]{1,40}=[\w."/+-]{1,40}){1,3}$/;

/** A content type to be sent on: without parameters that are not plain ones (`charset=utf-8`, `rate=24000`). */
export function plainType(contentType: string): string {
  const type = essence(contentType);
  const rest = contentType.slice(contentType.indexOf(';'));
  return contentType.includes(';') && parameters.test(rest.trimEnd()) ? type + rest.trimEnd() : type;
}
