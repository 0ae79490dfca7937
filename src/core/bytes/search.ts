/** The first index, of `count`, from which on `isReached` is true; `count` when it never is. */
export function firstIndex(count: number, isReached: (index: number) => boolean): number {
  let low = 0;
  for (let high = count; low < high; ) {
    const middle = Math.floor((low + high) / 2);
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Code unit order: the same everywhere, unlike a locale's. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Up to this length a list is searched faster than a set is made. Rows of one handle may be thousands. */
export const FEW = 16;

/** What tells whether a number is in the list, in a time that does not grow with it. */
export function lookUpIn(list: readonly number[]): (wanted: number) => boolean {
  if (list.length <= FEW) return (wanted) => list.includes(wanted);
  const known = new Set(list);
  return (wanted) => known.has(wanted);
}
