/** The list of fates says what the code does. */
import { describe, expect, test } from 'bun:test';
import { type Conversation, noSampling, type Part } from '../../../src/core/conversation.ts';
import { type RequestField, requestFields } from '../../../src/core/hub-fields.ts';
import { chat } from '../../../src/protocols/bedrock-converse-stream/chat.ts';
import { asFunctions } from '../../../src/protocols/custom-tools.ts';
import {
  assistant,
  call,
  conversation,
  failed,
  image,
  refusalOf,
  result,
  system,
  text,
  thought,
  tool,
  user,
} from '../anthropic-messages/conversations.ts';
import { claude, sent } from './conversations.ts';

const media = (kind: string, source: object): Partial<Conversation> => ({
  turns: [
    user('a', { type: 'media', kind, source: { mime: null, detail: null, ...source }, name: null, field: 'place' } as Part),
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
const choice = (toolChoice: Conversation['toolChoice']): Partial<Conversation> => ({ toolChoice, tools: [tool('f'), tool('g')] });
const documentPart: Part = { type: 'media', kind: 'document', source: { mime: null, detail: null, text: 'd' }, name: null };
const asFunction = (rest: Partial<Conversation>): Partial<Conversation> => asFunctions(conversation(rest)).conversation;

/** A conversation with the field, and a text of the path and the body that the upstream then reads, and does not read without it. */
const rows: Readonly<Record<RequestField, readonly [Partial<Conversation>, string]>> = {
  system: [{ system: [text('S')] }, '"system"'],
  systemInTheMiddle: [{ turns: [user('a'), system('M')] }, '<system>'],
  text: [{ turns: [user('words')] }, 'words'],
  imageData: [{ turns: [user(image)] }, 'iVBORw0KGgo='],
  imageUrl: [media('image', { url: 'https://example.com/i' }), ''],
  documentData: [media('document', { data: 'JVBERg==' }), 'JVBERg=='],
  documentUrl: [media('document', { url: 'https://example.com/d' }), ''],
  documentText: [media('document', { text: 'doc' }), 'ZG9j'],
  audio: [media('audio', { data: 'UklGRg==' }), ''],
  video: [media('video', { data: 'AAAA' }), '"video"'],
  reasoning: [said(thought(), text('x')), ''],
  signedReasoning: [said(thought('sig'), text('x')), 'sig'],
  redactedReasoning: [said({ type: 'reasoning', text: '', redacted: 'ZW5j' }, text('x')), 'redactedContent'],
  toolCall: [said(call('c', '{"x":1}')), '"input":{"x":1}'],
  parallelToolCalls: [said(call('c'), call('d')), '"toolUseId":"d"'],
  customToolCall: [said({ ...call('c', 'raw'), kind: 'custom' } as Part), '{"input":"raw"}'],
  toolResult: [results(result('c', 'r')), '"text":"r"'],
  failedToolResult: [results(failed('c', 'r')), '"status":"error"'],
  imageInToolResult: [results(result('c', image)), 'iVBORw0KGgo='],
  documentInToolResult: [results(result('c', documentPart)), 'ZA=='],
  refusal: [said({ type: 'refusal', text: 'No' }), 'No'],
  foreignBlock: [{ turns: [user({ type: 'opaque', protocol: 'x', name: 'n', value: {}, field: 'place' })] }, ''],
  functionTool: [{ tools: [tool('f')] }, 'inputSchema'],
  customTool: [asFunction({ tools: [tool('f', { kind: 'custom', parameters: null })] }), '"input":{"type":"string"'],
  strictTool: [{ tools: [tool('f', { strict: true })] }, '"strict":true'],
  toolChoiceAuto: [choice('auto'), '"auto"'],
  toolChoiceNone: [{ ...said(call('c')), toolChoice: 'none', tools: [tool('f')] }, '[Called f'],
  toolChoiceRequired: [choice('required'), '"any"'],
  toolChoiceNamed: [choice({ name: 'f' }), '"tool":{"name":"f"}'],
  toolChoiceAllowed: [choice({ allowed: ['g'], mode: 'required' }), '"tools":[{"toolSpec":{"name":"g"'],
  parallelTools: [{ parallelTools: false, tools: [tool('f')] }, ''],
  maxTokens: [{ maxTokens: 77 }, '77'],
  temperature: [sampling({ temperature: 0.25 }), '0.25'],
  topP: [sampling({ topP: 0.25 }), '0.25'],
  topK: [sampling({ topK: 25 }), '"top_k":25'],
  seed: [sampling({ seed: 7 }), ''],
  frequencyPenalty: [sampling({ frequencyPenalty: 1 }), ''],
  presencePenalty: [sampling({ presencePenalty: 1 }), ''],
  stop: [{ stop: ['END'] }, 'END'],
  formatJson: [{ format: { kind: 'json' } }, 'JSON object'],
  formatSchema: [{ format: { kind: 'schema', name: null, description: null, schema: {}, strict: null } }, 'json_schema'],
  effort: [reasoning('high', null, null), '"effort":"high"'],
  reasoningBudget: [reasoning(null, 2000, null), '"effort":"low"'],
  reasoningSummary: [reasoning('high', null, 'none'), 'omitted'],
  cacheHint: [{ turns: [user({ ...text('a'), cache: { ttl: null } })] }, 'cachePoint'],
  cacheKey: [{ cacheKey: 'k' }, ''],
  user: [{ user: 'u-7' }, ''],
  stream: [{ stream: true }, 'converse-stream'],
};

describe('each field of a conversation has its fate', () => {
  const facts = { ...claude, thinking: 'adaptive', strictTools: true } as const;
  const read = (rest: Partial<Conversation>) => {
    const { path, text: body, dropped } = sent(rest, facts);
    return { dropped, text: path + body };
  };
  for (const field of requestFields) {
    const fate = chat.fields.upstream[field];
    const [rest, mark] = rows[field];
    test(`${field}: ${typeof fate === 'string' ? fate : Object.keys(fate)[0]}`, () => {
      if (typeof fate === 'object' && 'refused' in fate) expect(refusalOf(() => read(rest)).facts.param).toBe('place');
      else if (typeof fate === 'object' && 'dropped' in fate) expect(read(rest).dropped).toEqual([field]);
      else {
        expect(mark).not.toBe('');
        expect(read(rest)).toEqual({ dropped: [], text: expect.stringContaining(mark) as unknown as string });
        expect(read({}).text).not.toContain(mark);
      }
    });
  }
});
