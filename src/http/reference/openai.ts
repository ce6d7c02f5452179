/**
 * What the reference says of OpenAI's wire formats: what ola does with them, two worked examples each, and where the vendor
 * describes them. Their fields are not retyped here: the schema of a request is the one that its route checks.
 */
import { type TProperties, type TSchema, Type } from '@sinclair/typebox';
import type { Json } from '../../core/json.ts';
import type { Content, DescribedRequest, DocumentedCode, Operation, Operations, Parameter } from './operations.ts';

/** Errors of every inference route, besides those of its body. */
const inferenceErrors: readonly DocumentedCode[] = [
  'invalid_request',
  'egress_destination_blocked',
  'model_not_found',
  'provider_resolution_failed',
  'provider_disabled',
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
  description: 'The auth profile to use, or the end of its id: `work` means `groq:work`.',
  schema: Type.String(),
};
const answerHeaders = {
  'X-Ola-Provider': 'The provider that answered.',
  'X-Ola-Model': 'The id of the model at this provider.',
  'X-Ola-Attempts': 'How many credentials were tried; absent after one.',
};

/** @param page below OpenAI's API reference */
function openAi(
  page: string,
  id: string,
  description: string,
  request: DescribedRequest,
  ...content: readonly Content[]
): Operation {
  return {
    id,
    tag: 'Inference',
    description,
    vendorPage: `https://platform.openai.com/docs/api-reference/${page}`,
    parameters: [profile],
    request: { ...request, fields: { ...fields, ...request.fields } },
    answers: [{ description: 'The answer of the provider, unchanged.', headers: answerHeaders, content }],
    errors: inferenceErrors,
  };
}

const open = (fields: TProperties, description?: string): TSchema =>
  Type.Object(fields, { additionalProperties: true, ...(description === undefined ? {} : { description }) });
const text = (description: string) => Type.String({ description });
const file = (description: string) => Type.String({ format: 'binary', description });

/** The provider's JSON, as it came. */
const json = (description: string, example: Json): Content => ({
  type: 'application/json',
  schema: open({}, description),
  example,
});
/** The provider's events, as they came. */
const stream = (description: string, ...events: readonly (Json | '[DONE]')[]): Content => ({
  type: 'text/event-stream',
  schema: text(description),
  example: events.map((event) => `data: ${event === '[DONE]' ? event : JSON.stringify(event)}\n\n`).join(''),
});

const fields = {
  model: '`PROVIDER/MODEL`, or a model id that exactly one provider lists; absent, empty or `default`: the default model',
  stream: 'true: the answer comes as server-sent events',
};
const form = (own: TProperties) => ({
  type: 'multipart/form-data',
  schema: open({ ...own, model: Type.Optional(text(fields.model)) }),
});
const formWords = (path: string, ...fields: readonly string[]) =>
  'ola passes the form to the provider byte for byte; it only sets the field `model`. Fields that are not listed here may be sent, too.\n\n' +
  [
    '```sh',
    `curl "$OLA/v1/${path}" -H "Authorization: Bearer $TOKEN" \\`,
    `  ${fields.map((each) => `-F ${each}`).join(' ')}`,
    '```',
  ].join('\n');

const passedOn =
  'ola replaces the `model` and passes the rest of the body to the provider unchanged, including fields that are not listed here. The answer comes back unchanged, too.';
const streamWords =
  'A stream is passed on event by event. A stream that breaks off ends with an event `{"error": {...}}` and without `data: [DONE]`.';

const hello = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hello' }] };
/** What the demo answers, member by member: test/e2e/reference.test.ts asks it. */
const answered = (id: string, object: string) => ({ id: `chatcmpl-demo-${id}`, object, created: 1_795_000_000, model: 'echo' });
const usage = { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 };
const chunk = (choices: Json[], counts: Json = null) => ({
  ...answered('d364f1a0', 'chat.completion.chunk'),
  choices,
  usage: counts,
});
const said = (delta: Json, finish_reason: Json = null) => chunk([{ index: 0, delta, logprobs: null, finish_reason }]);

const fibonacci = { model: 'deepseek/deepseek-v4-pro', prompt: 'def fibonacci(n):', max_tokens: 8, temperature: 0 };
const continued = {
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1_795_000_000,
  model: 'deepseek-v4-pro',
  choices: [{ index: 0, text: '\n    return n if n < 2 else', logprobs: null, finish_reason: 'length' }],
};

const moderator = 'openai/omni-moderation-latest';
const picture = { type: 'image_url', image_url: { url: 'https://images.example/lighthouse.png' } };

const lighthouse = { model: 'openai/gpt-image-1', prompt: 'A lighthouse in fog, watercolour', size: '1024x1024' };
const b64_json = 'iVBORw0KGgo...';
const images = json('OpenAI’s list of images', { created: 1_795_000_000, data: [{ b64_json }] });
const imageStream = (kind: string) =>
  stream(`\`${kind}.partial_image\` events, and at the end \`${kind}.completed\``, { type: `${kind}.completed`, b64_json });

const sentence = 'The train leaves at nine.';
const spoken = { model: 'openai/gpt-4o-mini-tts', input: sentence, voice: 'coral' };
const recording = form({ file: file('flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav or webm') });
const transcript = json('OpenAI’s transcription; the verbose formats hold more', { text: sentence });
const plainText: Content = { type: 'text/plain', schema: text('for the formats `text`, `srt` and `vtt`') };

export const openAiOperations: Operations = {
  'POST /v1/chat/completions': openAi(
    'chat/create',
    'createChatCompletion',
    `OpenAI’s chat completions, for the models of every provider. ${passedOn}\n\n${streamWords}`,
    {
      examples: {
        'The demo model (npm start, ola serve --demo)': hello,
        'As a stream, with usage': { ...hello, stream: true, stream_options: { include_usage: true } },
      },
    },
    json('OpenAI’s `chat.completion` object', {
      ...answered('cc3c0ce9', 'chat.completion'),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'You said: Hello', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage,
    }),
    stream(
      'OpenAI’s `chat.completion.chunk` objects',
      said({ role: 'assistant', content: '' }),
      said({ content: 'You' }),
      said({ content: ' said:' }),
      said({ content: ' Hello' }),
      said({}, 'stop'),
      chunk([], usage),
      '[DONE]',
    ),
  ),
  'POST /v1/completions': openAi(
    'completions/create',
    'createCompletion',
    `OpenAI’s older API, for models that continue a text. ${passedOn}\n\n${streamWords}`,
    { examples: { 'Continue a text': fibonacci, 'As a stream': { ...fibonacci, stream: true } } },
    json('OpenAI’s `text_completion` object', continued),
    stream('OpenAI’s `text_completion` objects', continued, '[DONE]'),
  ),
  'POST /v1/embeddings': {
    ...openAi(
      'embeddings/create',
      'createEmbedding',
      `Turns texts into vectors, to compare them by meaning. ${passedOn}\n\nThe vectors of the demo are made of a hash: they are for trying out, not for searching.`,
      {
        fields: { input: 'a text, a list of texts, a list of tokens, or a list of such lists; none of them empty' },
        examples: {
          'From the demo model': { model: 'demo/echo', input: 'Hello', dimensions: 2 },
          'Several texts': { model: 'openai/text-embedding-3-small', input: ['a lighthouse', 'a tower by the sea'] },
        },
      },
      json('OpenAI’s list of embeddings, one for each text; `encoding_format: base64` packs 32-bit floats', {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: [0.7392004132270813, 0.673485517501831] }],
        model: 'echo',
        usage: { prompt_tokens: 1, total_tokens: 1 },
      }),
    ),
    errors: [...inferenceErrors, 'embeddings_not_supported'],
  },
  'POST /v1/moderations': openAi(
    'moderations/create',
    'createModeration',
    `Tells whether texts and images are harmful. The request must name a model: the default model is for chat. ${passedOn}`,
    {
      examples: {
        'A text': { model: moderator, input: 'I like lighthouses.' },
        'An image': { model: moderator, input: [picture] },
      },
    },
    json('OpenAI’s moderation, one result for each input', {
      id: 'modr-1',
      model: 'omni-moderation-latest',
      results: [{ flagged: false, categories: { violence: false }, category_scores: { violence: 0.0001 } }],
    }),
  ),
  'POST /v1/images/generations': openAi(
    'images/create',
    'createImage',
    `Makes images from words. ${passedOn}\n\nA stream that breaks off ends with an event \`{"error": {...}}\`.`,
    { examples: { 'One image': lighthouse, 'As a stream': { ...lighthouse, stream: true, partial_images: 2 } } },
    images,
    imageStream('image_generation'),
  ),
  'POST /v1/images/edits': openAi(
    'images/createEdit',
    'editImage',
    `Changes images by words. ${formWords('images/edits', 'model=openai/gpt-image-1', 'image=@sea.png', 'prompt="Add a lighthouse"')}`,
    form({ image: file('png, jpeg or webp; several as `image[]`'), prompt: text('what to change') }),
    images,
    imageStream('image_edit'),
  ),
  'POST /v1/images/variations': openAi(
    'images/createVariation',
    'createImageVariation',
    `Makes images that are like another one. ${formWords('images/variations', 'model=openai/dall-e-2', 'image=@square.png', 'n=2')}`,
    form({ image: file('a square png') }),
    images,
  ),
  'POST /v1/audio/speech': openAi(
    'audio/createSpeech',
    'createSpeech',
    `Makes speech from text. ${passedOn}\n\nA recording that breaks off ends without its last chunk: a client sees a broken connection, not a shorter recording.`,
    { examples: { 'A sentence': spoken, 'As a stream of events': { ...spoken, stream_format: 'sse' } } },
    { type: 'audio/mpeg', schema: file('or the type of audio that was asked for') },
    stream(
      '`speech.audio.delta` events, and at the end `speech.audio.done`',
      { type: 'speech.audio.delta', audio: 'SUQzBAAAAAAA...' },
      { type: 'speech.audio.done', usage: { input_tokens: 8, output_tokens: 40, total_tokens: 48 } },
    ),
  ),
  'POST /v1/audio/transcriptions': openAi(
    'audio/createTranscription',
    'createTranscription',
    `Writes down what is said in a recording. ${formWords('audio/transcriptions', 'model=openai/gpt-4o-transcribe', 'file=@train.mp3')}`,
    recording,
    transcript,
    plainText,
    stream(
      '`transcript.text.delta` events, and at the end `transcript.text.done`',
      { type: 'transcript.text.delta', delta: sentence },
      { type: 'transcript.text.done', text: sentence },
    ),
  ),
  'POST /v1/audio/translations': openAi(
    'audio/createTranslation',
    'createTranslation',
    `Writes down in English what is said in a recording of another language. ${formWords('audio/translations', 'model=openai/whisper-1', 'file=@zug.mp3')}`,
    recording,
    transcript,
    plainText,
  ),
};
