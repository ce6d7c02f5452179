/** Tasks at runtimes that ola has started for somebody: who owns them, and what was done to them. */

/** The creator of a task, who alone may see and change it. */
export interface TaskOwner {
  /** Canonical id. */
  readonly provider: string;
  readonly taskId: string;
  /** A subject (see access.ts). */
  readonly owner: string;
  readonly createdBy: string;
  readonly createdAt: number;
}

/** One action on a task, done or not. */
export interface TaskAction {
  readonly provider: string;
  /** Null when the task was never made. */
  readonly taskId: string | null;
  /** `create`, `approve`, `retry`, `cancel`, ... */
  readonly action: string;
  readonly subject: string;
  readonly outcome: 'applied' | 'rejected' | 'failed';
  readonly idempotencyKey: string | null;
  readonly status: number | null;
  readonly reason: string | null;
  readonly at: number;
}
