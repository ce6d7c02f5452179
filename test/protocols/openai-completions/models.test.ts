import { describe, expect, test } from 'bun:test';
import { modelList } from '../../../src/protocols/openai-completions/models.ts';

describe('a list of models', () => {
  test.each([
    ['of OpenAI', { object: 'list', data: [{ id: 'a', object: 'model' }, { id: 'b/c:8b' }] }, [{ id: 'a' }, { id: 'b/c:8b' }]],
    ['that is bare', [{ id: 'a' }], [{ id: 'a' }]],
    ['of vLLM', { data: [{ id: 'a', max_model_len: 8192 }] }, [{ id: 'a', contextWindow: 8192 }]],
    ['of OpenRouter', { data: [{ id: 'a', context_length: 4096 }] }, [{ id: 'a', contextWindow: 4096 }]],
    ['that is empty', { data: [] }, []],
  ])('%s is read', (_, answer, models) => expect(modelList.read(JSON.stringify(answer))).toEqual(models));

  test.each(['', '{', 'null', '"x"', '7', '{}', '{"data":null}', '{"data":{}}', '<html>', '{"error":{"message":"x"}}'])(
    '%p is none',
    (text) => expect(modelList.read(text)).toBeNull(),
  );

  test('leaves out what nobody could ask for', () => {
    const odd = [null, 7, 'a', {}, { id: 7 }, { id: '' }, { id: ' a' }, { id: 'a\nb' }, { id: 'a\u2028' }, { id: '\ud800' }];
    const data = [
      ...odd,
      { id: 'x'.repeat(257) },
      { id: 'good', max_model_len: -1 },
      { id: 'x'.repeat(256), max_model_len: '9' },
    ];
    expect(modelList.read(JSON.stringify({ data }))).toEqual([{ id: 'good' }, { id: 'x'.repeat(256) }]);
  });
});
