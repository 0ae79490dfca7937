import { isOver, type RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { freeHub } from '../../runs/end.ts';
import { changeRun } from '../../runs/store.ts';
import { readTotals, toResult } from './totals.ts';

/**
 * The last steps of a process have stored that they stopped because their run is over: what they wrote since it ended
 * is counted, and the hub is free once those of other processes stopped, too.
 */
export async function acknowledgeEnd(app: App, run: RestoreRun): Promise<void> {
  const totals = await readTotals(app, run);
  const ended = await changeRun(app, 'restore', run.id, (current) =>
    isOver(current) ? { ...current, result: toResult(totals, current) } : undefined,
  );
  if (isOver(ended)) await freeHub(app, ended);
}
