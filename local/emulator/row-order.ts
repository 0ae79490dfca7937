import { platforms } from './platforms.ts';
import { seedOf } from './random.ts';
import type { Row } from './row.ts';
import type { HubSwitches } from './switches.ts';

/** What orders may look at; what is absent counts as 0. */
export type RowKey = Pick<Row, 'platform' | 'id'> & Partial<Pick<Row, 'etag' | 'inserted' | 'updated'>>;

export type RowOrder = (a: RowKey, b: RowKey) => number;

const rank = new Map(platforms.map((platform, index) => [platform.name, index]));

/** Platform, then numeric id: the service's order as far as recordings show. */
export const byPlatform: RowOrder = (a, b) =>
  (rank.get(a.platform) ?? 0) - (rank.get(b.platform) ?? 0) || compareIds(a.id, b.id);

/** The order of a hub's lists; the ETag comes last, so that two versions of one row are two entries. */
export function rowOrder(name: HubSwitches['listOrder'], scope: string): RowOrder {
  const byVersion: RowOrder = (a, b) => byPlatform(a, b) || (a.etag ?? 0) - (b.etag ?? 0);
  const by =
    (value: (key: RowKey) => number): RowOrder =>
    (a, b) =>
      value(a) - value(b) || byVersion(a, b);
  switch (name) {
    case 'platform':
      return byVersion;
    case 'id':
      return (a, b) => compareIds(a.id, b.id) || byVersion(a, b);
    case 'inserted':
      return by(({ inserted = 0 }) => inserted);
    case 'updated':
      return by(({ updated = 0 }) => updated);
    case 'etag':
      return by(({ etag = 0 }) => etag);
    case 'shuffled':
      return by(({ id }) => seedOf(`${scope}/${id}`));
    default:
      return name satisfies never;
  }
}

/** Ids are numbers joined by dashes, too large for a double: of two numbers the longer one is greater. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  const lengthOfA = firstPartLength(a);
  const lengthOfB = firstPartLength(b);
  if (lengthOfA !== lengthOfB) return lengthOfA - lengthOfB;
  if (a.charCodeAt(0) === b.charCodeAt(0) && a.startsWith(b.slice(0, lengthOfB))) {
    return compareIds(a.slice(lengthOfA + 1), b.slice(lengthOfB + 1));
  }
  return a < b ? -1 : 1;
}

function firstPartLength(id: string): number {
  const dash = id.indexOf('-');
  return dash === -1 ? id.length : dash;
}
