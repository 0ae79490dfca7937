import type { Registration } from './registration.ts';

/** Whether a record's rows could become one with another: rows of one template name, without a name, or no templates. */
export function mayCollapse(rows: readonly Registration[]): boolean {
  return rows.some((row, index) => rows.some((one, at) => at > index && isSameTemplate(one, row)));
}

function isSameTemplate(a: Registration, b: Registration): boolean {
  return a.isTemplate === b.isTemplate && a.templateName === b.templateName;
}

/** The root's tag and the elements that are the hub's own, as the service writes them: all in the root's namespace. */
const OWN =
  /(<\w+ [^<>]*>)<ETag>[^<]*<\/ETag><ExpirationTime>[^<]*<\/ExpirationTime><RegistrationId>[^<]*<\/RegistrationId>/y;

/** The root's opening tag, and where the elements end that a hub gives each row itself; `undefined` if they differ. */
export function findOwn(xml: string): { readonly root: string; readonly end: number } | undefined {
  OWN.lastIndex = 0;
  const root = OWN.exec(xml)?.[1];
  return root === undefined ? undefined : { root, end: OWN.lastIndex };
}
