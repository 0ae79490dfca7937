import type { Condition } from '../core/alerts.ts';
import { heartbeatSentName } from '../core/paths.ts';
import { verdictOf } from '../core/readiness.ts';
import { isOver } from '../core/run.ts';
import { updateAlerts } from './alerts.ts';
import type { App } from './app.ts';
import { toBytes, toText } from './codec.ts';
import { judgeReadiness, type Readiness } from './judge-readiness.ts';

/**
 * Looks at how things are, calls the heartbeat for a good snapshot it was not called for yet, and raises and resolves
 * alerts. It goes by what is stored and not by events, so that a call that is lost or comes twice changes nothing.
 */
export async function reviewReadiness(app: App): Promise<void> {
  const readiness = await judgeReadiness(app);
  await sendHeartbeat(app, readiness.latest?.id);
  await updateAlerts(app, conditionsOf(readiness));
}

async function sendHeartbeat(app: App, snapshotId: string | undefined): Promise<void> {
  if (!app.notifier.hasHeartbeat || snapshotId === undefined) return;
  const name = heartbeatSentName(app.primary.ref);
  const sent = await app.blobs.get(name);
  if (sent !== undefined && toText(sent.bytes) === snapshotId) return;
  const notTaken = await app.notifier.heartbeat();
  if (notTaken === undefined) await app.blobs.put(name, toBytes(snapshotId), 'any');
  else app.log.warn('HEARTBEAT_URL did not take the heartbeat; it is called again', { snapshotId, seen: notTaken });
}

const told = ['BackupFailed', 'BackupMissed', 'SnapshotSuspect', 'DrillFailed'] as const;

const titleOf = { restore: 'Restore', retry: 'Retry', rollback: 'Rollback', drill: 'Drill' } as const;

function conditionsOf({ findings, restores }: Readiness): Condition[] {
  const conditions: Condition[] = findings.flatMap((finding) => {
    const code = told.find((one) => one === finding.code);
    if (code === undefined) return [];
    const { message, runId, snapshotId } = finding;
    return [{ code, message, runId, snapshotId }];
  });
  const restore = restores.find((run) => isOver(run) && run.status !== 'Canceled' && !run.request.dryRun);
  if (restore?.status === 'Failed') {
    const message = `${titleOf[restore.request.purpose]} ${restore.id} failed. ${restore.error?.message ?? 'The log says why.'}`;
    conditions.push({ code: 'RestoreFailed', message, runId: restore.id, snapshotId: restore.request.snapshotId });
  }
  const [worst] = findings;
  if (worst !== undefined && verdictOf(findings) === 'NotReady')
    conditions.push({ code: 'NotReady', message: worst.message });
  return conditions;
}
