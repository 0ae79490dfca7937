import type { Registration } from '../../registration/registration.ts';

/**
 * One call to the target hub. A row is deleted if it is as it was seen; an installation cannot be made to depend on
 * that.
 */
export type Write =
  | {
      readonly kind: 'rowDeletion';
      readonly id: string;
      readonly etag: number;
      /** See `deletionsFrom`. */
      readonly key?: string;
    }
  | { readonly kind: 'installationDeletion'; readonly id: string; readonly asSeen?: AsSeen }
  | {
      readonly kind: 'registration';
      /** Of the snapshot. */
      readonly id: string;
      readonly xml: string;
      /** Over that row, if it still has the ETag it was listed with. */
      readonly over?: Pick<Registration, 'id' | 'etag'>;
      readonly asSeen?: AsSeen;
    }
  | { readonly kind: 'installation'; readonly id: string; readonly json: string; readonly asSeen?: AsSeen };

/**
 * Version hashes: the hub is asked right before what lives there, and nothing is written over a row of any other
 * version.
 */
export type AsSeen = readonly number[];

/** The ids this run asked the target for in place of one of the snapshot's, oldest first. */
export type MintedFor = (id: string) => readonly string[];

export function deletionOf({ id, etag }: Pick<Registration, 'id' | 'etag'>): Extract<Write, { kind: 'rowDeletion' }> {
  return { kind: 'rowDeletion', id, etag };
}

/** The rows are to go from the record with that key: where one has become another record's, it is gone from this one. */
export function deletionsFrom(key: string, rows: Iterable<Registration>): Write[] {
  return [...rows].map((row) => ({ ...deletionOf(row), key }));
}
