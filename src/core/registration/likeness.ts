import type { Registration } from './registration.ts';

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
