import { readRestoreView } from '../../src/app/restore/view.ts';
import { syncRunId } from '../../src/core/run/sync.ts';
import { backUp, seed } from './drive.ts';
import { createEngine, type Engine, type EngineOptions } from './engine.ts';

/** A backup interval. */
export const HOUR_MS = 3_600_000;

/** An engine with devices in the primary, on which each backup starts a sync. */
export function aSyncingEngine(devices = 24, { policy = {}, ...options }: EngineOptions = {}): Engine {
  const engine = createEngine({ ...options, policy: { standbySync: 'afterBackup', ...policy } });
  seed(engine, devices);
  return engine;
}

/** An hour later: the view of the sync that a backup sets off. */
export async function syncOnce(engine: Engine) {
  engine.advance(HOUR_MS);
  return readRestoreView(engine.app, syncRunId(await backUp(engine)));
}

/** The same engine, on which a backup starts no sync. */
export function withoutSyncs(engine: Engine): Engine {
  return { ...engine, app: { ...engine.app, policy: { ...engine.app.policy, standbySync: 'off' } } };
}
