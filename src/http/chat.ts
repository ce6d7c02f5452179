/** `POST /v1/chat/completions`. */
import { chatRequestSchema } from '../core/chat.ts';
import type { Answer } from '../gateway/chat.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type Call, clientAddress } from './call.ts';
import { bodyRoute, type Route } from './routes.ts';

const endpoint = '/v1/chat/completions';

export function chatRoutes(gateway: Gateway): Route[] {
  return [
    bodyRoute(
      { method: 'POST', path: endpoint, scope: 'write', summary: 'Create a chat completion', body: chatRequestSchema },
      async (call, principal, body, _params, text) => {
        const answer = await gateway.chat.run(
          {
            principal,
            requestId: call.requestId,
            client: clientAddress(call),
            endpoint,
            profile: call.request.headers.get('x-auth-profile') || null,
            via: gateway.via.passedOn(call.request.headers.get('via')),
            startedAt: call.startedAt,
            signal: call.request.signal,
            keepOpen: (on) => (on ? call.connection.hold(call.request) : call.connection.release(call.request)),
          },
          { text, request: body },
        );
        return respond(call, answer);
      },
    ),
  ];
}

/** A whole Response: headers set one by one cost a tenth of the throughput. */
function respond(call: Call, { body, contentType, attempt, attempts }: Answer): Response {
  const headers: Record<string, string> = {
    'content-type': contentType,
    'x-request-id': call.requestId,
    'x-ola-provider': attempt.provider.id,
    'x-ola-model': headerSafe(attempt.model),
  };
  if (contentType === 'text/event-stream') headers['cache-control'] = 'no-cache';
  if (attempts > 1) headers['x-ola-attempts'] = String(attempts);
  return new Response(body, { headers });
}

/** A model id may have any characters; a header may not. */
function headerSafe(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}
