/** Places on this page, as links and the address bar have them. */

/** @param {string} id */
export function restoreAddress(id) {
  return `#/restores/${encodeURIComponent(id)}`;
}

/**
 * The overview, with that snapshot open.
 * @param {string} id
 */
export function snapshotAddress(id) {
  return `#/?snapshot=${encodeURIComponent(id)}`;
}
