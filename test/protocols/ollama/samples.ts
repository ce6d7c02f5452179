/** Ollama's API as its pages show it (https://docs.ollama.com/api/chat, /generate and /embed), in short. */
import type { Sample } from '../../contract/protocol.ts';

const head = { model: 'llama3.2', created_at: '2025-10-26T17:15:24.097767Z' };
const durations = {
  total_duration: 174560334,
  load_duration: 101397084,
  prompt_eval_duration: 13074791,
  eval_duration: 52479709,
};
const counts = { prompt_eval_count: 19, eval_count: 10 };
const end = { done: true, done_reason: 'stop', ...durations, ...counts };

export const line = (members: object): string => `${JSON.stringify({ ...head, ...members })}\n`;

export const chatLines: readonly string[] = [
  line({ message: { role: 'assistant', content: '', thinking: 'A greeting.' }, done: false }),
  line({ message: { role: 'assistant', content: 'Hi “there”' }, done: false }),
  line({ message: { role: 'assistant', content: ' 😀' }, done: false }),
  line({ message: { role: 'assistant', content: '' }, ...end }),
];

const tooLong = { status: 400, body: JSON.stringify({ error: 'the input length exceeds the context length' }) };

export const ollama: readonly Sample[] = [
  {
    path: '/api/chat',
    request: { model: 'MODEL', messages: [{ role: 'user', content: 'Hello' }], stream: false },
    streaming: { stream: true },
    answer: JSON.stringify({ ...head, message: { role: 'assistant', content: 'Hi “there” 😀' }, ...end }),
    stream: chatLines,
    prompt: 19,
    completion: 10,
    tooLong,
  },
  {
    path: '/api/generate',
    request: { model: 'MODEL', prompt: 'Hello', stream: false },
    streaming: { stream: true },
    answer: JSON.stringify({ ...head, response: 'Hi “there” 😀', context: [1, 2, 3], ...end }),
    stream: [
      line({ response: 'Hi “there”', done: false }),
      line({ response: ' 😀', done: false }),
      line({ response: '', context: [1, 2, 3], ...end }),
    ],
    prompt: 19,
    completion: 10,
    tooLong,
  },
  {
    path: '/api/embed',
    request: { model: 'MODEL', input: ['Hello', 'Good day'] },
    answer: JSON.stringify({
      model: 'embeddinggemma',
      embeddings: [
        [0.010071029, -0.0017594862],
        [0.05, 0.25],
      ],
      ...{ total_duration: 14143917, load_duration: 1019500, prompt_eval_count: 8 },
    }),
    prompt: 8,
    completion: 0,
    tooLong,
  },
  {
    path: '/api/embeddings',
    request: { model: 'MODEL', prompt: 'Hello' },
    answer: JSON.stringify({ embedding: [0.5670403838157654, 0.009260174818336964], prompt_eval_count: 3 }),
    prompt: 3,
    completion: 0,
    tooLong,
  },
];
