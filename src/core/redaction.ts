/** What may be shown of a secret, and the redactor that every log line goes through. */

const knownPrefix = /^(?:ola_|tok-|sk-ant-|sk-proj-|sk-or-|sk-|api_|ghp_|gho_|gsk_|xai-|AIza)/;

/** What an administrator sees beside a stored secret: a known prefix and the last four, from 12 characters on. */
export function hint(secret: string): string {
  if (secret.length < 12) return '****';
  return `${knownPrefix.exec(secret)?.[0] ?? ''}****${secret.slice(-4)}`;
}

/** Shapes of keys that must not be in a log, wherever they come from. */
const keyShapes =
  /\b(?:ola_[0-9A-Za-z]{20,}|sk-[0-9A-Za-z_-]{12,}|gh[oprsu]_[0-9A-Za-z]{16,}|gsk_[0-9A-Za-z]{16,}|xai-[0-9A-Za-z]{16,}|AIza[0-9A-Za-z_-]{20,}|zai_[0-9A-Za-z]{12,})|\b[Bb]earer +[0-9A-Za-z._~+/=-]{8,}/g;

export type Redact = (text: string) => string;

/**
 * @param secrets every secret this process holds at the moment
 * @returns a function that puts `[REDACTED]` in place of any of them and of anything that looks like a key
 */
export function createRedactor(secrets: () => Iterable<string>): Redact {
  return (text) => {
    let clean = text;
    // Whole secrets before shapes, and the longest first: of one that is cut in part the rest would stay.
    for (const secret of [...secrets()].flatMap(spellings).sort((a, b) => b.length - a.length)) {
      if (secret.length >= 6 && clean.includes(secret)) clean = clean.replaceAll(secret, redacted);
    }
    return clean.replace(keyShapes, redacted);
  };
}

const redacted = '[REDACTED]';

/** As it is, and as it stands in JSON, which a line of the log is. */
function spellings(secret: string): readonly string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  return escaped === secret ? [secret] : [secret, escaped];
}
