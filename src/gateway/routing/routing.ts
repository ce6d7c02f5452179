/** From a model name to a plan, and from a plan to the next attempt: pure, over the registry of the moment. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { CooledCredential } from '../../core/cooldowns.ts';
import { OlaError } from '../../core/errors.ts';
import { parseModelReference, readingsOf } from '../../core/models.ts';
import type { Operation, Translator } from '../../core/protocol.ts';
import type { CatalogModel, ProtocolId } from '../../core/providers.ts';
import type { Candidate } from '../../credentials/candidates.ts';
import type { Standing } from './cooldowns.ts';
import { type Fallback, fallbackNames, type PlannedModel } from './fallback.ts';
import type { AskedModels } from './models.ts';
import { namedProfile, usableCredentials } from './named-profile.ts';
import type { ActiveEndpoint, ActiveProvider, Registry } from './registry.ts';
import { nearestModels, nearestProviders } from './suggestions.ts';

/** One try: a provider's own model id at one of its endpoints, with one credential. */
export interface Attempt {
  readonly provider: ActiveProvider;
  readonly endpoint: ActiveEndpoint;
  readonly model: string;
  readonly candidate: Candidate;
  readonly price: CatalogModel['price'];
  /** What is known of the model; null when the provider does not list it. */
  readonly facts: CatalogModel | null;
  /** The credential by the name under which it cools down. */
  readonly cooledAs: CooledCredential;
}

/** What may be tried for a model, in order; the same for every call until the configuration changes. */
export interface Plan {
  readonly provider: ActiveProvider;
  readonly model: string;
  readonly price: CatalogModel['price'];
  /** The credentials of the model's provider, then those of its fallbacks. */
  readonly attempts: readonly [Attempt, ...Attempt[]];
  /** Attempts that one call may make. */
  readonly mostAttempts: number;
  /** The attempts whose credentials are interchangeable, by each of them; those without equals are not in it. */
  readonly equals: ReadonlyMap<Attempt, readonly Attempt[]>;
  /** Statuses after which another attempt is made, of those that are an upstream's own fault; null: all of them. */
  readonly retryStatuses: ReadonlySet<number> | null;
}

/** An attempt that failed, and what may follow: `same` once more, an `other` one, or nothing. */
export interface FailedAttempt {
  readonly attempt: Attempt;
  readonly next: 'same' | 'other' | 'stop';
}

/**
 * The first attempt whose credential is ready, else the first that is taken last.
 * @param standing null: every credential is ready
 * @returns null when nothing is left to try
 */
export function nextAttempt(
  { attempts, mostAttempts }: Plan,
  failed: readonly FailedAttempt[],
  standing: ((credential: CooledCredential) => Standing) | null,
): Attempt | null {
  const last = failed.at(-1);
  if (last === undefined && standing === null) return attempts[0];
  if (last?.next === 'stop') return null;
  if (last?.next === 'same') return last.attempt;
  if (failed.length >= mostAttempts) return null;
  let taken: Attempt | null = null;
  for (const attempt of attempts) {
    if (failed.some((each) => each.attempt === attempt)) continue;
    const stands = standing === null ? 'ready' : standing(attempt.cooledAs);
    if (stands === 'ready' || stands === 'probe') return attempt;
    if (stands === 'last') taken ??= attempt;
  }
  return taken;
}

export interface RoutingInputs {
  readonly registry: Registry;
  readonly catalog: Catalog;
  readonly defaultModel: string | null;
  readonly activeProviderIds: readonly string[];
  readonly asked: AskedModels;
  readonly fallback: Fallback;
  readonly translates: Translator['translates'];
}

/** The call that a plan is for. */
export interface Wanted {
  /** The `model` of a request; empty, absent or `default`: the default model. */
  readonly name: string | null;
  /** A preferred auth profile, by header. */
  readonly profile: string | null;
  /** The protocol that the client speaks. */
  readonly protocol: ProtocolId;
  readonly operation: Operation;
}

/** Control characters in a name could end up in a header or a log line. */
const controlCharacter = /[\p{Cc}\u2028\u2029]/u;

/**
 * @throws OlaError `model_not_found`, `provider_resolution_failed`, `provider_disabled`, `invalid_field`, `conflict` for a named
 *   profile that cannot be used
 */
export function planOf(wanted: Wanted, facts: RoutingInputs): Plan {
  const text = wantedName(wanted.name, facts);
  const { provider, model } = pick(readingOf(text, facts), facts);
  const named = parseModelReference(text).profile ?? wanted.profile;
  const [first, ...rest] = attemptsOf({ provider, model }, wanted, facts, named);
  // A request that asks for one account must not be paid by another.
  const others =
    named === null ? fallbacksOf({ name: text, provider: provider.id, model, operation: wanted.operation }, wanted, facts) : [];
  const attempts = withoutRepeats([first, ...rest, ...others.flatMap((fallback) => fallback.attempts)]);
  const { mostAttempts, retryStatuses } = facts.fallback;
  return {
    provider,
    model,
    price: first.price,
    attempts: [first, ...attempts.slice(1)],
    mostAttempts,
    equals: new Map(groupsOf(attempts).flatMap((group) => group.map((attempt) => [attempt, group]))),
    retryStatuses,
  };
}

/** Groups of several: nobody ordered their credentials, and they are of one kind. */
function groupsOf(attempts: readonly Attempt[]): readonly Attempt[][] {
  const groups = Map.groupBy(attempts, ({ provider, model, candidate }) => `${provider.id}\n${model}\n${candidate.rank}`);
  return [...groups.values()].filter(({ length }) => length > 1);
}

/**
 * The attempts that may be made in the place of one: its equals that are ready, itself among them.
 * @param standing null: every credential is ready
 */
export function equalsOf(
  attempt: Attempt,
  { equals }: Plan,
  failed: readonly FailedAttempt[],
  standing: ((credential: CooledCredential) => Standing) | null,
): readonly Attempt[] {
  const group = equals.get(attempt) ?? [];
  if (failed.length === 0 && standing === null) return group;
  return group.filter(
    (other) =>
      !failed.some((each) => each.attempt === other) &&
      (standing === null || other === attempt || ['ready', 'probe'].includes(standing(other.cooledAs))),
  );
}

/**
 * The protocol in which a provider is asked: the client's own where it speaks that, else the first that can be translated. Of
 * several, those by which the model is served.
 */
function spokenProtocol(
  { endpoints }: ActiveProvider,
  model: CatalogModel | undefined,
  { protocol, operation }: Wanted,
  facts: RoutingInputs,
): ProtocolId | null {
  const all = endpoints.map((endpoint) => endpoint.protocol);
  const serving = model?.protocols === undefined ? all : all.filter((each) => model.protocols?.includes(each));
  const spoken = serving.length === 0 ? all : serving;
  if (spoken.includes(protocol)) return protocol;
  return spoken.find((other) => facts.translates(protocol, other, operation)) ?? null;
}

/**
 * @param named the auth profile that the request names; null: every credential may be used
 * @throws OlaError `model_not_found`, `provider_resolution_failed`, `conflict` for a named profile that cannot be used
 */
function attemptsOf(
  { provider, model }: Picked,
  wanted: Wanted,
  facts: RoutingInputs,
  named: string | null = null,
): [Attempt, ...Attempt[]] {
  const listed = provider.models.find(({ id }) => id === model);
  if (!provider.anyModel && listed === undefined) {
    const { question, candidates } = nearestModels(model, [provider], facts.asked);
    const message = `Provider '${provider.id}' does not list '${model}'.${question || ' GET /v1/models shows the models that it lists.'}`;
    throw new OlaError('model_not_found', message, { param: 'model', details: { candidates } });
  }
  const protocol = spokenProtocol(provider, listed, wanted, facts);
  if (protocol === null) throw unresolved(notTranslated(provider, wanted));
  const usable =
    named === null ? usableCredentials(provider, protocol) : namedProfile(provider, named, protocol, facts.catalog.canonicalId);
  const attempts = usable.map(
    (each): Attempt => ({
      provider,
      model,
      ...each,
      price: listed?.price,
      facts: listed ?? null,
      cooledAs: { provider: provider.id, source: each.candidate.source, model },
    }),
  );
  return attempts as [Attempt, ...Attempt[]];
}

function notTranslated({ id, endpoints }: ActiveProvider, { protocol, operation }: Wanted): string {
  const spoken = [...new Set(endpoints.map((each) => each.protocol))].join(', ');
  const call = operation === 'chat' ? protocol : `this call of ${protocol}`;
  return `Provider '${id}' speaks ${spoken}, and this version does not translate ${call} to it.`;
}

/** A model that is tried after the one that was asked for. */
export interface FallbackModel {
  readonly name: string;
  /** None when it cannot be used now. */
  readonly attempts: readonly Attempt[];
  /** The reason for that; null when it can. */
  readonly why: string | null;
}

/** A fallback that cannot be used now is passed over: the call is for the model before it. */
export function fallbacksOf(planned: PlannedModel, wanted: Wanted, facts: RoutingInputs): FallbackModel[] {
  return fallbackNames(planned, facts.fallback).map((name) => {
    try {
      const picked = pick(readingOf(name, facts), facts);
      if (wanted.operation === 'embeddings' && picked.provider.noEmbeddings) {
        return { name, attempts: [], why: `Provider '${picked.provider.id}' has no embeddings.` };
      }
      return { name, attempts: attemptsOf(picked, wanted, facts), why: null };
    } catch (error) {
      if (!(error instanceof OlaError)) throw error;
      return { name, attempts: [], why: error.message };
    }
  });
}

/** One model with one credential is tried once, however many names lead to it. */
function withoutRepeats(attempts: readonly Attempt[]): readonly Attempt[] {
  return attempts.filter(
    ({ candidate, model }, index) =>
      attempts.findIndex((other) => other.candidate === candidate && other.model === model) === index,
  );
}

function unresolved(message: string): OlaError {
  return new OlaError('provider_resolution_failed', message, { param: 'model' });
}

function wantedName(name: string | null, facts: RoutingInputs): string {
  const text = (name ?? '').trim();
  if (controlCharacter.test(text)) {
    throw new OlaError('invalid_field', "'model' has control characters in it.", { param: 'model' });
  }
  if (text !== '' && text !== 'default') return text;
  if (facts.defaultModel !== null) return facts.defaultModel;
  throw new OlaError(
    'model_not_found',
    'The request names no model and there is no defaultModel; GET /v1/models lists what there is.',
    {
      param: 'model',
    },
  );
}

/** The name as it stands where a provider lists it so, else without its context suffix. */
function readingOf(text: string, facts: RoutingInputs): string {
  const readings = readingsOf(text);
  return readings.find((reading) => isListed(reading, facts)) ?? readings.at(-1) ?? text;
}

function isListed(reading: string, facts: RoutingInputs): boolean {
  const { provider, model } = parseModelReference(reading);
  const named = provider === null ? undefined : facts.registry.active.get(facts.catalog.canonicalId(provider));
  if (named === undefined) return listing(reading, facts).length > 0;
  return [...named.models, ...facts.asked(named)].some(({ id }) => id === model);
}

interface Picked {
  readonly provider: ActiveProvider;
  readonly model: string;
}

function pick(text: string, facts: RoutingInputs): Picked {
  const reference = parseModelReference(text);
  if (reference.provider !== null) {
    const id = facts.catalog.canonicalId(reference.provider);
    const provider = facts.registry.active.get(id);
    if (provider !== undefined) {
      if (reference.model !== '') return { provider, model: reference.model };
      throw new OlaError('model_not_found', `'${text}' names a provider but no model; write '${id}/MODEL'.`, { param: 'model' });
    }
    // `meta-llama/llama-4` may be the whole id of a model that a host lists.
    const hosts = listing(text, facts);
    const [host] = hosts;
    if (host !== undefined && hosts.length === 1) return { provider: host, model: text };
    const why = facts.registry.why(id);
    const { question, candidates } = nearestProviders(id, reference.model, facts);
    const message = `${why?.help ?? `Provider '${id}' cannot be used.`}${question}`;
    throw new OlaError(why?.code ?? 'provider_resolution_failed', message, {
      param: 'model',
      ...(candidates.length === 0 ? {} : { details: { candidates } }),
    });
  }
  return pickBare(reference.model, facts);
}

function pickBare(model: string, facts: RoutingInputs): Picked {
  const hosts = listing(model, facts);
  const vendor = facts.catalog.vendorOf(model);
  const own = hosts.find(({ id }) => id === vendor);
  const preferred = facts.activeProviderIds.map((id) => hosts.find((host) => host.id === facts.catalog.canonicalId(id)));
  const provider = hosts.length === 1 ? hosts[0] : (own ?? preferred.find((host) => host !== undefined));
  if (provider !== undefined) return { provider, model };
  const inferred = vendor === null || hosts.length > 0 ? undefined : facts.registry.active.get(vendor);
  if (inferred !== undefined) return { provider: inferred, model };
  throw notFound(model, hosts, vendor, facts);
}

function listing(model: string, facts: RoutingInputs): ActiveProvider[] {
  return [...facts.registry.active.values()].filter(({ models }) => models.some(({ id }) => id === model));
}

function notFound(model: string, hosts: readonly ActiveProvider[], vendor: string | null, facts: RoutingInputs): OlaError {
  const listed = hosts.map(({ id }) => `${id}/${model}`);
  if (listed.length > 0) {
    const message = `Several providers list '${model}': write one of ${listed.join(', ')}.`;
    return new OlaError('model_not_found', message, { param: 'model', details: { candidates: listed } });
  }
  // Whoever asked for the list last would decide where a bare name goes, so it does not count for one.
  const own = [...facts.registry.active.values()].filter((host) => facts.asked(host).some(({ id }) => id === model));
  if (own.length > 0) {
    const candidates = own.map(({ id }) => `${id}/${model}`);
    const message = `'${model}' is a model of a server that is not configured with it: write ${candidates.join(' or ')}.`;
    return new OlaError('model_not_found', message, { param: 'model', details: { candidates } });
  }
  const help = vendor === null ? null : facts.registry.why(vendor)?.help;
  const { question, candidates } = nearestModels(model, facts.registry.active.values(), facts.asked);
  const message = `No usable provider lists '${model}'.${question} ${help ?? 'GET /v1/models shows what can be used; PROVIDER/MODEL names a provider.'}`;
  return new OlaError('model_not_found', message, { param: 'model', details: { candidates } });
}
