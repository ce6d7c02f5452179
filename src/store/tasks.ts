/** Owners of tasks, and the actions on tasks. All functions run inside the open transaction. */
import type { SqlDatabase } from '../core/ports.ts';
import type { TaskAction, TaskOwner } from '../core/tasks.ts';

const insertOwner = `INSERT INTO task_owners (provider, task_id, owner, created_by, created_at)
  VALUES (?, ?, ?, ?, ?) ON CONFLICT (provider, task_id) DO NOTHING`;
const insertAction = `INSERT INTO task_actions
  (provider, task_id, action, subject, outcome, idempotency_key, status, reason, at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Adds owners; a task that has an owner keeps it. */
export function insertOwners(database: SqlDatabase, owners: readonly TaskOwner[]): void {
  const statement = database.prepare(insertOwner);
  for (const { provider, taskId, owner, createdBy, createdAt } of owners) {
    statement.run(provider, taskId, owner, createdBy, createdAt);
  }
}

export function insertActions(database: SqlDatabase, actions: readonly TaskAction[]): void {
  const statement = database.prepare(insertAction);
  for (const { provider, taskId, action, subject, outcome, idempotencyKey, status, reason, at } of actions) {
    statement.run(provider, taskId, action, subject, outcome, idempotencyKey, status, reason, at);
  }
}
