/** The inference routes of OpenAI's API: each takes the request apart and hands it to the one use-case. */
import type { Static, TSchema } from '@sinclair/typebox';
import type { Principal } from '../../core/access.ts';
import {
  chatRequestSchema,
  completionRequestSchema,
  embeddingRequestSchema,
  type InferenceRequest,
  imageRequestSchema,
  moderationRequestSchema,
  speechRequestSchema,
} from '../../core/inference.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { Answer, InferenceBody } from '../../gateway/inference/inference.ts';
import {
  chatCompletions,
  completions,
  type Endpoint,
  embeddings,
  imageEdits,
  imageGenerations,
  imageVariations,
  moderations,
  speech,
  transcriptions,
  translations,
} from '../../protocols/openai-completions/endpoints.ts';
import { checkEmbeddingInput, readFormRequest } from '../../protocols/openai-completions/request.ts';
import { type Call, clientAddress } from '../call.ts';
import { bodyRoute, formRoute, type Route } from '../route.ts';

export function inferenceRoutes(gateway: Gateway): Route[] {
  async function run(call: Call, principal: Principal, endpoint: Endpoint, body: InferenceBody): Promise<Response> {
    const answer = await gateway.inference.run(
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
      body,
    );
    return respond(call, answer);
  }

  /** @param read looks at what the schema leaves open; what it returns is what ola reads of the request */
  const json = <Body extends TSchema>(
    endpoint: Endpoint,
    summary: string,
    body: Body,
    read: (request: Static<Body>) => InferenceRequest = (request) => request as InferenceRequest,
  ): Route =>
    bodyRoute({ method: 'POST', path: endpoint.path, scope: 'write', summary, body }, (call, principal, request, _params, text) =>
      run(call, principal, endpoint, { content: text, request: read(request) }),
    );

  const form = (endpoint: Endpoint, summary: string): Route =>
    formRoute({ method: 'POST', path: endpoint.path, scope: 'write', summary }, (call, principal, content) =>
      run(call, principal, endpoint, { content, request: readFormRequest(content) }),
    );

  return [
    json(chatCompletions, 'Create a chat completion', chatRequestSchema),
    json(completions, 'Create a completion (legacy)', completionRequestSchema),
    json(embeddings, 'Create embeddings', embeddingRequestSchema, (request) => {
      checkEmbeddingInput(request.input);
      return request;
    }),
    json(moderations, 'Classify text and images by what is harmful', moderationRequestSchema),
    json(imageGenerations, 'Create images', imageRequestSchema),
    form(imageEdits, 'Edit images'),
    form(imageVariations, 'Create variations of an image'),
    json(speech, 'Create speech from text', speechRequestSchema, (request) => ({
      ...request,
      stream: request.stream_format === 'sse',
    })),
    form(transcriptions, 'Transcribe audio'),
    form(translations, 'Translate audio into English'),
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
  // An upstream's word for what its bytes are: no browser is to look into them and find a page.
  else if (contentType !== 'application/json') headers['x-content-type-options'] = 'nosniff';
  if (attempts > 1) headers['x-ola-attempts'] = String(attempts);
  return new Response(body, { headers });
}

/** A model id may have any characters; a header may not. */
function headerSafe(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}
