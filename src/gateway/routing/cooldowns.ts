/** The credentials that are left alone for a while, and those that are taken last. Kept in memory, written as they change. */
import type { Cooldown, CooldownStore, CooledCredential } from '../../core/cooldowns.ts';
import { OlaError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { type CooldownCause, cooled, forced } from './windows.ts';

/** `last`: it is taken when nothing better is left; `probe`: one call may try whether it works again; `cooling`: it is not taken. */
export type Standing = 'ready' | 'last' | 'probe' | 'cooling';

/** A credential, whatever the model. */
export type Credential = Omit<CooledCredential, 'model'>;

export interface Cooldowns {
  /** True when every credential is ready: nothing else need be asked. */
  quiet(): boolean;
  standing(credential: CooledCredential): Standing;
  /** True while a rate limit, which passes by itself, cools it. */
  isLimited(credential: CooledCredential): boolean;
  /** The time at which a cooling credential may be tried again, in milliseconds since 1970. */
  readyAt(credential: CooledCredential): number;
  /** A call is made with the credential. A probe keeps other calls away until it has ended. */
  begun(credential: CooledCredential): void;
  /** The call has ended without a word on the credential: the client left, or the request was at fault. */
  ended(credential: CooledCredential): void;
  /** A success ends the cooldowns that had begun before its call: an answer to an earlier call says nothing of them. @param begunAt milliseconds since 1970 */
  succeeded(credential: CooledCredential, begunAt: number): void;
  /** The upstream limits or refuses the credential. */
  failed(credential: CooledCredential, cause: CooldownCause): void;
  /** The upstream itself failed: the credential is taken last for some seconds. */
  unsteady(credential: CooledCredential): void;
  list(): readonly Cooldown[];
  force(credential: CooledCredential, milliseconds: number): Cooldown;
  /** Ends the cooldowns of a credential. @returns how many there were */
  clear(credential: Credential): number;
  /** Resolves when all changes are written. */
  flush(): Promise<void>;
}

/** Milliseconds. */
const unsteadyMs = 10_000;
/** Milliseconds after which a probe is given up whose end was not told. */
const longestProbe = 300_000;

/** The others are of the whole credential. */
const ofOneModel: readonly CooldownCause['reason'][] = ['rate_limit', 'entitlement'];

interface Entry {
  cooldown: Cooldown;
  /** The time at which a probe began; null while there is none. */
  probedAt: number | null;
}

const keyOf = ({ provider, source, model }: CooledCredential): string => `${provider}\n${source}\n${model ?? ''}`;
const ofAllModels = (credential: CooledCredential): CooledCredential => ({ ...credential, model: null });

export async function loadCooldowns(ports: {
  readonly store: CooldownStore;
  readonly now: Clock;
  readonly log: Log;
}): Promise<Cooldowns> {
  const { store, now, log } = ports;
  const entries = new Map<string, Entry>();
  /** Ends of the times for which credentials are taken last. */
  const unsteady = new Map<string, number>();
  let writing: Promise<void> = Promise.resolve();
  for (const cooldown of await store.list()) entries.set(keyOf(cooldown), { cooldown, probedAt: null });

  function write(change: () => Promise<void>): void {
    writing = writing.then(change).catch((cause: unknown) => {
      log.log('error', 'a cooldown could not be written; it is kept in memory', { cause: String(cause) });
    });
  }

  /** The entries that a credential is under: of the model, and of all models. */
  function entriesOf(credential: CooledCredential): Entry[] {
    return [credential, ofAllModels(credential)].flatMap((each) => entries.get(keyOf(each)) ?? []);
  }

  function standingOf({ cooldown, probedAt }: Entry, at: number): 'probe' | 'cooling' {
    if (at < cooldown.probeAt) return 'cooling';
    return probedAt === null || at - probedAt > longestProbe ? 'probe' : 'cooling';
  }

  function isUnsteady(credential: CooledCredential, at: number): boolean {
    const until = unsteady.get(keyOf(credential));
    if (until === undefined) return false;
    if (at < until) return true;
    unsteady.delete(keyOf(credential));
    return false;
  }

  function put(cooldown: Cooldown): void {
    const before = entries.get(keyOf(cooldown));
    entries.set(keyOf(cooldown), { cooldown, probedAt: null });
    if (before?.cooldown.until !== cooldown.until) write(() => store.save([cooldown]));
  }

  function remove(gone: readonly Entry[]): void {
    if (gone.length === 0) return;
    for (const { cooldown } of gone) entries.delete(keyOf(cooldown));
    write(() => store.remove(gone.map(({ cooldown }) => cooldown)));
  }

  return {
    quiet: () => entries.size === 0 && unsteady.size === 0,
    standing(credential) {
      const at = now();
      const standings = entriesOf(credential).map((entry) => standingOf(entry, at));
      if (standings.includes('cooling')) return 'cooling';
      if (standings.length > 0) return 'probe';
      return isUnsteady(credential, at) ? 'last' : 'ready';
    },
    isLimited: (credential) => entriesOf(credential).some(({ cooldown }) => cooldown.reason === 'rate_limit'),
    readyAt(credential) {
      const at = now();
      const ends = entriesOf(credential).map(({ cooldown }) => (at < cooldown.probeAt ? cooldown.probeAt : at + 1000));
      return Math.max(at, ...ends);
    },
    begun(credential) {
      for (const entry of entriesOf(credential)) entry.probedAt = now();
    },
    ended(credential) {
      for (const entry of entriesOf(credential)) entry.probedAt = null;
    },
    succeeded(credential, begunAt) {
      remove(entriesOf(credential).filter(({ cooldown: { reason, since } }) => reason !== 'forced' && since < begunAt));
      unsteady.delete(keyOf(credential));
    },
    failed(credential, cause) {
      const of = ofOneModel.includes(cause.reason) ? credential : ofAllModels(credential);
      put(cooled(of, entries.get(keyOf(of))?.cooldown ?? null, cause, now()));
    },
    unsteady(credential) {
      for (const entry of entriesOf(credential)) entry.probedAt = null;
      unsteady.set(keyOf(credential), now() + unsteadyMs);
    },
    list: () => [...entries.values()].map(({ cooldown }) => cooldown),
    force(credential, milliseconds) {
      const cooldown = forced(credential, milliseconds, now());
      put(cooldown);
      return cooldown;
    },
    clear({ provider, source }) {
      const gone = [...entries.values()].filter(({ cooldown }) => cooldown.provider === provider && cooldown.source === source);
      remove(gone);
      for (const key of unsteady.keys()) if (key.startsWith(`${provider}\n${source}\n`)) unsteady.delete(key);
      return gone.length;
    },
    flush: () => writing,
  };
}

/** Milliseconds: the least time that a client is sent away for. */
const leastWait = 1000;

/** No credential of a plan may be tried now: nothing was sent. */
export function allCooling({ attempts, provider, model }: CoolingPlan, cooldowns: Cooldowns, now: number): OlaError {
  const at = Math.min(...attempts.map(({ cooledAs }) => cooldowns.readyAt(cooledAs)));
  const seconds = Math.ceil(Math.max(leastWait, at - now) / 1000);
  const message = `Every credential for '${provider.id}/${model}' is cooling down after refusals of its upstream; the first may be tried again in ${seconds} s. An administrator sees them with GET /config/cooldowns.`;
  return new OlaError('all_credentials_cooling_down', message, {
    details: { provider: provider.id, model, until: new Date(at).toISOString(), credentials: attempts.length },
    headers: { 'retry-after': String(seconds) },
  });
}

interface CoolingPlan {
  readonly provider: { readonly id: string };
  readonly model: string;
  readonly attempts: readonly { readonly cooledAs: CooledCredential }[];
}
