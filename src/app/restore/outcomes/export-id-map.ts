import type { App } from '../../app.ts';
import { findRun } from '../../runs/store.ts';
import { readAllOtherIds } from './minted-ids.ts';

/**
 * The registration ids of the snapshot's hub under which the target holds other ones, as CSV, for app backends that store
 * ids: those that a hub gave out where it refused the other's, in this restore or an earlier one, in either direction.
 * Throws `RunNotFound`.
 */
export async function exportIdMap(app: App, runId: string): Promise<string> {
  const run = await findRun(app, 'restore', runId);
  const lines = ['old_registration_id,new_registration_id'];
  for (const [id, minted] of await readAllOtherIds(app, run)) {
    const newest = minted.at(-1);
    if (newest !== undefined) lines.push(`${asField(id)},${asField(newest)}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * RFC 4180. Ids are digits and hyphens as far as anybody has seen, and opaque by contract. What a spreadsheet would take
 * for a formula begins with an apostrophe, which makes it a text there.
 */
function asField(id: string): string {
  const text = /^[=+\-@\t\r]/.test(id) ? `'${id}` : id;
  return /^[\w-]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}
