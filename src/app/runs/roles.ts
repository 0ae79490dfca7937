import { isSameHub, roleName, rolesFolder } from '../../core/paths.ts';
import { MAX_TERMS, type Term } from '../../core/run/run.ts';
import { type App, fullNameOf, toInstant } from '../app.ts';
import { toBytes } from '../stored/codec.ts';

/** Of runs that see an exchange at once one stores it. Two apps whose settings contradict each other go on at some time. */
const TRIES = 3;

/**
 * Since when which hub of the settings' pair is in use, the oldest first: that one counts from the beginning. The hub
 * that the settings call primary is in use since a run first saw it so. Each change is a blob that is never written
 * again, and its time is the storage's.
 */
export async function noteRoles(app: App): Promise<readonly Term[]> {
  const pair = [app.primary.ref, app.secondary.ref] as const;
  const { ref } = app.primary;
  for (let tries = 1; ; tries += 1) {
    const stored = await app.blobs.list(rolesFolder(...pair));
    const terms = stored.slice(-MAX_TERMS).map(({ facts, createdAt }, place) => ({
      hub: { namespace: facts['namespace'] ?? '', hub: facts['hub'] ?? '' },
      since: toInstant(place === 0 ? 0 : createdAt.getTime()),
    }));
    const newest = terms.at(-1);
    if ((newest !== undefined && isSameHub(newest.hub, ref)) || tries > TRIES) return terms;
    const number = Number(stored.at(-1)?.name.slice(rolesFolder(...pair).length) ?? 0) + 1;
    await app.blobs.put(roleName(...pair, number), toBytes(fullNameOf(ref)), 'new', { ...ref });
    if (newest !== undefined)
      app.log.warn('another hub is in use', { hub: fullNameOf(ref), before: fullNameOf(newest.hub) });
    for (const { name } of stored.slice(0, -MAX_TERMS)) await app.blobs.remove(name);
  }
}
