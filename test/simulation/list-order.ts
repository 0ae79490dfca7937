import type { ListOrder } from './knobs.ts';
import type { Row } from './row.ts';

/** How a hub sorts its rows; `placeOf` tells which came first. */
export function comparisonFor(order: ListOrder, placeOf: (row: Row) => number): (a: Row, b: Row) => number {
  switch (order) {
    case 'platformAndId':
      return (a, b) => compareText(a.platform, b.platform) || a.id.length - b.id.length || compareText(a.id, b.id);
    case 'insertion':
      return (a, b) => placeOf(a) - placeOf(b);
    case 'newestFirst':
      return (a, b) => placeOf(b) - placeOf(a);
    case 'idText':
      return (a, b) => compareText(a.id, b.id);
    case 'shuffled':
      return (a, b) => compareText(reversed(a.id), reversed(b.id));
    default:
      return order satisfies never;
  }
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
