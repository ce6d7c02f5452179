/**
 * The models of servers that the catalog does not list: local servers, and configured providers without `models`. Each server
 * is asked when a client asks ola for its models, never at the start. That client waits a moment, not for a slow server.
 */
import type { Egress } from '../../core/egress.ts';
import type { Clock } from '../../core/ports.ts';
import type { Protocol } from '../../core/protocol.ts';
import type { CatalogModel } from '../../core/providers.ts';
import type { ActiveProvider } from '../routing/registry.ts';
import { withHeaders } from './passed-headers.ts';
import { readAtMost } from './read-body.ts';

export interface OwnModels {
  /** Asks those of the providers whose answer is not known or too old. It resolves when the lists are there, or after a moment. */
  refresh(providers: Iterable<ActiveProvider>): Promise<void>;
  /** The models that the provider listed when it was asked last; none before, and none when it did not answer. */
  of(provider: ActiveProvider): readonly CatalogModel[];
}

export interface OwnModelsPorts {
  readonly egress: Pick<Egress, 'send'>;
  readonly protocols: readonly Protocol[];
  readonly now: Clock;
}

/** Milliseconds that a client waits for the servers' lists. */
const longestWait = 1000;
/** Milliseconds until a server's list is given up. One that comes after the wait is in the client's next list. */
const longestAsk = 5000;
/** Milliseconds until a list is asked for again. */
const freshFor = 60_000;
/** Milliseconds until a server that did not answer is asked again. */
const failedFor = 30_000;
/** Longest list of one server that is read, in bytes. */
const longestList = 4 * 1024 * 1024;
/** Models that are kept of one server. */
const mostModels = 2000;
/** Most providers that are asked in one round. */
const mostProviders = 64;

interface Known {
  models: readonly CatalogModel[];
  /** Milliseconds since 1970, between which they need not be asked for again. */
  from: number;
  until: number;
  /** Until the answer is there. */
  asking: Promise<void> | null;
}

export function createOwnModels({ egress, protocols, now }: OwnModelsPorts): OwnModels {
  // A change of the configuration makes new providers: what was known of the earlier ones goes with them.
  const known = new WeakMap<ActiveProvider, Known>();

  async function ask(provider: ActiveProvider): Promise<readonly CatalogModel[] | null> {
    const [{ protocol, destination, candidates }] = provider.endpoints;
    const list = protocols.find(({ id }) => id === protocol)?.modelList ?? null;
    if (list === null) return null;
    const { path } = list;
    const headers = withHeaders(await candidates[0].sign({ method: 'GET', path, body: '' }, now()), list.headers ?? null);
    const signal = AbortSignal.timeout(longestAsk);
    const reply = await egress.send(destination, { method: 'GET', path, headers, body: null, signal });
    if (reply.status !== 200) {
      reply.cancel();
      return null;
    }
    const text = await readAtMost(reply, { limit: longestList, first: null, milliseconds: longestAsk });
    return text === null ? null : list.read(text);
  }

  async function renew(provider: ActiveProvider, entry: Known): Promise<void> {
    // Whatever went wrong, the list does without the provider; a call to it says what it is.
    const models = await ask(provider).catch(() => null);
    entry.models = distinct(models ?? []);
    entry.from = now();
    entry.until = entry.from + (models === null ? failedFor : freshFor);
    entry.asking = null;
  }

  /** The answer that is to be waited for; null when an earlier one will do. */
  function asked(provider: ActiveProvider): Promise<void> | null {
    const entry = known.get(provider);
    if (entry === undefined) {
      const first: Known = { models: [], from: 0, until: 0, asking: null };
      known.set(provider, first);
      first.asking = renew(provider, first);
      return first.asking;
    }
    const isFresh = now() >= entry.from && now() < entry.until;
    if (!isFresh) entry.asking ??= renew(provider, entry);
    return entry.models.length > 0 ? null : entry.asking;
  }

  return {
    async refresh(providers) {
      const own = [...providers].filter(({ asksModels }) => asksModels).slice(0, mostProviders);
      const waited = own.flatMap((provider) => asked(provider) ?? []);
      if (waited.length > 0) await atMost(longestWait, Promise.all(waited));
    },
    of: (provider) => known.get(provider)?.models ?? none,
  };
}

const none: readonly CatalogModel[] = [];

function distinct(models: readonly CatalogModel[]): readonly CatalogModel[] {
  return [...new Map(models.map((model) => [model.id, model])).values()].slice(0, mostModels);
}

async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
