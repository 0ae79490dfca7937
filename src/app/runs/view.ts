import { isOver, type Run } from '../../core/run/run.ts';
import { toInstant } from '../app.ts';

const phaseNames = {
  scan: 'Reading',
  seal: 'Sorting',
  publish: 'Publishing',
  reconcile: 'Writing',
  verify: 'Verifying',
  finish: 'Finishing',
} as const;

/**
 * What the HTTP API shows of every run; `renewedAt` is when a step of it last showed that it lives, where one is in hand.
 * What is undefined is left out of the JSON.
 */
export function viewCommon(run: Run, renewedAt: string | undefined) {
  const { id, kind, status, createdAt, finishedAt, requestedBy, error, warnings } = run;
  const { name, pass } = run.phase;
  const current = kind === 'restore' && pass > 1 ? 'Verifying' : phaseNames[name];
  const phase = isOver(run) ? 'Done' : current;
  const lastHeartbeatAt = isOver(run) ? undefined : toInstant(lastSignOfLife(run, renewedAt));
  return { id, kind, status, phase, pass, createdAt, finishedAt, requestedBy, lastHeartbeatAt, error, warnings };
}

function lastSignOfLife(run: Run, renewedAt: string | undefined): number {
  const instants = [run.createdAt, run.phase.startedAt, run.phase.notBefore, renewedAt];
  return Math.max(...instants.map((at) => Date.parse(at ?? '')).filter((at) => !Number.isNaN(at)));
}
