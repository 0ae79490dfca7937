import { toInstant } from '../app/app.ts';
import type { Storage } from '../app/dual/intents.ts';
import { documents } from '../app/stored/documents.ts';
import { ROLE_NAME } from '../core/paths.ts';
import type { HubRef } from '../core/ports.ts';
import { type NamedHubs, type Role, roleNow } from '../core/run/role.ts';

const FRESH_MS = 10_000;

/**
 * Which hub is in use, by the stored role alone. Known for 10 s, and read again beside the calls, so that none waits for
 * it but the first. While it cannot be read, what was read last holds.
 */
export function watchRole(app: Storage, hubs: NamedHubs): () => Promise<Role> {
  let last: Role | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Role> | undefined;
  const read = async (): Promise<Role> => {
    try {
      const stored = (await documents.role.find(app, ROLE_NAME))?.value;
      last = roleNow(stored, hubs, toInstant(app.world.storageNow()));
      readAtMs = app.world.now();
      return last;
    } finally {
      reading = undefined;
    }
  };
  return async () => {
    if (last !== undefined && app.world.now() - readAtMs < FRESH_MS) return last;
    reading ??= read();
    if (last === undefined) return reading;
    // The next call tries again.
    void reading.catch(() => {});
    return last;
  };
}

export const activeOf = (role: () => Promise<Role>) => async (): Promise<HubRef> => (await role()).active;
