import { heartbeatSentName } from '../../core/paths.ts';
import { alertCodes, type Condition } from '../../core/readiness/alerts.ts';
import type { Refusal } from '../../core/readiness/card.ts';
import type { Finding } from '../../core/readiness/finding.ts';
import { findRisks, verdictOf } from '../../core/readiness/readiness.ts';
import { isOver, type RestoreRun, startOfRunId } from '../../core/run/run.ts';
import { isAhead } from '../../core/snapshot/dating.ts';
import { type App, orWarn, toInstant } from '../app.ts';
import { toBytes, toText } from '../stored/codec.ts';
import { type Called, listOpenAlerts, updateAlerts } from './alerts.ts';
import { readCard, storeCard } from './card-store.ts';
import { gatherCard, keptOf, renewCard } from './gather.ts';
import { probeHubs, silenceOf, withNoticed } from './probe-hubs.ts';

/**
 * Looks at how things are, calls the heartbeat for a good snapshot it was not called for yet, raises and resolves
 * alerts, and stores the card. It goes by what is stored and not by events, so that a call that is lost or comes twice
 * changes nothing.
 */
export async function reviewReadiness(app: App, { isWatchdog = false } = {}): Promise<void> {
  const before = await readCard(app);
  const watched = isWatchdog ? { watchedAt: toInstant(app.world.storageNow()) } : {};
  const gathered = await gatherCard(app, keptOf(before.card, watched));
  const { roles } = gathered;
  const hubs = withNoticed(app, roles, await probeHubs(app, roles), before.card?.silentSince);
  const silentSince = silenceOf(app, roles, hubs);
  const card = { ...gathered.card, silentSince };
  const nowMs = app.world.storageNow();
  const { cardRefusal } = app.memory;
  const around = { ...hubs, role: roles.role, primary: app.primary.ref, nowMs };
  const findings = findRisks({ ...app.policy, card, cardRefusal, ...around });
  const heartbeat = await sendHeartbeat(app, card.latest?.id);
  const webhook = await updateAlerts(app, roles.active.ref, conditionsOf(findings, gathered.restores));
  const refused = {
    heartbeat: refusalOf(app, heartbeat, card.refused?.heartbeat),
    webhook: refusalOf(app, webhook, card.refused?.webhook),
  };
  const reviewed = { ...card, refused, openAlerts: await listOpenAlerts(app) };
  // A run that moved on meanwhile has noted that: it must not be shown as it was before.
  if (!(await storeCard(app, reviewed, before.etag))) await renewCard(app, { ...watched, silentSince, refused });
}

/** Where no call was made, that of before holds. */
function refusalOf(app: App, called: Called | undefined, before: Refusal | undefined): Refusal | undefined {
  if (called === undefined) return before;
  const { notTaken: seen } = called;
  return seen === undefined ? undefined : { since: before?.since ?? toInstant(app.world.storageNow()), seen };
}

async function sendHeartbeat(app: App, snapshotId: string | undefined): Promise<Called | undefined> {
  if (!app.notifier.hasHeartbeat || snapshotId === undefined) return undefined;
  const name = heartbeatSentName(app.primary.ref);
  const sent = await app.blobs.get(name);
  const sentId = sent && toText(sent.bytes);
  const isOfFuture = sentId !== undefined && isAhead(startOfRunId(sentId), app.world.storageNow());
  // Ids sort by time: an older one is `latest` again where newer ones were found damaged.
  if (sentId !== undefined && sentId >= snapshotId && !isOfFuture) return undefined;
  const notTaken = await app.notifier.heartbeat();
  if (notTaken === undefined) {
    await orWarn(app, 'heartbeat not noted; it is called again', { snapshotId }, async () => {
      await app.blobs.put(name, toBytes(snapshotId), 'any');
    });
  } else app.log.warn('HEARTBEAT_URL did not take the heartbeat; it is called again', { snapshotId, seen: notTaken });
  return { notTaken };
}

const titleOf = { restore: 'Restore', sync: 'Sync', retry: 'Retry', rollback: 'Rollback', drill: 'Drill' } as const;

function conditionsOf(findings: readonly Finding[], restores: readonly RestoreRun[]): Condition[] {
  const conditions: Condition[] = findings.flatMap((finding) => {
    const code = alertCodes.find((one) => one === finding.code);
    return code === undefined ? [] : [{ ...finding, code }];
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
