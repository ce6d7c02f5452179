/**
 * What the reference says of OpenAI's wire formats: what ola does with them, two worked examples each, and where the vendor
 * describes them. Their fields are not retyped here: the schema of a request is the one that its route checks.
 */
import type { TProperties } from '@sinclair/typebox';
import type { Json } from '../../core/json.ts';
import { eventStream, file, form, formWords, inferenceErrors, json, passedOn, text, vendorOperation } from './inference.ts';
import type { Content, DescribedRequest, Operations } from './operations.ts';

/** @param page below OpenAI's API reference */
const openAi = (page: string, id: string, description: string, request: DescribedRequest, ...content: readonly Content[]) =>
  vendorOperation(`https://platform.openai.com/docs/api-reference/${page}`, id, description, request, content);

const stream = (description: string, ...events: readonly (Json | '[DONE]')[]) =>
  eventStream(description, ...events.map((event) => (event === '[DONE]' ? event : JSON.stringify(event))));
const streamWords =
  'A stream is passed on event by event. A stream that breaks off ends with an event `{"error": {...}}` and without `data: [DONE]`.';

/** @param fields of the command that the description shows, besides the model */
function openAiForm(
  page: string,
  id: string,
  words: string,
  path: string,
  model: string,
  own: TProperties,
  fields: readonly string[],
  ...content: readonly Content[]
) {
  return openAi(page, id, `${words} ${formWords(path, [`model=${model}`, ...fields])}`, form(model, own), ...content);
}

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
const recording = { file: file('flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav or webm') };
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
  'POST /v1/images/edits': openAiForm(
    'images/createEdit',
    'editImage',
    'Changes images by words.',
    'images/edits',
    'openai/gpt-image-1',
    { image: file('png, jpeg or webp; several as `image[]`'), prompt: text('what to change') },
    ['image=@sea.png', 'prompt="Add a lighthouse"'],
    images,
    imageStream('image_edit'),
  ),
  'POST /v1/images/variations': openAiForm(
    'images/createVariation',
    'createImageVariation',
    'Makes images that are like another one.',
    'images/variations',
    'openai/dall-e-2',
    { image: file('a square png') },
    ['image=@square.png', 'n=2'],
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
  'POST /v1/audio/transcriptions': openAiForm(
    'audio/createTranscription',
    'createTranscription',
    'Writes down what is said in a recording.',
    'audio/transcriptions',
    'openai/gpt-4o-transcribe',
    recording,
    ['file=@train.mp3'],
    transcript,
    plainText,
    stream(
      '`transcript.text.delta` events, and at the end `transcript.text.done`',
      { type: 'transcript.text.delta', delta: sentence },
      { type: 'transcript.text.done', text: sentence },
    ),
  ),
  'POST /v1/audio/translations': openAiForm(
    'audio/createTranslation',
    'createTranslation',
    'Writes down in English what is said in a recording of another language.',
    'audio/translations',
    'openai/whisper-1',
    recording,
    ['file=@zug.mp3'],
    transcript,
    plainText,
  ),
};
