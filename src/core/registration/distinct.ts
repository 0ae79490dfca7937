import { compareText } from '../bytes/search.ts';
import { expiryMsOf } from './expiry.ts';
import { canonicalRow, installationIdOf, type Registration } from './registration.ts';

/** True when none of a record's rows can stand for another, seen at a glance: no two are of one template. */
export function areDistinct(rows: readonly Registration[]): boolean {
  if (rows.length > MAX_ROWS || rows.some(isUnwritable)) return false;
  return rows.every((row, index) => !rows.some((one, at) => at > index && hasSameTemplate(one, row)));
}

/** An installation's template without a name: the installation API cannot hold it. */
export function isUnwritable({ isTemplate, templateName, tags }: Registration): boolean {
  return isTemplate && templateName === undefined && installationIdOf(tags) !== undefined;
}

/** Every row is compared with every other. */
const MAX_ROWS = 16;

function hasSameTemplate(a: Registration, b: Registration): boolean {
  return a.isTemplate === b.isTemplate && a.templateName === b.templateName;
}

/** Of one device: its native registration, or the one of the same template, or tile. */
export function isSameRegistration(a: Registration, b: Registration): boolean {
  return hasSameTemplate(a, b) && a.tileName === b.tileName;
}

/** The rows of a record that a restore writes. */
export interface ChosenRows {
  /** By canonical form. */
  readonly rows: ReadonlyMap<string, Registration>;
  /** Rows left out because an equal one stays. */
  readonly duplicates: number;
  /** Rows left out because a newer one of their kind, template and tags stays, or as they cannot be written. */
  readonly superseded: number;
}

/**
 * Of equal rows one stays, of unequal rows of one kind, template and tags the newer one.
 *
 * A higher ETag does not make a row newer than another: it counts the updates of its own row. Ids are random. Where both
 * rows expire, the one that was written later expires later. An installation has one row for each template, so a listing
 * shows two only where one replaced the other meanwhile: the current one has what its native row has, and the new one
 * has had fewer updates. Plain rows of one template can exist side by side; where neither is known to be newer, both
 * stay. A template of an installation that has no name is left out.
 */
export function chooseRows(given: readonly Registration[]): ChosenRows {
  const writable = given.filter((row) => !isUnwritable(row));
  // Of the others alone it shows at least that their device is there.
  const rows = writable.length === 0 ? given : writable;
  const isInstallation = rows.some(({ tags }) => installationIdOf(tags) !== undefined);
  const distinct = new Map<string, Registration>();
  for (const row of rows) {
    const form = canonicalRow(row.xml);
    const seen = distinct.get(form);
    if (seen === undefined || isPreferred(row, seen)) distinct.set(form, row);
  }
  const rivals = Map.groupBy(distinct, ([form, row]) => identityOf(row, form, isInstallation));
  const [native] = newestOf([...distinct].filter(([, row]) => !row.isTemplate && row.tileName === undefined));
  const chosen = new Map(
    [...rivals.values()].flatMap((group) => {
      if (group.length === 1) return group;
      if (!isInstallation) return lastToExpire(group);
      const current = group.filter(([, row]) => native !== undefined && isOfNative(row, native[1]));
      return newestOf(current.length === 0 ? group : current);
    }),
  );
  return {
    rows: chosen,
    duplicates: rows.length - distinct.size,
    superseded: distinct.size - chosen.size + given.length - rows.length,
  };
}

/** Of equal rows any would do; the choice is the same in whatever order they come. */
function isPreferred(row: Registration, other: Registration): boolean {
  return row.etag > other.etag || (row.etag === other.etag && row.id < other.id);
}

/** The chosen rows by canonical form. */
export function distinctRows(rows: readonly Registration[]): ReadonlyMap<string, Registration> {
  return chooseRows(rows).rows;
}

/** Templates without a name are told apart by all they hold. */
function identityOf(row: Registration, form: string, isInstallation: boolean): string {
  if (row.isTemplate && row.templateName === undefined) return form;
  if (isInstallation) return JSON.stringify([row.isTemplate, row.templateName, row.tileName]);
  const tags = [...new Set(row.tags.map((tag) => tag.toLowerCase()))].sort();
  return JSON.stringify([row.platform, row.isTemplate, row.templateName, row.tileName, row.handle, tags]);
}

type Candidate = readonly [form: string, row: Registration];

/** Without those that expire before another one does. */
function lastToExpire(candidates: readonly Candidate[]): readonly Candidate[] {
  const expiries = candidates.map(([, { expirationTime }]) => expiryMsOf(expirationTime));
  const latest = expiries.reduce((last = 0, expiry = 0) => Math.max(last, expiry), 0);
  return candidates.filter((_, at) => expiries[at] === undefined || expiries[at] === latest);
}

/** As a list, empty where there are none; in whatever order they come. */
function newestOf(candidates: readonly Candidate[]): readonly Candidate[] {
  const [first, ...others] = candidates.toSorted(([, a], [, b]) => compareText(a.id, b.id));
  if (first === undefined) return [];
  return [others.reduce((best, other) => (isNewer(best[1], other[1]) ? best : other), first)];
}

/** Whether a row has the handle and all tags of its installation's native row, as each write of the installation gives it. */
function isOfNative(row: Registration, native: Registration): boolean {
  const tags = new Set(row.tags.map((tag) => tag.toLowerCase()));
  return row.handle === native.handle && native.tags.every((tag) => tags.has(tag.toLowerCase()));
}

function isNewer(row: Registration, other: Registration): boolean {
  if (expiresLater(row, other)) return true;
  return !expiresLater(other, row) && row.etag > 0 && row.etag < other.etag;
}

/** Both expire, and `row` later. */
function expiresLater(row: Registration, other: Registration): boolean {
  const [own, others] = [expiryMsOf(row.expirationTime), expiryMsOf(other.expirationTime)];
  return own !== undefined && others !== undefined && own > others;
}
