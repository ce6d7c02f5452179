/** What the reference says of images and audio. */
import { Type } from '@sinclair/typebox';
import {
  answerHeaders,
  bytesOf,
  eventStream,
  flag,
  inferenceErrors,
  integer,
  model,
  number,
  oneOf,
  open,
  optional,
  profileParameter,
  text,
  user,
} from './inference-shapes.ts';
import type { Operations } from './operations.ts';
import { json } from './shapes.ts';

const file = (description: string) => Type.String({ format: 'binary', description });
const passedOn =
  'The form goes to the provider as it came, byte for byte; only its `model` is replaced, or put in when there is none.';

const imageFields = {
  model,
  n: optional(integer('so many images', 1, 10)),
  size: optional(text('`1024x1024`, `1536x1024`, `1024x1536`, `auto`, or what else the model knows')),
  response_format: optional(oneOf(['url', 'b64_json'], 'older models: an address or the image itself')),
  user,
};
const newerImageFields = {
  background: optional(oneOf(['transparent', 'opaque', 'auto'], 'what is behind it')),
  output_format: optional(oneOf(['png', 'jpeg', 'webp'], 'of the image')),
  output_compression: optional(integer('percent, for jpeg and webp', 0, 100)),
  partial_images: optional(integer('in a stream: so many that are not finished yet come before it', 0, 3)),
  quality: optional(oneOf(['standard', 'hd', 'low', 'medium', 'high', 'auto'], 'as the model knows it')),
  stream: optional(flag('images come as events, also unfinished ones')),
};

const images = open(
  {
    created: Type.Integer({ description: 'seconds since 1970' }),
    data: Type.Array(
      open({
        b64_json: Type.Optional(text('the image, base64')),
        url: Type.Optional(text('where the provider keeps it for a while')),
        revised_prompt: Type.Optional(text('what the model made of the prompt')),
      }),
    ),
  },
  { $id: 'Images' },
);
const imageAnswer = {
  status: 200,
  description: 'The images.',
  headers: answerHeaders,
  content: [
    ...json(images),
    eventStream('`image_generation.partial_image` and so on; the last is `image_generation.completed` or `image_edit.completed`'),
  ],
};

const responseFormat = optional(oneOf(['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json'], 'JSON, or text as it is'));
const heard = {
  file: file('flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav or webm'),
  model,
  prompt: Type.Optional(text('what came before, or how names are spelt')),
  response_format: responseFormat,
  temperature: Type.Optional(number('0: as it is most likely', 0, 1)),
};
const transcript = open({ text: Type.String() }, { $id: 'Transcript', description: 'more of it in the verbose formats' });
const transcriptContent = [
  ...json(transcript, { said: { summary: 'What was said', value: { text: 'Hello, world.' } } }),
  { type: 'text/plain', schema: text('for `text`, `srt` and `vtt`') },
];

export const mediaOperations: Operations = {
  'POST /v1/images/generations': {
    id: 'createImage',
    tag: 'Inference',
    description: 'Images from words. A stream that breaks off ends with an event `{"error": {...}}`.',
    parameters: [profileParameter],
    request: json(
      open(
        {
          prompt: text('what is to be seen'),
          ...imageFields,
          ...newerImageFields,
          moderation: optional(oneOf(['low', 'auto'], 'how strict')),
          style: optional(oneOf(['vivid', 'natural'], 'for dall-e-3')),
        },
        { $id: 'ImageRequest' },
      ),
      {
        image: {
          summary: 'One image',
          value: { model: 'openai/gpt-image-1', prompt: 'A lighthouse in fog, watercolour', size: '1024x1024', quality: 'low' },
        },
      },
    ),
    answers: [imageAnswer],
    errors: inferenceErrors,
  },
  'POST /v1/images/edits': {
    id: 'editImage',
    tag: 'Inference',
    description: `Changes images by words. ${passedOn}`,
    parameters: [profileParameter],
    request: [
      {
        type: 'multipart/form-data',
        schema: open(
          {
            image: file('png, jpeg or webp; several as `image[]`'),
            prompt: text('what is to change'),
            mask: Type.Optional(file('png: where it is transparent, the image may change')),
            ...imageFields,
            ...newerImageFields,
            input_fidelity: optional(oneOf(['high', 'low'], 'how closely it keeps to the image')),
          },
          { $id: 'ImageEditRequest' },
        ),
      },
    ],
    answers: [imageAnswer],
    errors: inferenceErrors,
  },
  'POST /v1/images/variations': {
    id: 'createImageVariation',
    tag: 'Inference',
    description: `Images like another one. ${passedOn}`,
    parameters: [profileParameter],
    request: [
      {
        type: 'multipart/form-data',
        schema: open({ image: file('a square png'), ...imageFields }, { $id: 'ImageVariationRequest' }),
      },
    ],
    answers: [{ ...imageAnswer, content: json(images) }],
    errors: inferenceErrors,
  },
  'POST /v1/audio/speech': {
    id: 'createSpeech',
    tag: 'Inference',
    description:
      'Speech from text, passed on as it comes. An answer of bytes that breaks off ends without its last chunk: a client sees a broken connection, never a shorter recording.',
    parameters: [profileParameter],
    request: json(
      open(
        {
          model,
          input: text('what is to be said'),
          voice: Type.Union([Type.String(), open({ id: Type.String() })], {
            description: 'a name (`alloy`, `coral`, ...), or the id of your own',
          }),
          instructions: Type.Optional(text('how it is to be said')),
          response_format: Type.Optional(oneOf(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'], 'of the recording; default mp3')),
          speed: Type.Optional(number('1 is as people speak', 0.25, 4)),
          stream_format: Type.Optional(oneOf(['audio', 'sse'], 'bytes, or events with base64 in them')),
        },
        { $id: 'SpeechRequest' },
      ),
      {
        speech: {
          summary: 'A sentence',
          value: { model: 'openai/gpt-4o-mini-tts', input: 'The train leaves at nine.', voice: 'coral', response_format: 'mp3' },
        },
      },
    ),
    answers: [
      {
        status: 200,
        description: 'The recording.',
        headers: answerHeaders,
        content: [
          bytesOf('audio/mpeg', 'or another type of audio, as was asked for'),
          eventStream('`speech.audio.delta`, at the end `speech.audio.done`'),
        ],
      },
    ],
    errors: inferenceErrors,
  },
  'POST /v1/audio/transcriptions': {
    id: 'createTranscription',
    tag: 'Inference',
    description: `Text from speech. ${passedOn}`,
    parameters: [profileParameter],
    request: [
      {
        type: 'multipart/form-data',
        schema: open(
          {
            ...heard,
            language: Type.Optional(text('ISO 639-1, for example `en`')),
            stream: optional(flag('the text comes as events, where the model can')),
            'timestamp_granularities[]': Type.Optional(Type.Array(oneOf(['word', 'segment'], 'for verbose_json'))),
            'include[]': Type.Optional(Type.Array(Type.String(), { description: '`logprobs`' })),
            chunking_strategy: Type.Optional(text('`auto`, or JSON of OpenAI’s')),
          },
          { $id: 'TranscriptionRequest' },
        ),
      },
    ],
    answers: [
      {
        status: 200,
        description: 'What was said.',
        headers: answerHeaders,
        content: [...transcriptContent, eventStream('`transcript.text.delta`, at the end `transcript.text.done`')],
      },
    ],
    errors: inferenceErrors,
  },
  'POST /v1/audio/translations': {
    id: 'createTranslation',
    tag: 'Inference',
    description: `English text from speech of another language. ${passedOn}`,
    parameters: [profileParameter],
    request: [{ type: 'multipart/form-data', schema: open(heard, { $id: 'TranslationRequest' }) }],
    answers: [{ status: 200, description: 'What was said, in English.', headers: answerHeaders, content: transcriptContent }],
    errors: inferenceErrors,
  },
};
