import type { Registration } from './registration.ts';
import { findOwn } from './registration-own.ts';

/**
 * True when two sets of rows surely say the same to a device, seen at a glance: the same texts but for what a hub gives
 * each row itself. That is how nearly every record of a restored hub looks, and comparing canonical forms costs twenty
 * times as much. False says nothing; nor is anything said where a row could collapse into another one.
 */
export function areAlike(rows: readonly Registration[], others: readonly Registration[]): boolean {
  if (rows.length !== others.length || !areDistinct(rows)) return false;
  if (rows.some((row) => row.isTemplate && row.templateName === undefined)) return false;
  return rows.every((row) => others.some((other) => isSameTemplate(other, row) && isSameText(row.xml, other.xml)));
}

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

function isSameText(a: string, b: string): boolean {
  const ownA = findOwn(a);
  const ownB = ownA === undefined ? undefined : findOwn(b);
  if (ownA === undefined || ownB === undefined) return false;
  const isSameRoot = ownA.start === ownB.start && a.startsWith(b.slice(0, ownB.start));
  return isSameRoot && a.length - ownA.end === b.length - ownB.end && a.endsWith(b.slice(ownB.end));
}
