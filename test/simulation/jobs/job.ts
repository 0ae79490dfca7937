import type { JobLook } from '../../../src/core/ports.ts';

/** A job of a hub, and what came of it. */
export interface Job {
  readonly id: string;
  readonly container: string;
  readonly hub: string;
  readonly runId: string;
  /** Ids of the rows it has made. */
  readonly made: Set<string>;
  status: JobLook['status'];
  progress: number;
  endedAt: number | undefined;
}

/** What the oracle has to know of the jobs of all hubs. */
export interface KnownJobs {
  readonly all: readonly Job[];
  /** For ever: nothing can be done there any more. */
  isAway(hub: string): boolean;
  /** Whether a job has made the row. */
  hasMade(hub: string, id: string): boolean;
}
