/** Writes the log to standard error, one line per entry, as text for people or as JSON. Every line is redacted. */
import type { Clock, Log, LogLevel } from '../core/ports.ts';
import type { Redact } from '../core/redaction.ts';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'pretty' | 'json';
  readonly write: (text: string) => void;
  readonly redact: Redact;
  readonly now: Clock;
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLog({ level, format, write, redact, now }: LogOptions): Log {
  const least = ranks[level];
  return {
    log(entryLevel, message, fields = {}) {
      if (ranks[entryLevel] < least) return;
      const time = new Date(now()).toISOString();
      write(redact(format === 'json' ? asJson(time, entryLevel, message, fields) : asText(time, entryLevel, message, fields)));
    },
  };
}

function asJson(time: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ time, level, message, ...fields })}\n`;
}

/** A line for people. Control characters must not reach the terminal: JSON escapes those below 0x80, the replacement takes the rest. */
function asText(time: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${time.slice(11, 19)} ${level.padEnd(5)} ${message}${facts.join('')}\n`.replace(/(?!\n)\p{Cc}/gu, '�');
}
