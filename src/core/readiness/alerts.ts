import { z } from 'zod';
import type { AlertMessage } from '../ports.ts';

/** The conditions that raise an alert. */
export const alertCodes = [
  'PrimaryUnavailable',
  'BackupFailed',
  'BackupMissed',
  'SnapshotSuspect',
  'DrillFailed',
  'RestoreFailed',
  'RoleUnsettled',
  'SyncStopped',
  'StandbyOutOfStep',
  'StandbyDiffers',
  'DualWritesLag',
  'FeedbackFailing',
  'FeedbackHeld',
  'RpoMissed',
  'RtoMissed',
  'StorageRefuses',
  'NotReady',
] as const;
export type AlertCode = (typeof alertCodes)[number];
const lessUrgent: ReadonlySet<AlertCode> = new Set([
  'SnapshotSuspect',
  'DrillFailed',
  'RoleUnsettled',
  'SyncStopped',
  'StandbyOutOfStep',
  'StandbyDiffers',
  'DualWritesLag',
  'FeedbackFailing',
  'FeedbackHeld',
  'RtoMissed',
  'StorageRefuses',
]);

/** What is judged of the hub in use: a switch of the hubs ends it, whatever became of the hub before. */
const ofHubInUse: ReadonlySet<string> = new Set<AlertCode>([
  'PrimaryUnavailable',
  'BackupFailed',
  'BackupMissed',
  'SnapshotSuspect',
  'SyncStopped',
  'StandbyOutOfStep',
  'StandbyDiffers',
  'RpoMissed',
  'NotReady',
]);

/** Something that is wrong now. */
export interface Condition {
  readonly code: AlertCode;
  readonly message: string;
  readonly runId?: string | undefined;
  readonly snapshotId?: string | undefined;
}

/** A hub that is down for a moment raises no alert: it is sent only when the next check still finds it. */
const CONFIRM_AFTER_MS = 45_000;
const needsConfirmation: ReadonlySet<AlertCode> = new Set(['PrimaryUnavailable', 'NotReady']);
/** A webhook that is gone for good: what it missed first is forgotten first. */
const MAX_UNSENT = 10;

const messageSchema = z.strictObject({
  id: z.string(),
  state: z.enum(['open', 'resolved']),
  code: z.string(),
  severity: z.enum(['critical', 'warning']),
  message: z.string(),
  hub: z.string(),
  runId: z.string().optional(),
  snapshotId: z.string().optional(),
  at: z.iso.datetime(),
});

export const alertSchema = z.strictObject({
  state: z.enum(['suspected', 'open', 'resolved']),
  /** As it was sent, or will be sent if the condition persists, with the reason and the hub in use there are now. */
  opening: messageSchema,
  /** What the webhook has not taken yet, oldest first. */
  unsent: z.array(messageSchema),
  /** The writer of this is sending; others wait before they take over. */
  changedAt: z.iso.datetime(),
});

/** The stored state of one condition; absent while all is well. */
export type Alert = Readonly<z.infer<typeof alertSchema>>;

export interface Surroundings {
  readonly hub: string;
  /** ISO instant. */
  readonly now: string;
  readonly hasWebhook: boolean;
  /** Who was sending what is unsent is no longer at it. */
  readonly isDue?: boolean;
}

/**
 * What becomes of a condition's stored alert now that it was looked at: `undefined` when there is none (any more).
 */
export function nextAlert(
  alert: Alert | undefined,
  condition: Condition | undefined,
  around: Surroundings,
): Alert | undefined {
  if (condition !== undefined) return begin(alert, condition, around);
  if (alert === undefined) return undefined;
  if (alert.state !== 'open') return alert.unsent.length > 0 ? { ...alert, state: 'resolved' } : undefined;
  const resolved: AlertMessage = {
    ...alert.opening,
    state: 'resolved',
    message: endOf(alert.opening, around),
    at: around.now,
  };
  return { ...alert, state: 'resolved', unsent: withUnsent(alert.unsent, resolved, around), changedAt: around.now };
}

/** Of a hub that is no longer in use it is not known whether it is well. */
function endOf({ code, hub, message }: AlertMessage, around: Surroundings): string {
  if (hub === around.hub || !ofHubInUse.has(code)) return `Over: ${message}`;
  return `Over, for ${hub} is no longer the hub in use, ${around.hub} is; that ${hub} is well was not seen. It was: ${message}`;
}

function begin(alert: Alert | undefined, condition: Condition, around: Surroundings): Alert {
  if (alert?.state === 'open') {
    const isBeingSent = alert.unsent.length > 0 && around.isDue !== true;
    return isBeingSent ? alert : withReason(alert, condition, around);
  }
  if (alert?.state === 'suspected') {
    if (Date.parse(around.now) - Date.parse(alert.changedAt) < CONFIRM_AFTER_MS) return alert;
    const { opening } = withReason(alert, condition, around);
    return {
      ...alert,
      state: 'open',
      opening,
      unsent: withUnsent(alert.unsent, opening, around),
      changedAt: around.now,
    };
  }
  const { code, message, runId, snapshotId } = condition;
  const opening: AlertMessage = {
    id: `${code}-${around.hub.replaceAll('/', '-')}-${around.now}`,
    state: 'open',
    code,
    severity: lessUrgent.has(code) ? 'warning' : 'critical',
    message,
    hub: around.hub,
    runId,
    snapshotId,
    at: around.now,
  };
  const earlier = alert?.unsent ?? [];
  const isSure = !needsConfirmation.has(code);
  return {
    state: isSure ? 'open' : 'suspected',
    opening,
    unsent: isSure ? withUnsent(earlier, opening, around) : [...earlier],
    changedAt: around.now,
  };
}

/** Its text changes, also where it still waits to be sent. While it is being sent, its sender alone stores it. */
function withReason(alert: Alert, { message, runId, snapshotId }: Condition, { hub }: Surroundings): Alert {
  if (alert.opening.message === message && alert.opening.hub === hub) return alert;
  const opening = { ...alert.opening, message, hub, runId, snapshotId };
  const unsent = alert.unsent.map((one) => (one.id === opening.id && one.state === 'open' ? opening : one));
  return { ...alert, opening, unsent };
}

function withUnsent(
  unsent: readonly AlertMessage[],
  message: AlertMessage,
  { hasWebhook }: Surroundings,
): AlertMessage[] {
  return hasWebhook ? [...unsent, message].slice(-MAX_UNSENT) : [];
}
