/** Answers of the API as its contract has them. */

export const SNAPSHOT_ID = '2026-11-23T11-00-00Z-aaaaaa';
export const RESTORE_ID = '2026-11-23T11-59-00Z-bbbbbb';

export function aRestore(over: Readonly<Record<string, unknown>> = {}) {
  return {
    id: RESTORE_ID,
    kind: 'restore',
    purpose: 'restore',
    status: 'Running',
    phase: 'Reading',
    pass: 1,
    createdAt: '2026-11-23T11:59:00Z',
    requestedBy: 'http',
    warnings: [],
    snapshot: { id: SNAPSHOT_ID, asked: 'latest', hub: { namespace: 'app-neu', hub: 'devices' } },
    target: { role: 'secondary', namespace: 'dr-weu', hub: 'devices' },
    dryRun: false,
    counts: someCounts({ pending: 2000 }),
    percent: 0,
    nextActions: [{ command: `watch ${RESTORE_ID}` }, { command: `cancel ${RESTORE_ID}` }],
    ...over,
  };
}

export function writing(settled: number) {
  return aRestore({
    phase: 'Writing',
    percent: settled / 20,
    counts: someCounts({ created: settled, pending: 2000 - settled }),
    recordsPerSecond: 310.5,
    etaSeconds: 75,
    secondsLostToThrottling: 3,
  });
}

export function restored(over: Readonly<Record<string, unknown>> = {}) {
  return aRestore({
    status: 'Succeeded',
    phase: 'Done',
    pass: 2,
    passes: 2,
    percent: 100,
    finishedAt: '2026-11-23T11:59:42Z',
    counts: someCounts({ created: 1950, keptLive: 50 }),
    byPlatform: { Apple: { created: 1000, keptLive: 50 }, FcmV1: { created: 950 } },
    nextActions: [{ command: `report ${RESTORE_ID}` }, { command: `rollback ${RESTORE_ID} --watch` }],
    ...over,
  });
}

export function incomplete() {
  return restored({
    status: 'Failed',
    counts: someCounts({ created: 1988, failed: 12 }),
    failuresByCode: { Rejected: 12 },
    error: { code: 'RestoreIncomplete', message: '12 of 2000 records could not be restored.' },
    nextActions: [{ command: `failures ${RESTORE_ID}` }, { command: `retry ${RESTORE_ID} --watch` }],
  });
}

export const aCard = {
  verdict: 'AtRisk',
  reason: 'The newest good snapshot is 95 minutes old; one is due every 60 minutes.',
  findings: [{ level: 'risk', code: 'SnapshotOld', message: 'The newest good snapshot is 95 minutes old.' }],
  primary: { namespace: 'app-neu', hub: 'devices' },
  secondary: { namespace: 'dr-weu', hub: 'devices' },
  latestGoodSnapshot: { id: SNAPSHOT_ID, ageSeconds: 5700, counts: { records: 2000 } },
  provenSnapshot: { id: SNAPSHOT_ID, how: 'drill', at: '2026-11-23T11:10:00Z', ageSeconds: 5700 },
  atRisk: { minutes: 95, devicesEstimate: 4.2, basis: 'churn' },
  predictedRestore: { seconds: 40, recordsPerSecond: 50, basis: 'restore', runId: RESTORE_ID },
  target: { reachable: true, rights: true, tier: 'Standard', deviceLimit: 10_000_000, devicesNow: 0, room: 10_000_000 },
  undeliverable: [{ platform: 'Gcm', registrations: 12, reason: 'nothing can be delivered since 2024' }],
  lastBackup: { id: SNAPSHOT_ID, kind: 'backup', status: 'Succeeded', createdAt: '2026-11-23T11:00:00Z' },
  lastRestore: null,
  lastDrill: { id: 'd1', at: '2026-11-22T04:00:00Z', verdict: 'Passed', seconds: 61, how: 'scratch hub' },
  alerts: {
    heartbeatUrl: false,
    webhook: true,
    open: [{ code: 'BackupMissed', since: '2026-11-23T11:30:00Z', message: 'late' }],
  },
};

export function someCounts(some: Readonly<Record<string, number>>) {
  return { total: 2000, created: 0, updated: 0, unchanged: 0, keptLive: 0, removed: 0, failed: 0, pending: 0, ...some };
}
