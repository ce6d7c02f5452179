/** Stored cooldowns of credentials. A power failure may lose the newest: they come back with the next refusal. */
import type { Cooldown, CooldownReason, CooldownStore } from '../core/cooldowns.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { numberOf, textOf } from './columns.ts';
import { batching, reading } from './transaction.ts';

const select = 'SELECT * FROM cooldowns ORDER BY since, provider, source, model';
const save = `INSERT OR REPLACE INTO cooldowns (provider, source, model, reason, since, until, probe_at, windows)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const remove = 'DELETE FROM cooldowns WHERE provider = ? AND source = ? AND model = ?';

/** The text in the place of no model: NULL would not be equal to itself in a key. */
const everyModel = '';

export function cooldownStore(database: SqlDatabase): CooldownStore {
  return {
    async list() {
      return reading(() => database.prepare(select).all().map(toCooldown));
    },
    async save(cooldowns) {
      batching(database, () => {
        for (const { provider, source, model, reason, since, until, probeAt, windows } of cooldowns) {
          database.prepare(save).run(provider, source, model ?? everyModel, reason, since, until, probeAt, windows);
        }
      });
    },
    async remove(credentials) {
      batching(database, () => {
        for (const { provider, source, model } of credentials) {
          database.prepare(remove).run(provider, source, model ?? everyModel);
        }
      });
    },
  };
}

function toCooldown(row: SqlRow): Cooldown {
  const model = textOf(row, 'model');
  return {
    provider: textOf(row, 'provider'),
    source: textOf(row, 'source'),
    model: model === everyModel ? null : model,
    reason: textOf(row, 'reason') as CooldownReason,
    since: numberOf(row, 'since'),
    until: numberOf(row, 'until'),
    probeAt: numberOf(row, 'probe_at'),
    windows: numberOf(row, 'windows'),
  };
}
