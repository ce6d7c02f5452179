/** Anthropic's API on both sides: the body with only the model replaced, answers as they come, usage read in passing. */
import type { ClientCall, Exchange, UpstreamModel } from '../../core/protocol.ts';
import type { StreamForms } from '../any-stream.ts';
import { EventExchange } from '../event-exchange.ts';
import { withModel } from '../model-splice.ts';
import { mayBeWrapped, notesOf } from '../wrapped-values.ts';
import { readCount, readMessage } from './answer.ts';
import { eventsOfMessage } from './convert.ts';
import { requestHeaders } from './headers.ts';
import { type Renaming, withModelNamed } from './named-model.ts';
import { countPath, messagesPath } from './routes.ts';
import { createMessageTap } from './stream.ts';
import { withOwnThinking } from './wrapped-thinking.ts';

export function direct({ route, body, peek, query, headers }: ClientCall, to: UpstreamModel): Exchange | null {
  if (!('text' in body)) return null;
  const { quirks } = to;
  const own = mayBeWrapped(body.text) ? withOwnThinking(body.text, to.maker) : { text: body.text, cut: false };
  const request = {
    path: asksBeta(query) ? `${route.path}?beta=true` : route.path,
    body: withModel(own.text, body.fields['model'], to.id),
    headers: requestHeaders(headers, quirks.noBetas === true),
    notes: notesOf(own.cut),
  };
  if (route.path === messagesPath) {
    const renaming = peek.model === null || peek.model === to.id ? null : { asked: to.id, named: peek.model };
    return new EventExchange(request, peek.stream, formsOf(renaming));
  }
  if (route.path !== countPath || quirks.noCount === true) return null;
  return new EventExchange(request, false, { ...formsOf(null), read: readCount });
}

/** @param renaming null: the client names the model as the upstream does */
function formsOf(renaming: Renaming | null): StreamForms {
  return {
    read: (text) => readMessage(text, renaming),
    tap: () => (renaming === null ? createMessageTap() : withModelNamed(createMessageTap(), renaming)),
    eventsOf: eventsOfMessage,
  };
}

/** Anthropic's SDKs call their beta methods so. Nothing else of a query goes up. */
function asksBeta(query: string): boolean {
  return query !== '' && /[?&]beta=true(?:&|$)/.test(query);
}
