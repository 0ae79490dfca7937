import type { Registration } from './registration.ts';

/**
 * True when two sets of rows surely say the same to a device, seen at a glance: the same texts but for what a hub gives
 * each row itself. That is how nearly every record of a restored hub looks, and comparing canonical forms costs twenty
 * times as much. False says nothing; nor is anything said where a row could collapse into another one.
 */
export function areAlike(rows: readonly Registration[], others: readonly Registration[]): boolean {
  if (rows.length !== others.length || rows.length > MAX_ROWS) return false;
  return rows.every((row, index) => {
    // Rows of one template name, or without template, may collapse into the newest.
    const isOnly = !rows.some((one, at) => at > index && isSameTemplate(one, row));
    const isNamed = !row.isTemplate || row.templateName !== undefined;
    return isOnly && isNamed && others.some((other) => isSameTemplate(other, row) && isSameText(row.xml, other.xml));
  });
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
  return a.length - ownA.end === b.length - ownB.end && a.startsWith(ownB.root) && a.endsWith(b.slice(ownB.end));
}

/** The root's tag and the elements that are the hub's own, as the service writes them: all in the root's namespace. */
const OWN =
  /(<\w+ [^<>]*>)<ETag>[^<]*<\/ETag><ExpirationTime>[^<]*<\/ExpirationTime><RegistrationId>[^<]*<\/RegistrationId>/y;

function findOwn(xml: string): { readonly root: string; readonly end: number } | undefined {
  OWN.lastIndex = 0;
  const root = OWN.exec(xml)?.[1];
  return root === undefined ? undefined : { root, end: OWN.lastIndex };
}
