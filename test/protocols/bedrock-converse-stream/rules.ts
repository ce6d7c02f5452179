/** The rules of Converse on a request, as Bedrock enforces them (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */

type Fields = Readonly<Record<string, unknown>>;

interface Message {
  readonly role: string;
  readonly content: readonly Fields[];
}

export interface ConverseBody {
  readonly system?: readonly Fields[];
  readonly messages: readonly Message[];
  readonly toolConfig?: { readonly tools: readonly Fields[]; readonly toolChoice?: Fields };
}

const idForm = /^[a-zA-Z0-9_-]{1,64}$/;
const nameForm = /^(?!.*\s\s)[A-Za-z0-9\s()[\]-]{1,200}$/;

/** @returns each rule that the request breaks */
export function brokenRules(body: ConverseBody): string[] {
  const { messages, system = [], toolConfig } = body;
  const blocks = messages.flatMap(({ content }) => content);
  const broken = [
    ...orderRules(messages),
    ...[...system, ...blocks].flatMap(blockRules),
    ...messages.flatMap(messageRules),
    ...callRules(messages),
    ...documentRules(messages),
  ];
  const usesTools = blocks.some((block) => 'toolUse' in block || 'toolResult' in block);
  if (usesTools && (toolConfig?.tools.length ?? 0) === 0) broken.push('calls without a toolConfig');
  if (toolConfig !== undefined && toolConfig.tools.length === 0) broken.push('a toolConfig without tools');
  const lists = [system, toolConfig?.tools ?? [], ...messages.map(({ content }) => content)];
  if (lists.some(([first]) => first !== undefined && 'cachePoint' in first)) broken.push('a cache point in front of everything');
  if (lists.flat().filter((block) => 'cachePoint' in block).length > 4) broken.push('more than four cache points');
  return broken;
}

function orderRules(messages: readonly Message[]): string[] {
  const wrong = messages.findIndex(({ role }, at) => role !== (at % 2 === 0 ? 'user' : 'assistant'));
  if (messages.length === 0) return ['no message'];
  return wrong < 0 ? [] : [`message ${wrong} has the role ${messages[wrong]?.role}`];
}

function blockRules(block: Fields): string[] {
  const { text, toolUse, toolResult } = block as { text?: unknown; toolUse?: Fields; toolResult?: Fields };
  const broken: string[] = [];
  if (Object.keys(block).length !== 1) broken.push(`a block of ${Object.keys(block).join(' and ')}`);
  if (typeof text === 'string' && text.trim() === '') broken.push('a blank text');
  if (
    toolUse !== undefined &&
    (typeof toolUse['input'] !== 'object' || Array.isArray(toolUse['input']) || toolUse['input'] === null)
  )
    broken.push('an input that is no object');
  const content = (toolResult?.['content'] ?? []) as readonly Fields[];
  if (toolResult !== undefined && content.length === 0) broken.push('a result without content');
  return [...broken, ...content.flatMap(blockRules)];
}

function messageRules({ role, content }: Message): string[] {
  if (content.length === 0) return ['a message without content'];
  const last = content.at(-1)?.['text'];
  if (role === 'assistant' && typeof last === 'string' && last.trimEnd() === '') return ['a blank end'];
  const firstOther = content.findIndex((block) => !('toolResult' in block) && !('cachePoint' in block));
  const late = firstOther < 0 ? [] : content.slice(firstOther).filter((block) => 'toolResult' in block);
  return late.length === 0 ? [] : ['a result behind other blocks'];
}

function callRules(messages: readonly Message[]): string[] {
  const idsOf = (message: Message | undefined, name: 'toolUse' | 'toolResult') =>
    (message?.content ?? []).flatMap((block) => (name in block ? [String((block[name] as Fields)['toolUseId'])] : []));
  const all = messages.flatMap((message) => idsOf(message, 'toolUse'));
  const broken = all.filter((id) => !idForm.test(id)).map((id) => `the id ${id}`);
  if (new Set(all).size !== all.length) broken.push('an id twice');
  for (const [at, message] of messages.entries()) {
    const before = idsOf(messages[at - 1], 'toolUse');
    const results = idsOf(message, 'toolResult');
    if (before.join() !== results.join()) broken.push(`the calls ${before} have the results ${results}`);
  }
  if (idsOf(messages.at(-1), 'toolUse').length > 0) broken.push('calls at the end');
  return broken;
}

function documentRules(messages: readonly Message[]): string[] {
  const names: string[] = [];
  const broken: string[] = [];
  for (const { content } of messages) {
    const documents = content.flatMap((block) => ('document' in block ? [block['document'] as Fields] : []));
    names.push(...documents.map((document) => String(document['name'])));
    if (documents.length > 0 && !content.some((block) => 'text' in block)) broken.push('a document without a text');
  }
  if (new Set(names).size !== names.length) broken.push('a name twice');
  return [...broken, ...names.filter((name) => !nameForm.test(name)).map((name) => `the name ${name}`)];
}
