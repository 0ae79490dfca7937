import { DrError, orFault } from '../../core/errors.ts';
import type { RefusedWrite } from '../../core/readiness/card.ts';
import { type App, emit, isNews } from '../app.ts';

/** The card shows it, and that it is over. */
export async function noteRefusal(app: App, what: RefusedWrite, fault: DrError | undefined): Promise<void> {
  if (fault !== undefined) app.log.error('refused by the storage', { what, code: fault.code, reason: fault.message });
  await emit(app, { kind: 'refusal', what, message: fault?.message });
}

/**
 * Removes what is no longer needed. Where the storage refuses that, by its rights or its rules, it stays: nothing depends
 * on it.
 */
export async function orLeave(app: App, remove: () => Promise<void>): Promise<void> {
  const found = await orFault(remove());
  const fault = found instanceof DrError ? found : undefined;
  if (isNews(app, 'removal', fault)) await noteRefusal(app, 'removal', fault);
}
