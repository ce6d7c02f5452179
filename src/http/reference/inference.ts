/** What the reference says alike of every wire format of a vendor, and the parts that such an operation is made of. */
import { type TProperties, type TSchema, Type } from '@sinclair/typebox';
import type { Json } from '../../core/json.ts';
import type { Content, DescribedRequest, DocumentedCode, Operation, Parameter } from './operations.ts';

/** Errors of every inference route, besides those of its body. */
export const inferenceErrors: readonly DocumentedCode[] = [
  'invalid_request',
  'egress_destination_blocked',
  'model_not_found',
  'provider_resolution_failed',
  'provider_disabled',
  'all_credentials_cooling_down',
  'conflict',
  'upstream_http_error',
  'upstream_auth_error',
  'upstream_unreachable',
  'upstream_truncated',
  'provider_error',
  'upstream_timeout',
];
const profile: Parameter = {
  name: 'X-Auth-Profile',
  in: 'header',
  description:
    'The auth profile to use, or the end of its id: `work` means `groq:work`. No other credential is tried: a profile that cannot be used is an error (404, 409).',
  schema: Type.String(),
};
const answerHeaders = {
  'X-Ola-Provider': 'The provider that answered.',
  'X-Ola-Model': 'The id of the model at this provider.',
  'X-Ola-Profile': 'The auth profile whose credential was used; absent without one.',
  'X-Ola-Attempts': 'How many credentials were tried; absent after one.',
  'X-Ola-Dropped': 'Fields that a provider of another protocol was not told; absent when it was told all.',
};
const fields = {
  model: '`PROVIDER/MODEL`, or a model id that exactly one provider lists; absent, empty or `default`: the default model',
  stream: 'true: the answer comes as server-sent events',
};

export function vendorOperation(
  vendorPage: string,
  id: string,
  description: string,
  request: DescribedRequest,
  content: readonly Content[],
): Operation {
  return {
    id,
    tag: 'Inference',
    description,
    vendorPage,
    parameters: [profile],
    request: { ...request, fields: { ...fields, ...request.fields } },
    answers: [{ description: 'The answer of the provider, unchanged.', headers: answerHeaders, content }],
    errors: inferenceErrors,
  };
}

export const passedOn =
  'ola replaces the `model` and passes the rest of the body to the provider unchanged, including fields that are not listed here. The answer comes back unchanged, too.';

export const text = (description: string) => Type.String({ description });
export const file = (description: string) => Type.String({ format: 'binary', description });
const open = (properties: TProperties, description?: string): TSchema =>
  Type.Object(properties, { additionalProperties: true, ...(description === undefined ? {} : { description }) });

/** The provider's JSON. */
export const json = (description: string, example: Json): Content => ({
  type: 'application/json',
  schema: open({}, description),
  example,
});

/** The provider's server-sent events, by their data. */
export const eventStream = (description: string, ...events: readonly string[]): Content => ({
  type: 'text/event-stream',
  schema: text(description),
  example: events.map((data) => `data: ${data}\n\n`).join(''),
});

/** @param suited a model that can serve it */
export const form = (suited: string, own: TProperties): DescribedRequest => ({
  type: 'multipart/form-data',
  schema: open({ ...own, model: Type.Optional(Type.String({ description: fields.model, examples: [suited] })) }),
});

/** A form is shown as a command. @param path behind `/v1/` */
export const formWords = (path: string, given: readonly string[]): string =>
  'ola passes the form to the provider byte for byte; it only sets the field `model`. Fields that are not listed here can be sent, too. With the address of this gateway in `OLA` and a token in `TOKEN`:\n\n' +
  `\`\`\`sh\ncurl "$OLA/v1/${path}" -H "Authorization: Bearer $TOKEN" \\\n  ${given.map((each) => `-F ${each}`).join(' ')}\n\`\`\``;
