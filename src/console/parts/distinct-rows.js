import { hubName } from './widgets.js';

/** @typedef {import('../api-types.d.ts').Snapshot} Snapshot */

/**
 * What a list of these snapshots has to say of each, so that no two rows are alike: the second, where another one is of
 * the same minute; the hub, where they are of more than one.
 * @param {Snapshot[]} snapshots
 * @returns {(snapshot: Snapshot) => { isExact: boolean, hub: string | undefined }}
 */
export function distinguish(snapshots) {
  const minutes = snapshots.map(minuteOf);
  const isOfSeveral = new Set(snapshots.map(({ hub }) => hubName(hub))).size > 1;
  return (snapshot) => ({
    isExact: minutes.filter((minute) => minute === minuteOf(snapshot)).length > 1,
    hub: isOfSeveral ? hubName(snapshot.hub) : undefined,
  });
}

/** @param {Snapshot} snapshot */
function minuteOf({ readStartedAt = '' }) {
  return readStartedAt.slice(0, 'yyyy-mm-ddThh:mm'.length);
}
