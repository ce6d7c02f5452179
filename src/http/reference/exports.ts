/** What the reference says of `/config/export` and `/config/import`. */
import { Type } from '@sinclair/typebox';
import { documentSchema } from '../../core/document.ts';
import type { Operations } from './operations.ts';
import { etagHeader, ifMatch, json, missing, ok, warnings, writeErrors } from './shapes.ts';

const sealed = Type.Object(
  {
    format: Type.String(),
    version: Type.Integer(),
    kdf: Type.Object({}, { additionalProperties: true, description: 'how the key is made of the passphrase' }),
    salt: Type.String(),
    nonce: Type.String(),
    data: Type.String(),
  },
  { $id: 'Sealed', description: 'secrets, encrypted to a passphrase', additionalProperties: true },
);
const passphrase = Type.Optional(
  Type.String({ maxLength: 1024, description: 'what the secrets are sealed to; taken over the control socket alone' }),
);
const exampleDocument = { providers: { groq: { apiKey: '[REDACTED]' } }, defaultModel: 'groq/llama-3.3-70b-versatile' };
const portable = { defaultModel: 'groq/llama-3.3-70b-versatile', usage: { retentionDays: 90 } };

export const exportOperations: Operations = {
  'POST /config/export': {
    id: 'exportConfig',
    tag: 'History',
    description:
      'For another machine. Over the network secrets are left out; `ola config export FILE --with-secrets` seals them to a passphrase.',
    request: json(Type.Object({ passphrase }, { additionalProperties: true }), {
      plain: { summary: 'Without secrets', value: {} },
    }),
    answers: [
      {
        status: 200,
        description: 'The configuration, and where secrets are missing in it.',
        content: json(Type.Object({ content: documentSchema, missing, sealed: Type.Optional(sealed) }), {
          plain: { summary: 'A key is missing', value: { content: exampleDocument, missing: ['providers.groq.apiKey'] } },
        }),
      },
    ],
    errors: ['persistence_unavailable'],
  },
  'POST /config/import': {
    id: 'importConfig',
    tag: 'History',
    description:
      'Replaces the configuration by one that was exported. `[REDACTED]` is the sealed secret of that place, else what stands there now.',
    parameters: [ifMatch],
    request: json(
      Type.Object({ content: documentSchema, sealed: Type.Optional(sealed), passphrase }, { additionalProperties: true }),
      { plain: { summary: 'One without secrets', value: { content: portable } } },
    ),
    answers: [
      {
        status: 200,
        description: 'In force; a revision was made.',
        headers: etagHeader,
        content: json(Type.Object({ status: ok, warnings: Type.Optional(warnings) }), {
          done: { summary: 'In force', value: { status: 'ok' } },
        }),
      },
    ],
    errors: ['unsafe_destination', 'secret_required', 'conflict', ...writeErrors],
  },
};
