import { isOver, type Run } from '../../core/run/run.ts';
import { toInstant } from '../app.ts';
import type { Signs } from './living-steps.ts';

const phaseNames = {
  scan: 'Reading',
  seal: 'Sorting',
  publish: 'Publishing',
  reconcile: 'Writing',
  verify: 'Verifying',
  finish: 'Finishing',
} as const;

/** What the HTTP API shows of every run. What is undefined is left out of the JSON. */
export function viewCommon(run: Run, { beatAt, waiting }: Signs) {
  const { id, kind, status, createdAt, finishedAt, requestedBy, askedBy, error, warnings } = run;
  const { name, pass } = run.phase;
  const current = kind === 'restore' && pass > 1 ? 'Verifying' : phaseNames[name];
  const phase = isOver(run) ? 'Done' : current;
  const shown = { id, kind, status, phase, pass, createdAt, finishedAt, requestedBy, askedBy, error, warnings };
  if (isOver(run)) return { ...shown, lastHeartbeatAt: undefined, waiting: undefined };
  return { ...shown, lastHeartbeatAt: toInstant(lastSignOfLife(run, beatAt)), waiting };
}

function lastSignOfLife(run: Run, beatAt: string | undefined): number {
  const instants = [run.createdAt, run.phase.startedAt, run.phase.notBefore, beatAt];
  return Math.max(...instants.map((at) => Date.parse(at ?? '')).filter((at) => !Number.isNaN(at)));
}
