/** The fields that ola adds to a request. An endpoint that refuses one is asked again without it, and is not sent it any more. */
import type { Exchange, UpstreamFailure } from '../../core/protocol.ts';
import type { ProviderQuirks } from '../../core/providers.ts';
import type { ActiveEndpoint } from '../routing/registry.ts';
import type { Attempt } from '../routing/routing.ts';

type Asked = Pick<Attempt, 'endpoint' | 'model'>;

export interface AddedFields {
  /** The quirks of an endpoint and a model, with what they have refused since the endpoint is configured. */
  quirksOf(asked: Asked): ProviderQuirks;
  /** @returns true when a refusal names a field that ola added; that field is not sent again */
  isRefused(asked: Asked, failure: UpstreamFailure, exchange: Pick<Exchange, 'added'>): boolean;
}

/** The quirk that leaves an added field out: of all models of an endpoint, or of the one that was asked. */
interface Lesson {
  readonly quirk: ProviderQuirks;
  readonly of: 'endpoint' | 'model';
}

const lessons: Readonly<Record<string, Lesson>> = {
  stream_options: { quirk: { noStreamUsage: true }, of: 'endpoint' },
  'reasoning.summary': { quirk: { noReasoningSummary: true }, of: 'endpoint' },
  think: { quirk: { noThink: true }, of: 'model' },
};

/** What was learned of an endpoint, and of its models besides. */
interface Learned {
  readonly endpoint: ProviderQuirks;
  readonly models: ReadonlyMap<string, ProviderQuirks>;
}

/** Models of an endpoint that are remembered. A client may name any. */
const mostModels = 256;

export function createAddedFields(): AddedFields {
  const learned = new WeakMap<ActiveEndpoint, Learned>();
  return {
    quirksOf({ endpoint, model }) {
      const known = learned.get(endpoint);
      return known === undefined ? endpoint.quirks : (known.models.get(model) ?? known.endpoint);
    },
    isRefused({ endpoint, model }, { status, message, param }, { added }) {
      if (status !== 400 && status !== 422) return false;
      const field = added.find((name) => param?.includes(name) === true || message?.includes(name) === true);
      const lesson = field === undefined ? undefined : lessons[field];
      if (lesson === undefined) return false;
      learned.set(endpoint, withLesson(learned.get(endpoint) ?? { endpoint: endpoint.quirks, models: new Map() }, model, lesson));
      return true;
    },
  };
}

function withLesson({ endpoint, models }: Learned, model: string, { quirk, of }: Lesson): Learned {
  if (of === 'endpoint') {
    const all = [...models].map(([name, quirks]) => [name, { ...quirks, ...quirk }] as const);
    return { endpoint: { ...endpoint, ...quirk }, models: new Map(all) };
  }
  const others = [...models].filter(([name]) => name !== model).slice(1 - mostModels);
  return { endpoint, models: new Map([...others, [model, { ...endpoint, ...models.get(model), ...quirk }]]) };
}
