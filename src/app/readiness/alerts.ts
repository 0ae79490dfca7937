import { alertName, alertsFolder, fullNameOf } from '../../core/paths.ts';
import type { HubRef, NotTaken } from '../../core/ports.ts';
import { type Alert, alertCodes, type Condition, nextAlert } from '../../core/readiness/alerts.ts';
import { type App, orWarn, toInstant } from '../app.ts';
import { documents } from '../stored/documents.ts';
import { orLeave } from '../stored/refusals.ts';

/** The process that noted a change sends it; when that one died, others do after this. */
const TAKE_OVER_MS = 30_000;

/** What became of a call of an address of the settings. */
export interface Called {
  readonly notTaken: NotTaken | undefined;
}

interface StoredAlert {
  readonly name: string;
  readonly alert: Alert;
  readonly etag: string;
}

/**
 * Notes which of all conditions began and which ended, and tells the webhook once of each. What it does not take is
 * sent again at the next call. Several may do this at once: of those that see the same change one stores and sends it.
 * Gives what became of the last call of the webhook; `undefined` when none was made.
 */
export async function updateAlerts(
  app: App,
  active: HubRef,
  conditions: readonly Condition[],
): Promise<Called | undefined> {
  const stored = await readAlerts(app);
  let called: Called | undefined;
  for (const code of alertCodes) {
    const before = stored.get(code);
    const condition = conditions.find((one) => one.code === code);
    if (before === undefined && condition === undefined) continue;
    // One that cannot be stored keeps no other from being sent.
    await orWarn(app, 'alert not stored', { code }, async () => {
      const after = await storeChange(app, code, { before, condition, active });
      if (after !== undefined) called = (await send(app, after)) ?? called;
    });
  }
  return called;
}

export async function listOpenAlerts(app: App): Promise<{ code: string; since: string; message: string }[]> {
  const stored = [...(await readAlerts(app)).values()];
  return stored
    .filter(({ alert }) => alert.state === 'open')
    .map(({ alert: { opening } }) => ({ code: opening.code, since: opening.at, message: opening.message }));
}

async function readAlerts(app: App): Promise<Map<string, StoredAlert>> {
  const alerts = new Map<string, StoredAlert>();
  for (const { name } of await app.blobs.list(alertsFolder(app.primary.ref))) {
    const { value: alert, etag } = await documents.alert.tryFind(app, name);
    if (etag === undefined) continue;
    if (alert === undefined) await remove(app, { name, etag });
    else alerts.set(alert.opening.code, { name, alert, etag });
  }
  return alerts;
}

interface Look {
  readonly before: StoredAlert | undefined;
  readonly condition: Condition | undefined;
  /** The hub in use. */
  readonly active: HubRef;
}

/** The alert as it is to be sent by this call; `undefined` when there is nothing to send, or another one does it. */
async function storeChange(
  app: App,
  code: Condition['code'],
  { before, condition, active }: Look,
): Promise<StoredAlert | undefined> {
  const nowMs = app.world.storageNow();
  const isDue = before !== undefined && nowMs - Date.parse(before.alert.changedAt) > TAKE_OVER_MS;
  const alert = nextAlert(before?.alert, condition, {
    hub: fullNameOf(active),
    now: toInstant(nowMs),
    hasWebhook: app.notifier.hasWebhook,
    isDue,
  });
  if (alert === undefined) {
    if (before !== undefined) await remove(app, before);
    return undefined;
  }
  const name = alertName(app.primary.ref, code);
  if (before !== undefined && alert.changedAt === before.alert.changedAt) {
    const isSame = alert.opening === before.alert.opening;
    const current = isSame ? before : await put(app, name, alert, before.etag);
    return isDue ? current : undefined;
  }
  app.log.warn('alert', { code, state: alert.state, reason: alert.opening.message });
  return put(app, name, alert, before?.etag);
}

async function send(app: App, stored: StoredAlert): Promise<Called | undefined> {
  let called: Called | undefined;
  let current: StoredAlert | undefined = stored;
  while (current?.alert.unsent[0] !== undefined) {
    const [message, ...unsent]: Alert['unsent'] = current.alert.unsent;
    const sent = `${message?.id} ${message?.state}`;
    const isSent = message === undefined || app.memory.sentAlerts.has(sent);
    const notTaken = isSent ? undefined : await app.notifier.alert(message);
    called = { notTaken };
    if (notTaken !== undefined) {
      app.log.warn('ALERT_WEBHOOK_URL did not take an alert; it is sent again', {
        code: stored.alert.opening.code,
        seen: notTaken,
      });
      return called;
    }
    app.memory.sentAlerts.add(sent);
    current = await put(app, stored.name, { ...current.alert, unsent }, current.etag);
    app.memory.sentAlerts.delete(sent);
  }
  if (current?.alert.state === 'resolved') await remove(app, current);
  return called;
}

async function remove(app: App, { name, etag }: Pick<StoredAlert, 'name' | 'etag'>): Promise<void> {
  await orLeave(app, () => app.blobs.remove(name, etag));
}

async function put(app: App, name: string, alert: Alert, before: string | undefined): Promise<StoredAlert | undefined> {
  const etag = await documents.alert.write(app, name, alert, { etag: before });
  return etag === 'conflict' ? undefined : { name, alert, etag };
}
