import { DrError } from '../../../core/errors.ts';
import type { CallOptions, Hub } from '../../../core/ports.ts';
import { fullNameOf } from '../../app.ts';

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
