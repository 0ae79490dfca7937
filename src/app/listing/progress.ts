import { scanName } from '../../core/paths.ts';
import type { Run } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { documents } from '../stored/documents.ts';

/** How many rows the run's present listing has stored. */
export async function readRowsRead(app: App, { kind, id, phase }: Run): Promise<number> {
  const found = await documents.scanRowCount.look(app, scanName(kind, id, phase.pass), 'mayBeMissing');
  // None before the first checkpoint; a damaged one is reported by the run's own step.
  return found === undefined || 'fault' in found ? 0 : found.value.rowCount;
}
