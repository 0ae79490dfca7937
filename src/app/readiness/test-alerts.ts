import { DrError } from '../../core/errors.ts';
import { fullNameOf } from '../../core/paths.ts';
import type { NotTaken } from '../../core/ports.ts';
import { type App, toInstant } from '../app.ts';
import { readRoles } from '../runs/roles.ts';

export interface TestedAlerts {
  readonly taken: boolean;
  /** A status, or the code of a network fault. */
  readonly seen: NotTaken | undefined;
}

/**
 * Sends the webhook an alert, and the message that it is over, so that nothing stays open at the receiver. Throws
 * `BadRequest` when no address is set.
 */
export async function sendTestAlerts(app: App): Promise<TestedAlerts> {
  if (!app.notifier.hasWebhook) {
    throw new DrError('BadRequest', 'No alert can be sent: set ALERT_WEBHOOK_URL.', { target: 'ALERT_WEBHOOK_URL' });
  }
  const hub = fullNameOf((await readRoles(app)).active.ref);
  const at = toInstant(app.world.storageNow());
  const message = 'This is a test. Here arrive the alerts of notification-hubs-dr.';
  const opening = { id: `Test-${hub.replaceAll('/', '-')}-${at}`, code: 'Test', severity: 'warning', hub, at } as const;
  const seen =
    (await app.notifier.alert({ ...opening, state: 'open', message })) ??
    (await app.notifier.alert({ ...opening, state: 'resolved', message: `Over: ${message}` }));
  return { taken: seen === undefined, seen };
}
