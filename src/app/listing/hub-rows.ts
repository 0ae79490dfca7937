import { DrError } from '../../core/errors.ts';
import { fullNameOf } from '../../core/paths.ts';
import type { CallOptions, Hub, RowQuery } from '../../core/ports.ts';
import { parseRegistration, type Registration } from '../../core/registration/registration.ts';
import type { App } from '../app.ts';
import { toText } from '../stored/codec.ts';

/** The registration that a hub shows under an id when it is asked for it. */
export async function findRow(hub: Hub, id: string, options: CallOptions): Promise<Registration | undefined> {
  const bytes = await hub.findRegistration(id, options);
  return bytes === undefined ? undefined : toRow(bytes);
}

/** Those that it shows of an installation. */
export async function findInstallationRows(hub: Hub, id: string, options: CallOptions): Promise<Registration[]> {
  return (await hub.findInstallation(id, options)).map(toRow);
}

/** Those with a tag, or of a device. */
export async function findRows(hub: Hub, query: RowQuery, options: CallOptions): Promise<Registration[]> {
  return (await hub.findRows(query, options)).map(toRow);
}

function toRow(bytes: Uint8Array): Registration {
  return parseRegistration(toText(bytes));
}

/** For a question that can be done without, or asked again later. */
export function within({ world }: App, milliseconds: number): CallOptions {
  return { deadlineAt: world.now() + milliseconds };
}

/** Whether a hub lists any row: a page may be empty and name a next one. */
export async function holdsRows(hub: Hub, options: CallOptions): Promise<boolean> {
  let token: string | undefined;
  do {
    const page = await hub.listPage(token, options);
    if (page === 'tokenLost') {
      const message = `Hub ${fullNameOf(hub.ref)} lost its place in a listing. Ask again.`;
      throw new DrError('HubMisbehaves', message, { retryable: true, target: fullNameOf(hub.ref) });
    }
    if (page.rows.length > 0) return true;
    token = page.nextToken;
  } while (token !== undefined);
  return false;
}
