import type { CallOptions, Hub } from '../../../core/ports.ts';
import { isInstallation, type RecordOfRows } from '../../../core/registration/record.ts';
import { parseRegistration } from '../../../core/registration/registration.ts';
import type { PlanOptions } from '../../../core/restore/plan.ts';
import { toText } from '../../stored/codec.ts';

/**
 * What the hub shows of a record when it is asked by its tag, or by its registration ids; beside that, what a listing
 * has shown under other ids.
 */
export async function askFor(
  hub: Hub,
  { key, rows }: RecordOfRows,
  listed: RecordOfRows | undefined,
  mintedFor: PlanOptions['mintedFor'],
  call: CallOptions,
): Promise<RecordOfRows | undefined> {
  const ids = isInstallation({ key }) ? [] : [...new Set(rows.flatMap(({ id }) => [id, ...mintedFor(id)]))];
  const found = isInstallation({ key })
    ? await hub.findInstallation(key.slice(2), call)
    : await askForAll(hub, ids, call);
  const asked = found.map((bytes) => parseRegistration(toText(bytes)));
  const others = isInstallation({ key }) ? [] : (listed?.rows ?? []).filter(({ id }) => !ids.includes(id));
  const all = [...asked, ...others];
  return all.length === 0 ? undefined : { key, rows: all };
}

async function askForAll(hub: Hub, ids: readonly string[], call: CallOptions): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const id of ids) {
    const bytes = await hub.findRegistration(id, call);
    if (bytes !== undefined) found.push(bytes);
  }
  return found;
}
