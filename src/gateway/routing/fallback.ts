/** `providerFallback`: the models that are tried after the one that was asked for. Pure. */
import type { ConfigDocument } from '../../core/document.ts';
import type { Operation } from '../../core/protocol.ts';

export interface Fallback {
  /** Model names by key; provider ids in keys are canonical. */
  readonly order: ReadonlyMap<string, readonly string[]>;
  readonly mostAttempts: number;
  readonly retryStatuses: ReadonlySet<number> | null;
}

const usualAttempts = 6;
/** The operations that may go to another model: what it answers is of the same kind. */
const operations: readonly Operation[] = ['chat', 'embeddings'];
const operationOfKey = new RegExp(`^(${operations.join('|')}):`);

export function fallbackOf({ providerFallback }: ConfigDocument, canonicalId: (id: string) => string): Fallback {
  const { enabled = true, order = {}, maxAttempts = usualAttempts, retryStatusCodes } = providerFallback ?? {};
  const entries = enabled ? Object.entries(order) : [];
  return {
    order: new Map(entries.flatMap(([key, names]) => [[canonicalKey(key, canonicalId), names] as const, [key, names] as const])),
    mostAttempts: maxAttempts,
    retryStatuses: retryStatusCodes === undefined ? null : new Set(retryStatusCodes),
  };
}

/** `chat:Z.AI/glm-5` -> `chat:zai/glm-5`. */
function canonicalKey(key: string, canonicalId: (id: string) => string): string {
  const operation = operationOfKey.exec(key)?.[0] ?? '';
  const [provider = '', ...model] = key.slice(operation.length).split('/');
  return operation + [canonicalId(provider), ...model].join('/');
}

export interface PlannedModel {
  /** The name as the client wrote it, or the default model's. */
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly operation: Operation;
}

/** The fallbacks of the first key that the order has: of the model before the provider, of the operation before all. */
export function fallbackNames({ name, provider, model, operation }: PlannedModel, { order }: Fallback): readonly string[] {
  if (order.size === 0 || !operations.includes(operation)) return [];
  const reference = `${provider}/${model}`;
  const keys = [`${operation}:${reference}`, `${operation}:${provider}`, reference, provider, name];
  return keys.map((key) => order.get(key)).find((names) => names !== undefined) ?? [];
}
