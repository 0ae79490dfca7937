import { fullNameOf, isSameHub } from '../paths.ts';
import type { Role } from '../run/role.ts';
import { declaring, IF_MEANT, withRole } from '../run/role-words.ts';
import type { RestoreResult, RestoreRun } from '../run/run.ts';
import { counted } from '../words.ts';

/** What the rollback of a restore would do, for the person who is to confirm it: a few sentences. */
export function rollbackInWords(
  { id, hub }: Pick<RestoreRun, 'id' | 'hub'>,
  { counts, attempted }: Pick<RestoreResult, 'counts' | 'attempted'>,
  role: Role,
): string {
  const { created, updated, renewed, moved, withdrawn } = counts;
  const changed = updated + renewed + moved + withdrawn;
  const deeds = [
    created > 0 && `removes ${counted(created, 'record')} that ${id} created`,
    changed > 0 && `puts back ${counted(changed, 'record')} that it changed or removed`,
    attempted > 0 && `undoes what it may have written of ${counted(attempted, 'record')}`,
  ].filter((deed) => deed !== false);
  const what = `A rollback changes ${withRole(hub, role)}: it ${deeds.join(' and ')}, except what has changed since.`;
  return [what, ...(isSameHub(hub, role.active) ? inUse(role) : []), IF_MEANT].join(' ');
}

function inUse({ standby }: Role): readonly string[] {
  return [
    'Devices whose records go get no notifications until they register again.',
    `The hub stays in use: only where devices and backends use ${fullNameOf(standby)} again, say so first (${declaring(standby)}).`,
  ];
}
