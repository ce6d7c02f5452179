/** Hints of secrets, and the redactor of every log line. */

const knownPrefix = /^(?:ola_|tok-|sk-ant-|sk-proj-|sk-or-|sk-|api_|ghp_|gho_|gsk_|xai-|AIza)/;

/** The hint that is shown for a stored secret: a known prefix and the last four characters; neither for secrets shorter than 12. */
export function hint(secret: string): string {
  if (secret.length < 12) return '****';
  return `${knownPrefix.exec(secret)?.[0] ?? ''}****${secret.slice(-4)}`;
}

/** Forms of keys that must not be in a log, even when they are not ours. */
const keyShapes =
  /\b(?:ola_[0-9A-Za-z]{20,}|sk-[0-9A-Za-z_-]{12,}|gh[oprsu]_[0-9A-Za-z]{16,}|gsk_[0-9A-Za-z]{16,}|xai-[0-9A-Za-z]{16,}|AIza[0-9A-Za-z_-]{20,}|zai_[0-9A-Za-z]{12,})|\b[Bb]earer +[0-9A-Za-z._~+/=-]{8,}/g;

export type Redact = (text: string) => string;

/**
 * @param secrets returns all secrets that this process holds now
 * @returns a function that replaces them, and all text in the form of a key, by `[REDACTED]`
 */
export function createRedactor(secrets: () => Iterable<string>): Redact {
  return (text) => {
    let clean = text;
    // Known secrets come before forms, the longest first: a secret that is replaced in part would keep its rest.
    for (const secret of [...secrets()].flatMap(spellings).sort((a, b) => b.length - a.length)) {
      if (secret.length >= 6 && clean.includes(secret)) clean = clean.replaceAll(secret, redacted);
    }
    return clean.replace(keyShapes, redacted);
  };
}

const redacted = '[REDACTED]';

/** A secret as it is, and as it is written in JSON, the form of a log line. */
function spellings(secret: string): readonly string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  return escaped === secret ? [secret] : [secret, escaped];
}
