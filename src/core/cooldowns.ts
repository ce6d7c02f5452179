/** Cooldowns: a credential that an upstream limits or refuses is left alone for a while. */

/**
 * `rate_limit`: too many calls of a model; `entitlement`: the account may not use a model; `billing`: the quota or the credit is
 * used up; `auth`: the credential is refused; `forced`: an administrator did it.
 */
export type CooldownReason = 'rate_limit' | 'entitlement' | 'billing' | 'auth' | 'forced';

/** The credential that a cooldown is of. */
export interface CooledCredential {
  readonly provider: string;
  /** `profile:ID`, `env:NAME`, `provider-config`, `none`. */
  readonly source: string;
  /** The model that alone is affected, by the upstream's id; null: all of them. */
  readonly model: string | null;
}

/** Times are milliseconds since 1970. */
export interface Cooldown extends CooledCredential {
  readonly reason: CooldownReason;
  /** The begin of the present window. */
  readonly since: number;
  /** The end that the upstream named, or that ola chose. */
  readonly until: number;
  /** From then on one call may try: before `until` in a long window. */
  readonly probeAt: number;
  /** Windows in a row, without a success between them. */
  readonly windows: number;
}

export interface CooldownStore {
  list(): Promise<Cooldown[]>;
  /** Adds cooldowns; one of the same credential and model is replaced. */
  save(cooldowns: readonly Cooldown[]): Promise<void>;
  remove(credentials: readonly CooledCredential[]): Promise<void>;
}
