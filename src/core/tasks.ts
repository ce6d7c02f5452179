/** Tasks that ola has started at task runtimes for a caller: their owners, and the actions on them. */

/** The owner of a task, the only one who may see and change it. */
export interface TaskOwner {
  /** Canonical id of the provider. */
  readonly provider: string;
  readonly taskId: string;
  /** Subject of the owner (see access.ts). */
  readonly owner: string;
  readonly createdBy: string;
  readonly createdAt: number;
}

/** One action on a task, successful or not. */
export interface TaskAction {
  readonly provider: string;
  /** Null when the task was not created. */
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
