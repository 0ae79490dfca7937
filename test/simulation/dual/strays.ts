import type { CallOptions, Hub } from '../../../src/core/ports.ts';
import { readInstallation, readPatches } from '../hub.ts';
import type { HubStore } from '../hub-store.ts';
import type { Random } from '../random.ts';
import { readDescription } from '../row.ts';

export interface StrayParts {
  readonly store: HubStore;
  readonly random: Random;
  /** Of the writes. */
  readonly share: () => number;
  /** Milliseconds after which it has landed. */
  readonly mostMs: number;
  readonly after: (milliseconds: number, work: () => void) => void;
  readonly sometimes: (what: string) => void;
}

/** A hub whose client repeats some calls that got no answer: the attempt before lands when it likes. */
export function withStrays(hub: Hub, parts: StrayParts): Hub {
  const { store, random, share, mostMs, after, sometimes } = parts;
  const by = { kind: 'device', word: 0 } as const;
  const stray = ({ onRepeated }: CallOptions, land: () => void): void => {
    if (!random.chance(share())) return;
    sometimes('attemptAstray');
    onRepeated?.();
    after(random.below(mostMs), land);
  };
  return {
    ...hub,
    putRegistration(id, xml, options) {
      stray(options, () => void store.putRegistration(id, readDescription(xml), by, options.ifMatch));
      return hub.putRegistration(id, xml, options);
    },
    putInstallation(id, json, options) {
      stray(options, () => void store.putInstallation(readInstallation(JSON.parse(json)), by));
      return hub.putInstallation(id, json, options);
    },
    patchInstallation(id, json, options) {
      stray(options, () => void store.patchInstallation(id, readPatches(JSON.parse(json)), by));
      return hub.patchInstallation(id, json, options);
    },
    deleteInstallation(id, options) {
      stray(options, () => store.deleteInstallation(id, by));
      return hub.deleteInstallation(id, options);
    },
  };
}
