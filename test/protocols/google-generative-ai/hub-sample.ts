/** Google's contents for the contract of the hub. Forms: https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/function-calling. */
import type { HubSample, NativeClient } from '../../contract/hub/sample.ts';

type Fields = Readonly<Record<string, unknown>>;
interface GooglePart {
  readonly text?: string;
  readonly thought?: boolean;
  readonly thoughtSignature?: string;
  readonly functionCall?: { readonly id?: string; readonly name: string };
}
interface Chunk {
  readonly candidates?: readonly { readonly content?: { readonly parts?: readonly GooglePart[] } }[];
}

const weather = {
  name: 'weather',
  description: 'The weather of a city.',
  parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } },
};

const partsOf = (answer: Chunk): readonly GooglePart[] => answer.candidates?.[0]?.content?.parts ?? [];

/** The parts of all chunks, as the SDK's chats keep them. */
function foldStream(stream: string): string {
  const parts = stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .flatMap((event) => partsOf(JSON.parse(event.slice('data: '.length)) as Chunk));
  return JSON.stringify({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] });
}

const client: NativeClient = {
  ask: (question, more = {}) => ({
    contents: [{ role: 'user', parts: [{ text: question }] }],
    tools: [{ functionDeclarations: [weather] }],
    ...more,
  }),
  reply(request, answer, { keeps, results: order }) {
    const parts = partsOf(JSON.parse(answer) as Chunk);
    const said = parts.filter(({ thought }) => keeps === 'all' || thought !== true);
    const results = parts.flatMap(({ functionCall: call }) =>
      call === undefined ? [] : [{ functionResponse: { id: call.id, name: call.name, response: { output: `of ${call.id}` } } }],
    );
    const more = [
      { role: 'model', parts: keeps === 'all' ? said : said.map(({ thoughtSignature: _, ...part }) => part) },
      { role: 'user', parts: order === 'reversed' ? results.reverse() : results },
    ];
    return { ...request, contents: [...(request['contents'] as Fields[]), ...more] };
  },
  fold: foldStream,
};

const withPart = (part: Fields): Fields => ({ contents: [{ role: 'user', parts: [part] }] });
const config = (generationConfig: Fields): Fields => ({ generationConfig });
const said = { content: { role: 'model', parts: [{ text: 'Hi' }] }, index: 0 };
const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 1, totalTokenCount: 4 };
const eventOf = (fields: Fields) => `data: ${JSON.stringify(fields)}\n\n`;

export const googleHubSample: HubSample = {
  model: {
    facts: { id: 'up', reasoning: true, thinking: 'adaptive', input: ['text', 'image'], maxTokens: 64_000 },
  },
  streaming: {},
  thinking: config({ thinkingConfig: { thinkingLevel: 'HIGH', includeThoughts: true } }),
  keepsOrder: true,
  wholeCalls: true,
  joinsTexts: true,
  tooLong: {
    status: 400,
    body: '{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}',
  },
  unknownEvent: eventOf({ mood: 'sunny' }),
  unknownEnd: {
    word: 'TIRED',
    answer: JSON.stringify({ candidates: [{ ...said, finishReason: 'TIRED' }], usageMetadata }),
    stream: eventOf({ candidates: [said] }) + eventOf({ candidates: [{ finishReason: 'TIRED', index: 0 }], usageMetadata }),
  },
  said: {
    'fileData at Google': withPart({ fileData: { mimeType: 'image/png', fileUri: 'gs://bucket/a.png' } }),
    'tools.functionDeclarations.response': { tools: [{ functionDeclarations: [{ ...weather, response: { type: 'STRING' } }] }] },
    'functionResponse.willContinue': withPart({ functionResponse: { name: 'weather', response: {}, willContinue: true } }),
    videoMetadata: withPart({ text: 'Hi', videoMetadata: { startOffset: '1s' } }),
    'tools that run at Google': { tools: [{ googleSearch: {} }] },
    'toolConfig.retrievalConfig': { toolConfig: { retrievalConfig: { languageCode: 'en' } } },
    'generationConfig.candidateCount': config({ candidateCount: 2 }),
    'generationConfig.responseModalities': config({ responseModalities: ['AUDIO'] }),
    'generationConfig.responseLogprobs': config({ responseLogprobs: true }),
    'generationConfig.logprobs': config({ logprobs: 3 }),
    'generationConfig.speechConfig': config({ speechConfig: { languageCode: 'en' } }),
    'generationConfig.mediaResolution': config({ mediaResolution: 'MEDIA_RESOLUTION_LOW' }),
    'generationConfig.imageConfig': config({ imageConfig: { aspectRatio: '1:1' } }),
    'generationConfig.enableEnhancedCivicAnswers': config({ enableEnhancedCivicAnswers: true }),
    safetySettings: { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }] },
    cachedContent: { cachedContent: 'cachedContents/abc' },
    labels: { labels: { team: 'garden' } },
    store: { store: false },
    serviceTier: { serviceTier: 'flex' },
  },
  client,
};
