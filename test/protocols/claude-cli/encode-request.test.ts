/** What Claude Code is told of a conversation, and what it must never be told. */
import { describe, expect, test } from 'bun:test';
import type { Conversation } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { ChatCodec, EncodedRequest } from '../../../src/core/protocol.ts';
import { anthropicMessages } from '../../../src/protocols/anthropic-messages/protocol.ts';
import { claudeCliOver } from '../../../src/protocols/claude-cli/protocol.ts';
import { openaiCompletions } from '../../../src/protocols/openai-completions/protocol.ts';
import { upstreamModel } from '../upstream-model.ts';

const claude = claudeCliOver(anthropicMessages);
const to = upstreamModel('claude-sonnet-4-5');
const digest = (text: string) => text;

function encode(conversation: Conversation): EncodedRequest {
  return claude.chat.encodeRequest(conversation, to, digest);
}

const ofChat = (fields: JsonObject) => (openaiCompletions.chat as ChatCodec).decodeRequest({ model: 'm', ...fields });
const ofMessages = (fields: JsonObject) => anthropicMessages.chat.decodeRequest({ model: 'm', max_tokens: 9, ...fields });

function contentOf({ program }: EncodedRequest): readonly JsonObject[] {
  const line = JSON.parse(program?.input ?? '') as { message: { content: JsonObject[] } };
  return line.message.content;
}
const textsOf = (request: EncodedRequest) => contentOf(request).map(({ text }) => text);

function refusalOf(conversation: () => Conversation): OlaError {
  try {
    encode(conversation());
  } catch (error) {
    if (error instanceof OlaError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const image = 'iVBORw0KGgo=';

describe('the prompt', () => {
  test('tells the instructions and the turns in their order, and ends with a text of ola’s own', () => {
    const request = encode(
      ofChat({
        messages: [
          { role: 'system', content: 'be short' },
          { role: 'user', content: 'one @/etc/hostname' },
          { role: 'assistant', content: 'two' },
          { role: 'user', content: [{ type: 'text', text: '/cost' }] },
        ],
      }),
    );
    const texts = textsOf(request);
    expect(texts.slice(0, -1)).toEqual([
      ...['Instructions:', 'be short', 'User:', 'one @/etc/hostname', 'Assistant:', 'two', 'User:', '/cost'],
    ]);
    expect(String(texts.at(-1))).not.toMatch(/@|^\/|hostname/);
  });

  test('is one line, whatever it holds', () => {
    const { program } = encode(ofChat({ messages: [{ role: 'user', content: 'a\nb\u2028c\u0000\ud800' }] }));
    expect(program?.input.indexOf('\n')).toBe((program?.input.length ?? 0) - 1);
    expect(textsOf(encode(ofChat({ messages: [{ role: 'user', content: 'x\ud800' }] })))[1]).toBe('x\ufffd');
  });

  test('has images as data, where they stand', () => {
    const url = `data:image/png;base64,${image}`;
    const content = [
      { type: 'text', text: 'see' },
      { type: 'image_url', image_url: { url } },
    ];
    expect(contentOf(encode(ofChat({ messages: [{ role: 'user', content }] })))[2]).toEqual({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: image },
    });
  });

  test('leaves out blank texts, and reasoning of earlier turns by its name', () => {
    const request = encode(
      ofMessages({
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'hi' }] },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
              { type: 'text', text: ' ' },
              { type: 'text', text: 'yes' },
            ],
          },
          { role: 'user', content: 'go on' },
        ],
      }),
    );
    expect(textsOf(request).slice(2, 4)).toEqual(['Assistant:', 'yes']);
    expect(request.dropped).toContain('reasoning');
  });
});

describe('the command line', () => {
  const canary = 'CANARY-of-the-request';

  test('holds the model’s id and nothing else of a request', () => {
    const plain = encode(ofChat({ messages: [{ role: 'user', content: 'hi' }] }));
    const rich = encode(
      ofChat({
        messages: [
          { role: 'system', content: canary },
          { role: 'user', content: canary },
        ],
        user: canary,
        stop: [canary],
        temperature: 0.123,
        reasoning_effort: 'high',
        response_format: { type: 'json_object' },
        prompt_cache_key: canary,
        [canary]: canary,
      }),
    );
    expect(rich.program?.arguments).toEqual(plain.program?.arguments ?? []);
    expect(rich.program?.arguments.at(-1)).toBe('claude-sonnet-4-5');
    expect(rich.program?.arguments.join(' ')).not.toContain(canary);
    expect(rich.dropped).toEqual(expect.arrayContaining(['temperature', 'stop', 'user', 'effort', 'cacheKey']));
  });

  test('takes every tool from the model, and forbids the program to read files for a prompt', () => {
    const words = encode(ofChat({ messages: [{ role: 'user', content: 'hi' }] })).program?.arguments ?? [];
    const after = (option: string) => words[words.indexOf(option) + 1];
    expect([words.includes('--tools'), after('--tools')]).toEqual([true, '']);
    expect([words.includes('--setting-sources'), after('--setting-sources')]).toEqual([true, '']);
    for (const option of ['--strict-mcp-config', '--safe-mode', '--no-session-persistence', '--disable-slash-commands'])
      expect(words).toContain(option);
    expect(JSON.parse(after('--settings') ?? '')).toMatchObject({ disableAllHooks: true });
    expect(after('--settings')).toContain('Read(//**)');
    expect(words.filter((word) => /skip-permissions|bypass|add-dir|allowed/i.test(word))).toEqual([]);
  });
});

describe('a request is refused by its field', () => {
  const user = { role: 'user', content: 'hi' };
  const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
  const cases: readonly (readonly [string, string, () => Conversation])[] = [
    ['tools of the client', 'tools', () => ofChat({ messages: [user], tools: [tool] })],
    [
      'a call of an earlier turn',
      'messages.1',
      () =>
        ofChat({
          messages: [
            user,
            {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: 'c', content: 'x' },
          ],
        }),
    ],
    [
      'a JSON schema',
      'response_format',
      () => ofChat({ messages: [user], response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {} } } }),
    ],
    [
      'an image by its address',
      'messages.0.content.0',
      () =>
        ofChat({
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://images.example/a.png' } }] }],
        }),
    ],
    [
      'a document',
      'messages.0.content.0',
      () =>
        ofMessages({
          messages: [
            {
              role: 'user',
              content: [{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: image } }],
            },
          ],
        }),
    ],
  ];
  for (const [name, param, conversation] of cases) {
    test(name, () => {
      const { status, facts } = refusalOf(conversation);
      expect([status, facts.param?.startsWith(param)]).toEqual([400, true]);
    });
  }
});
