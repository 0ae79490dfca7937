/** A bug that the simulation must find, as a change to the built app, of which the source knows nothing. */
export interface Plant {
  /** Below `dist/src`. */
  readonly file: string;
  /** There exactly once. */
  readonly from: string;
  readonly to: string;
  /** The violation by which it shows. */
  readonly kind: string;
}

export const plants = {
  'an empty page ends a listing': {
    file: 'app/listing/scan.js',
    from: 'const isFinished = nextToken === undefined;',
    to: 'const isFinished = nextToken === undefined || page.rows.length === 0;',
    kind: 'snapshotDiffers',
  },
  'the last page is left out': {
    file: 'app/listing/scan.js',
    from: 'const { nextToken } = page;',
    to: 'const { nextToken } = page; if (nextToken === undefined && at.pageCount > 0) page.rows.length = 0;',
    kind: 'snapshotDiffers',
  },
  'a quiet run is not enqueued again': {
    file: 'app/watchdog.js',
    from: 'await dispatch(app, run);',
    to: '',
    kind: 'stuck',
  },
} as const satisfies Readonly<Record<string, Plant>>;

export type PlantName = keyof typeof plants;

export function isPlantName(name: string): name is PlantName {
  return Object.hasOwn(plants, name);
}
