/** The root's tag and the elements that are the hub's own, as the service writes them: all in the root's namespace. */
const OWN =
  /(<\w+ [^<>]*>)<ETag>[^<]*<\/ETag><ExpirationTime>[^<]*<\/ExpirationTime><RegistrationId>[^<]*<\/RegistrationId>/y;

/**
 * Where the elements that a hub gives each row itself begin and end in a description, if they are there as usual. A
 * description that could be read has no others of these names: it would have been refused.
 */
export function findOwn(xml: string): { readonly start: number; readonly end: number } | undefined {
  OWN.lastIndex = 0;
  const root = OWN.exec(xml)?.[1];
  return root === undefined ? undefined : { start: root.length, end: OWN.lastIndex };
}
