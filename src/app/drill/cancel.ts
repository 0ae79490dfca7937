import type { Drill } from '../../core/readiness/drill.ts';
import { type App, toInstant } from '../app.ts';
import { advanceDrills } from './advance.ts';
import { changeDrill, findDrill } from './store.ts';

/**
 * Stops a drill with the run it waits for. What it restored is removed from the scratch hub again before it is over. One
 * that is over stays as it is. Throws `RunNotFound`.
 */
export async function cancelDrill(app: App, id: string): Promise<Drill> {
  for (;;) {
    const stored = await findDrill(app, id);
    const { value: drill } = stored;
    if (drill.stage === 'over') return drill;
    const failure = drill.failure ?? 'It was cancelled.';
    const canceled = { ...drill, canceledAt: drill.canceledAt ?? toInstant(app.world.storageNow()), failure };
    // Noted before its run is stopped: whatever moves the drill on starts nothing new.
    if ((await changeDrill(app, stored, canceled)) === undefined) continue;
    await advanceDrills(app);
    return (await findDrill(app, id)).value;
  }
}
