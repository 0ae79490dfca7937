import type { BackupRun } from '../../src/core/run/run.ts';

/** A backup as it is stored when its first step has been enqueued. */
export const aBackupRun: BackupRun = {
  formatVersion: 1,
  kind: 'backup',
  id: '2026-11-23T09-00-00Z-abcdef',
  status: 'Running',
  requestedBy: 'timer',
  createdAt: '2026-11-23T09:00:00.000Z',
  hub: { namespace: 'one', hub: 'devices' },
  phase: { name: 'scan', pass: 1, isDispatched: true, startedAt: '2026-11-23T09:00:00.000Z' },
  shardCount: 0,
  kicks: 0,
  warnings: [],
};
