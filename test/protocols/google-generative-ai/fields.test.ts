/** The lists of fates say what the code does. */
import { describe, expect, test } from 'bun:test';
import { type Conversation, noSampling, type Part } from '../../../src/core/conversation.ts';
import { type RequestField, requestFields } from '../../../src/core/hub-fields.ts';
import { asFunctions } from '../../../src/protocols/custom-tools.ts';
import { chat } from '../../../src/protocols/google-generative-ai/chat.ts';
import {
  assistant,
  call,
  conversation,
  failed,
  image,
  refusalOf,
  result,
  sent,
  system,
  text,
  thought,
  tool,
  user,
} from './conversations.ts';

const media = (kind: string, source: object): Partial<Conversation> => ({
  turns: [
    user('a', {
      type: 'media',
      kind,
      source: { mime: null, detail: null, ...source },
      name: null,
      field: 'messages.0.content.1',
    } as Part),
  ],
});
const sampling = (rest: Partial<Conversation['sampling']>): Partial<Conversation> => ({ sampling: { ...noSampling, ...rest } });
const results = (...parts: readonly Part[]): Partial<Conversation> => ({
  turns: [user('a'), assistant(call('c')), user(...parts)],
});
const said = (...parts: readonly Part[]): Partial<Conversation> => ({ turns: [user('a'), assistant(...parts), user('b')] });
const reasoning = (effort: string | null, budget: number | null, summary: string | null): Partial<Conversation> => ({
  reasoning: { effort, budget, summary },
});
const choice = (toolChoice: Conversation['toolChoice']): Partial<Conversation> => ({ toolChoice, tools: [tool('f')] });
const documentPart: Part = { type: 'media', kind: 'document', source: { mime: null, detail: null, text: 'd' }, name: null };

/** A conversation with the field, and a text that the upstream then reads; the conversation without it must not have that text. */
const rows: Readonly<Record<RequestField, readonly [Partial<Conversation>, string]>> = {
  system: [{ system: [text('S')] }, '"systemInstruction"'],
  systemInTheMiddle: [{ turns: [user('a'), system('M')] }, 'M'],
  text: [{ turns: [user('words')] }, 'words'],
  imageData: [{ turns: [user(image)] }, 'iVBORw0KGgo='],
  imageUrl: [media('image', { url: 'https://example.com/i' }), 'https://example.com/i'],
  documentData: [media('document', { data: 'JVBERg==' }), 'JVBERg=='],
  documentUrl: [media('document', { url: 'https://example.com/d' }), 'https://example.com/d'],
  documentText: [media('document', { text: 'doc' }), 'ZG9j'],
  audio: [media('audio', { data: 'UklGRg==' }), 'UklGRg=='],
  video: [media('video', { url: 'https://example.com/v' }), 'https://example.com/v'],
  reasoning: [said(thought(), text('x')), ''],
  signedReasoning: [said(thought('sig'), call('c')), '"thoughtSignature":"sig"'],
  redactedReasoning: [said({ type: 'reasoning', text: '', redacted: 'enc' }, text('x')), ''],
  toolCall: [said(call('c', '{"x":1}')), '"args":{"x":1}'],
  parallelToolCalls: [said(call('c'), call('d')), '"id":"d"'],
  customToolCall: [said({ ...call('c', 'raw'), kind: 'custom' } as Part), '{"input":"raw"}'],
  toolResult: [results(result('c', 'r')), '"output":"r"'],
  failedToolResult: [results(failed('c', 'r')), '"error":"r"'],
  imageInToolResult: [results(result('c', image)), 'iVBORw0KGgo='],
  documentInToolResult: [results(result('c', documentPart)), '"data":"ZA=="'],
  refusal: [said({ type: 'refusal', text: 'No' }), 'No'],
  foreignBlock: [{ turns: [user({ type: 'opaque', protocol: 'x', name: 'n', value: {}, field: 'messages.0.content.1' })] }, ''],
  functionTool: [{ tools: [tool('f')] }, 'functionDeclarations'],
  customTool: [asFunctions(conversation({ tools: [tool('f', { kind: 'custom' })] })).conversation, '"input"'],
  strictTool: [{ tools: [tool('f', { strict: true })] }, ''],
  toolChoiceAuto: [choice('auto'), '"AUTO"'],
  toolChoiceNone: [choice('none'), '"NONE"'],
  toolChoiceRequired: [choice('required'), '"ANY"'],
  toolChoiceNamed: [choice({ name: 'f' }), '"allowedFunctionNames":["f"]'],
  toolChoiceAllowed: [choice({ allowed: ['f'], mode: 'required' }), '"ANY"'],
  parallelTools: [{ parallelTools: false, tools: [tool('f')] }, ''],
  maxTokens: [{ maxTokens: 77 }, '77'],
  temperature: [sampling({ temperature: 0.25 }), '0.25'],
  topP: [sampling({ topP: 0.25 }), '0.25'],
  topK: [sampling({ topK: 25 }), '"topK":25'],
  seed: [sampling({ seed: 7 }), '"seed":7'],
  frequencyPenalty: [sampling({ frequencyPenalty: 1 }), '"frequencyPenalty":1'],
  presencePenalty: [sampling({ presencePenalty: 1 }), '"presencePenalty":1'],
  stop: [{ stop: ['END'] }, 'END'],
  formatJson: [{ format: { kind: 'json' } }, 'application/json'],
  formatSchema: [{ format: { kind: 'schema', name: null, description: null, schema: {}, strict: null } }, 'responseJsonSchema'],
  effort: [reasoning('high', null, null), '"thinkingLevel":"HIGH"'],
  reasoningBudget: [reasoning(null, 2000, null), '"thinkingLevel":"LOW"'],
  reasoningSummary: [reasoning(null, null, 'auto'), 'includeThoughts'],
  cacheHint: [{ turns: [user({ ...text('a'), cache: { ttl: null } })] }, ''],
  cacheKey: [{ cacheKey: 'k' }, ''],
  user: [{ user: 'u-7' }, ''],
  stream: [{ stream: true }, 'streamGenerateContent'],
};

/** Encrypted reasoning is named as reasoning: the client may not know the difference. */
const droppedAs: Partial<Record<RequestField, RequestField>> = { redactedReasoning: 'reasoning' };

describe('each field of a conversation has its fate', () => {
  const facts = { thinking: 'adaptive', reasoning: true } as const;
  for (const field of requestFields) {
    const fate = chat.fields.upstream[field];
    const [rest, mark] = rows[field];
    test(`${field}: ${typeof fate === 'string' ? fate : Object.keys(fate)[0]}`, () => {
      if (typeof fate === 'object' && 'refused' in fate) {
        expect(refusalOf(() => sent(rest, facts)).facts.param).toMatch(/^(?:tools|messages\.0\.content\.1)$/);
      } else if (typeof fate === 'object' && 'dropped' in fate)
        expect(sent(rest, facts).dropped).toEqual([droppedAs[field] ?? field]);
      else {
        expect(mark).not.toBe('');
        const told = (conversation: Partial<Conversation>) => {
          const { path, text: body, dropped } = sent(conversation, facts);
          return { dropped, text: path + body };
        };
        expect(told(rest)).toEqual({ dropped: [], text: expect.stringContaining(mark) });
        expect(told({}).text).not.toContain(mark);
      }
    });
  }
});

test('every field that a client may send goes somewhere, or says why not', () => {
  for (const fate of Object.values(chat.fields.client)) {
    if ('dropped' in fate) expect(fate.dropped).not.toBe('');
    else if ('refused' in fate) expect(fate.refused).not.toBe('');
    else for (const place of fate) expect(requestFields).toContain(place);
  }
});

test('a field that is refused for other protocols is named as opaque, one that is dropped as unknown', () => {
  const refused: Readonly<Record<string, unknown>> = { candidateCount: 2, responseModalities: ['AUDIO'] };
  const names = Object.entries(chat.fields.client).filter(([name]) => /^(?:generationConfig\.)?[a-zA-Z]+$/.test(name));
  let count = 0;
  for (const [field, fate] of names) {
    const name = field.replace('generationConfig.', '');
    const member = { [name]: refused[name] ?? { a: 1 } };
    const contents = [{ parts: [{ text: 'a' }] }];
    const body = name === field ? { contents, ...member } : { contents, generationConfig: member };
    if (/^(?:videoMetadata)$/.test(name)) continue;
    if ('dropped' in fate) expect(chat.decodeRequest(body)).toMatchObject({ unknown: [field] });
    else if ('refused' in fate)
      expect(chat.decodeRequest(body).opaque).toEqual([{ protocol: 'google-generative-ai', name, field }]);
    else continue;
    count++;
  }
  expect(count).toBeGreaterThan(10);
});
