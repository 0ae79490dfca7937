import type { Plant } from '../planted/plants.ts';

interface DualPlant extends Plant {
  /** From which on CI looks; after a change to what is simulated it may be another one. */
  readonly seed: number;
}

/** Bugs of dual writes that the simulation must find. */
export const dualPlants = {
  'an intent is removed whatever it is by then': {
    kind: 'hubsDiffer',
    seed: 5,
    changes: [
      {
        file: 'redundant/dual-writer.js',
        from: 'await this.#parts.blobs.remove(name, stored.etag);',
        to: 'await this.#parts.blobs.remove(name);',
      },
    ],
  },
  'a call that may still land is not waited for': {
    kind: 'hubsDiffer',
    seed: 8,
    changes: [
      { file: 'app/dual/intents.js', from: 'const isWaited = ageMs < CALL_MS;', to: 'const isWaited = false;' },
    ],
  },
  'what a hub has not answered counts as confirmed': {
    kind: 'hubsDiffer',
    seed: 3,
    changes: [
      {
        file: 'app/dual/repair.js',
        from: "(sent.kind === 'taken' ? [hub] : [])",
        to: "(sent.kind === 'refused' ? [] : [hub])",
      },
    ],
  },
  'an intent is written over whatever is there': {
    kind: 'notTheNewest',
    seed: 5,
    changes: [
      {
        file: 'app/dual/intents.js',
        from: 'const etag = await write(app, intent, before?.etag);',
        to: 'const etag = await write(app, intent, (await documents.intent.look(app, name))?.etag);',
      },
    ],
  },
  'what was intended before a refused write is forgotten': {
    kind: 'hubsDiffer',
    seed: 287,
    changes: [{ file: 'app/dual/intents.js', from: '...heldBefore(before?.intent),', to: '' }],
  },
  'a row of that handle is taken whosever it is': {
    kind: 'hubsDiffer',
    seed: 280,
    changes: [
      {
        file: 'app/dual/hub.js',
        from: 'if (intended === undefined && (claimed === undefined || claimed.value.of === device.id))',
        to: '',
      },
    ],
  },
  'an identical PUT is sent again': {
    kind: 'hubsDiffer',
    seed: 16,
    changes: [{ file: 'app/dual/hub.js', from: 'isAgain ? putInstallationAgain :', to: '' }],
  },
  'an attempt that was repeated counts as over': {
    kind: 'hubsDiffer',
    seed: 8,
    changes: [{ file: 'app/dual/hub.js', from: 'isLanding = true;', to: '' }],
  },
  'the repair lane looks into one folder less': {
    kind: 'stuck',
    seed: 1,
    changes: [
      {
        file: 'app/dual/lane.js',
        from: 'const due = [...digits].sort()',
        to: 'const due = [...digits].sort().slice(1)',
      },
    ],
  },
} as const satisfies Readonly<Record<string, DualPlant>>;

export type DualPlantName = keyof typeof dualPlants;

export function isDualPlantName(name: string): name is DualPlantName {
  return Object.hasOwn(dualPlants, name);
}
