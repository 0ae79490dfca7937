import { isOver, type Run } from '../../core/run/run.ts';
import { toInstant } from '../app.ts';
import { lastSignOfLife } from './store.ts';

const phaseNames = {
  scan: 'Reading',
  seal: 'Sorting',
  publish: 'Publishing',
  reconcile: 'Writing',
  verify: 'Verifying',
  finish: 'Finishing',
} as const;

/** What the HTTP API shows of every run; `beatAt` is its last heartbeat, where it has one. */
export function viewCommon(run: Run, beatAt: string | undefined) {
  const { name, pass } = run.phase;
  const phase = run.kind === 'restore' && pass > 1 ? 'Verifying' : phaseNames[name];
  return {
    id: run.id,
    kind: run.kind,
    status: run.status,
    phase: isOver(run) ? 'Done' : phase,
    pass,
    createdAt: run.createdAt,
    ...(run.finishedAt === undefined ? {} : { finishedAt: run.finishedAt }),
    requestedBy: run.requestedBy,
    ...(isOver(run) ? {} : { lastHeartbeatAt: toInstant(lastSignOfLife(run, beatAt)) }),
    ...(run.error === undefined ? {} : { error: run.error }),
    warnings: run.warnings,
  };
}
