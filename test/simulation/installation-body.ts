import { type Description, isSame } from './row.ts';

/** What a hub keeps of an installation beside its rows. */
export interface InstallationBody extends Omit<Description, 'body'> {
  readonly installationId: string;
  /** Of its one template, where it has one. */
  readonly body: string | undefined;
  readonly expiresAt: number | undefined;
}

/** The registrations of an installation. */
export function rowsOf(body: InstallationBody): Description[] {
  const native = { ...body, body: undefined };
  return body.body === undefined ? [native] : [native, body];
}

export function isSameBody(a: InstallationBody, b: InstallationBody): boolean {
  return isSame(a, b) && a.expiresAt === b.expiresAt;
}
