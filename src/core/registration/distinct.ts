import { canonicalRow, type Registration } from './registration.ts';

/** True when none of a record's rows can collapse into another, seen at a glance: no two are of one template. */
export function areDistinct(rows: readonly Registration[]): boolean {
  if (rows.length > MAX_ROWS) return false;
  return rows.every((row, index) => !rows.some((one, at) => at > index && isSameTemplate(one, row)));
}

/** Every row is compared with every other. */
const MAX_ROWS = 16;

function isSameTemplate(a: Registration, b: Registration): boolean {
  return a.isTemplate === b.isTemplate && a.templateName === b.templateName;
}

/** The distinct rows by canonical form. Of rows equal in kind, template and tags only the newest stays. */
export function distinctRows(rows: readonly Registration[]): Map<string, Registration> {
  const newest = new Map<string, Registration>();
  for (const row of rows) {
    const identity = identityOf(row);
    const seen = newest.get(identity);
    if (seen === undefined || row.etag > seen.etag) newest.set(identity, row);
  }
  return new Map([...newest.values()].map((row) => [canonicalRow(row.xml), row]));
}

/** Templates without a name are told apart by all they hold. */
function identityOf(row: Registration): string {
  if (row.isTemplate && row.templateName === undefined) return canonicalRow(row.xml);
  const tags = [...new Set(row.tags.map((tag) => tag.toLowerCase()))].sort();
  return JSON.stringify([row.platform, row.isTemplate, row.templateName, row.tileName, row.handle, tags]);
}
