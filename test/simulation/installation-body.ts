import { type Description, isSame } from './row.ts';

/** What a hub keeps of an installation beside its rows. */
export interface InstallationBody extends Omit<Description, 'body'> {
  readonly installationId: string;
  /** Of its one template, where it has one. */
  readonly body: string | undefined;
  /** Beyond the installation's. */
  readonly templateTags?: readonly string[];
  readonly expiresAt: number | undefined;
}

/** The registrations of an installation. */
export function rowsOf(body: InstallationBody): Description[] {
  const { tags, templateTags = [] } = body;
  const native = { ...body, body: undefined };
  return body.body === undefined ? [native] : [native, { ...body, tags: [...new Set([...tags, ...templateTags])] }];
}

export function isSameBody(a: InstallationBody, b: InstallationBody): boolean {
  const [own, others] = [a.templateTags ?? [], b.templateTags ?? []];
  return isSame(a, b) && a.expiresAt === b.expiresAt && own.join() === others.join();
}
