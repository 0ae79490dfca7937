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

/**
 * What the HTTP API shows of every run; `beatAt` is its last heartbeat, where it has one. What is undefined is left out
 * of the JSON.
 */
export function viewCommon(run: Run, beatAt: string | undefined) {
  const { id, kind, status, createdAt, finishedAt, requestedBy, error, warnings } = run;
  const { name, pass } = run.phase;
  const current = kind === 'restore' && pass > 1 ? 'Verifying' : phaseNames[name];
  const phase = isOver(run) ? 'Done' : current;
  const lastHeartbeatAt = isOver(run) ? undefined : toInstant(lastSignOfLife(run, beatAt));
  return { id, kind, status, phase, pass, createdAt, finishedAt, requestedBy, lastHeartbeatAt, error, warnings };
}
