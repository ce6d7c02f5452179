/** Model references: `provider/model`, `provider:profile/model`, or a bare model id. Pure. */

export interface ModelReference {
  /** In lower case, aliases not resolved; null for a bare model id. */
  readonly provider: string | null;
  readonly profile: string | null;
  readonly model: string;
}

/** A context size such as `[1m]`, which some clients append to the model's name. */
const contextSuffix = /\[[0-9]+[km]\]$/i;

/** The tag that clients of Ollama put behind a name without one. */
const usualTag = ':latest';

/** The ways to read a name: the first that is listed counts, else the last. A listed id may end in such a suffix or tag itself. */
export function readingsOf(name: string): readonly string[] {
  const whole = name.trim();
  const cut = whole.replace(contextSuffix, '');
  if (cut !== whole) return [whole, cut];
  return whole.endsWith(usualTag) && whole !== usualTag ? [whole, whole.slice(0, -usualTag.length), whole] : [whole];
}

/**
 * Splits at the first `/` only, so that the model id keeps its own slashes. A profile without `:` gets the provider as its
 * prefix: `acme:work/model` names the profile `acme:work`.
 * @param name one of the readings
 */
export function parseModelReference(name: string): ModelReference {
  const slash = name.indexOf('/');
  if (slash <= 0) return { provider: null, profile: null, model: name };
  const head = name.slice(0, slash);
  const model = name.slice(slash + 1);
  const colon = head.indexOf(':');
  if (colon < 0) return { provider: head.toLowerCase(), profile: null, model };
  const provider = head.slice(0, colon).toLowerCase();
  const profile = head.slice(colon + 1);
  return { provider, profile: profile.includes(':') ? profile : `${provider}:${profile}`, model };
}

/** Longest accepted model name, in characters. */
export const longestModelName = 512;
