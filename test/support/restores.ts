import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import type { Engine } from './engine.ts';
import { anAppleRow, anInstallation } from './rows.ts';

/** Half installations `device-0`, `device-2`, … with two rows each, half plain registrations `19-5-1`, `39-5-1`, … */
export function seed(engine: Engine, amount = 30): void {
  for (let index = 0; index < amount; index++) {
    const id = `${index}9-5-1`;
    const rows: readonly (readonly [string, string])[] =
      index % 2 === 0
        ? anInstallation(`device-${index}`, { tags: ['news', `n${index}`] })
        : [[id, anAppleRow({ id, tags: ['plain', `n${index}`] })]];
    for (const [rowId, xml] of rows) engine.primary.rows.set(rowId, xml);
  }
}

/** A finished backup's id, a minute later than whatever was before. */
export async function backUp(engine: Engine): Promise<string> {
  engine.advance(60_000);
  const { id } = await startBackup(engine.app, 'http');
  await engine.drain();
  return id;
}

/** The view of a restore that was asked for with this body, when it is over. */
export async function restore(engine: Engine, body: object = {}) {
  const { run } = await startRestore(engine.app, parseRestoreRequest(JSON.stringify(body)));
  await engine.drain();
  return readRestoreView(engine.app, run.id);
}

/** The error's code, or `none`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return 'none';
  return error instanceof DrError ? error.code : String(error);
}
