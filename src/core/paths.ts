import type { HubRef } from './ports.ts';

/**
 * Every blob name of the app, in one place. All are below the snapshot container. Those that begin with `_` are of one
 * pair of hubs: its app sees them so, and has them stored in the pair's folder.
 */
export const isNameOfPair = (name: string): boolean => name.startsWith('_') && !name.startsWith(PAIRS_FOLDER);
export const PAIRS_FOLDER = '_pairs/';

export const runKinds = ['backup', 'restore', 'verification'] as const;
export type RunKind = (typeof runKinds)[number];
/** The phases that work shard by shard. */
export type ShardPhase = 'seal' | 'reconcile' | 'verify';
export type SnapshotMark = 'pin' | 'proof' | 'churn' | 'coverage' | 'undone' | 'suspect' | 'accepted';

const hubFolder = (hub: HubRef): string => `${hub.namespace}/${hub.hub}/`;
export const snapshotsFolder = (hub: HubRef): string => `${hubFolder(hub)}snapshots/`;
export const snapshotFolder = (hub: HubRef, snapshotId: string): string => `${snapshotsFolder(hub)}${snapshotId}/`;
export const manifestName = (hub: HubRef, snapshotId: string): string =>
  `${snapshotFolder(hub, snapshotId)}manifest.json`;
/** The same bytes while it is not certain yet that the snapshot goes. */
export const manifestAsideName = (hub: HubRef, snapshotId: string): string =>
  `${snapshotFolder(hub, snapshotId)}manifest-aside.json`;
export const snapshotShardName = (hub: HubRef, snapshotId: string, shard: number): string =>
  `${snapshotFolder(hub, snapshotId)}shards/${shardLabel(shard)}.jsonl.gz`;
/** Erasures that hold for it, beside its shards: the listing that checks those shows whether there are any. */
export const erasedName = (hub: HubRef, snapshotId: string): string => `${shardsFolder(hub, snapshotId)}erased.json`;
export const shardsFolder = (hub: HubRef, snapshotId: string): string => `${snapshotFolder(hub, snapshotId)}shards/`;
/** The fingerprints of a shard, beside it: a snapshot can do without. */
export const snapshotFingerprintsName = (hub: HubRef, snapshotId: string, shard: number): string =>
  `${snapshotFolder(hub, snapshotId)}prints/${shardLabel(shard)}`;
export const latestName = (hub: HubRef): string => `${hubFolder(hub)}latest.json`;
/** What is known of snapshots beside their manifests, apart from their folders: one listing tells it of all. */
export const marksFolder = (hub: HubRef): string => `${hubFolder(hub)}marks/`;
export const markName = (hub: HubRef, snapshotId: string, mark: SnapshotMark): string =>
  `${marksFolder(hub)}${snapshotId}/${mark}`;

/** Who changed what: one document a call, named by its time. */
export const AUDIT_FOLDER = '_audit/';
export const auditName = (at: string, suffix: string): string =>
  `${AUDIT_FOLDER}${at.slice(0, 7)}/${at.replaceAll(':', '-')}-${suffix}.json`;
/** Its time and suffix: in the order of time, and unique. */
export const auditKeyOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1).replace(/\.json$/, '');

/** Open alerts, one document a condition; the last snapshot a heartbeat was sent for. */
export const ALERTS_FOLDER = '_alerts/';
export const alertsFolder = (hub: HubRef): string => `${ALERTS_FOLDER}${hubFolder(hub)}`;
export const alertName = (hub: HubRef, code: string): string => `${alertsFolder(hub)}${code}.json`;
export const heartbeatSentName = (hub: HubRef): string => `_status/${hubFolder(hub)}heartbeat-sent`;

/** What `doctor` writes to see whether it can, and removes again. */
export const doctorName = (suffix: string): string => `_status/doctor-${suffix}`;

/** The readiness as it was last judged: a copy for status calls. */
export const cardName = (hub: HubRef): string => `_status/${hubFolder(hub)}readiness.json`;

/** What the last listing of a hub by a restore counted, and how fast the last restore wrote: for the readiness card. */
export const seenName = (hub: HubRef): string => `${hubFolder(hub)}seen.json`;
/** Of a source: that it was listed empty. Retention leaves it alone. */
export const emptyName = (hub: HubRef): string => `${hubFolder(hub)}empty.json`;
export const PACE_NAME = '_runs/restore-pace.json';
/** Which hub of the pair is in use, since when. Backends may read it. */
export const ROLE_NAME = '_role.json';

/** What backends intend both hubs to hold: a document a device, in one of 16 folders, until both confirmed it. */
export const DUAL_FOLDER = '_dual/';
export const INTENTS_FOLDER = `${DUAL_FOLDER}intents/`;
export const intentName = (deviceHash: string): string => `${INTENTS_FOLDER}${deviceHash[0]}/${deviceHash}.json`;
/** Which ids stand for a registration's own in hubs that did not take it. */
export const otherIdsName = (deviceHash: string): string => `_dual/ids/${deviceHash}.json`;
/** How many of a folder's intents wait, as the app last saw it. */
export const LAGS_FOLDER = '_dual/lags/';
export const lagName = (digit: string): string => `${LAGS_FOLDER}${digit}.json`;
/** Devices whose change both hubs have confirmed, a blob for some seconds of a process. */
export const CONFIRMED_FOLDER = '_dual/confirmed/';
export const confirmedName = (at: string, suffix: string): string =>
  `${CONFIRMED_FOLDER}${at.replaceAll(':', '-')}-${suffix}`;
/** How the names of an hour begin, and those of a day. */
export const confirmedHour = (at: string): string => at.slice(0, 'yyyy-mm-ddThh'.length);
export const confirmedDay = (at: string): string => at.slice(0, 'yyyy-mm-dd'.length);

/** What push services have said of devices, in 16 parts; which files were read how far; what was removed for it. */
export const feedbackMarksName = (digit: string): string => `_feedback/marks/${digit}.json.gz`;
export const FEEDBACK_STATE_NAME = '_feedback/state.json';
export const FEEDBACK_RUNS_FOLDER = '_feedback/runs/';
export const feedbackRunName = (id: string): string => `${FEEDBACK_RUNS_FOLDER}${id}.json`;

export const DRILLS_FOLDER = '_drills/';
export const drillName = (id: string): string => `${DRILLS_FOLDER}${id}.json`;
export const NEWEST_DRILL_NAME = `${DRILLS_FOLDER}newest.json`;

export const LOCKS_FOLDER = '_locks/';
/** A dry run only looks: it has a lock of its own, and keeps nothing that writes from the hub. */
export type LockKind = RunKind | 'dry-run';
/** The kind of run a lock is for. */
export const kindOfLock = (name: string): RunKind =>
  runKinds.find((kind) => name.startsWith(lockFolder(kind))) ??
  (name.startsWith(lockFolder('dry-run')) ? 'restore' : 'backup');
export const lockName = (kind: LockKind, hub: HubRef): string => `${lockFolder(kind)}${hub.namespace}/${hub.hub}.json`;
const lockFolder = (kind: LockKind): string => `${LOCKS_FOLDER}${kind}/`;

export const runsFolder = (kind: RunKind): string => `_runs/${kind}/`;
export const runFolder = (kind: RunKind, runId: string): string => `${runsFolder(kind)}${runId}/`;
export const runName = (kind: RunKind, runId: string): string => `${runFolder(kind, runId)}run.json`;
/** The folder of the run that the name is in. */
export const runFolderOf = (name: string): string | undefined => /^_runs\/[^/]+\/[^/]+\//.exec(name)?.[0];
export const isRunName = (name: string): boolean => name === `${runFolderOf(name)}run.json`;
/**
 * Leases and waits of a run's steps. Those of a restore lie below its results: one listing tells how far it is and
 * whether it lives.
 */
export const liveFolder = (kind: RunKind, runId: string): string =>
  `${kind === 'restore' ? phaseFolder(kind, runId, 'reconcile') : runFolder(kind, runId)}live/`;
export const leaseName = ({ kind, runId, phase, pass, wave = 0, shard = 0, span = 1 }: StepKey): string =>
  `${liveFolder(kind, runId)}${phase}-${pass}-${wave}-${shardLabel(shard)}-${span}`;
interface StepKey {
  readonly kind: RunKind;
  readonly runId: string;
  readonly phase: string;
  readonly pass: number;
  readonly wave?: number | undefined;
  readonly shard?: number | undefined;
  readonly span?: number | undefined;
}
/** By target and shard count, and not by run: a later restore must find the rows an earlier one wrote. */
export const idMapsFolder = (target: HubRef): string => `${hubFolder(target)}id-map/`;
export const idMapName = (target: HubRef, shardCount: number, shard: number): string =>
  `${idMapsFolder(target)}${shardLabel(shardCount)}/${shardLabel(shard)}.json`;
/** The import job of a shard's creations, in a group of the restore's order. */
export const importsFolder = (runId: string): string => `${runFolder('restore', runId)}imports/`;
export const importName = (runId: string, shard: number, wave: number): string =>
  `${importsFolder(runId)}${shardLabel(shard)}-${wave}.json`;
/** Restores with jobs that may not have ended. */
export const OPEN_IMPORTS_FOLDER = '_imports/';
export const openImportsName = (runId: string): string => `${OPEN_IMPORTS_FOLDER}${runId}.json`;
/** The rows a pass saw of what its restore had written, or was about to remove. */
export const journalName = (runId: string, pass: number, shard: number): string =>
  `${runFolder('restore', runId)}journal/pass-${pass}/${shardLabel(shard)}.json.gz`;
/** What the steps of a shard that is not done have asked the hub for: the next step does not ask again. */
export const askedName = (runId: string, pass: number, shard: number): string =>
  `${runFolder('restore', runId)}asked/pass-${pass}/${shardLabel(shard)}.json.gz`;

/** What belongs to a pair of hubs, in whichever direction it is restored. */
export const pairFolder = (a: HubRef, b: HubRef): string =>
  `${PAIRS_FOLDER}${[hubFolder(a), hubFolder(b)].sort().join('')}`;
export function hubsOfPairFolder(folder: string): readonly [HubRef, HubRef] {
  const [, a = '', b = '', c = '', d = ''] = folder.split('/');
  return [
    { namespace: a, hub: b },
    { namespace: c, hub: d },
  ];
}
export const baselineName = (a: HubRef, b: HubRef): string => `${pairFolder(a, b)}baseline.json`;
export const baselinesFolder = (a: HubRef, b: HubRef): string => `${pairFolder(a, b)}baselines/`;
/** As that run left it. */
export const baselineFolder = (a: HubRef, b: HubRef, runId: string): string => `${baselinesFolder(a, b)}${runId}/`;
export const baselineShardName = (a: HubRef, b: HubRef, runId: string, shard: number): string =>
  `${baselineFolder(a, b, runId)}${shardLabel(shard)}`;
/** Records that were removed as dead since a run last moved the baseline, in parts by the hashes of their keys. */
export const deadFolder = (a: HubRef, b: HubRef): string => `${pairFolder(a, b)}dead/`;
export const deadName = (a: HubRef, b: HubRef, part: number): string => `${deadFolder(a, b)}${shardLabel(part)}`;
export function isSameHub(a: HubRef, b: HubRef): boolean {
  return a.namespace === b.namespace && a.hub === b.hub;
}

/** A hub's own name may be that of both hubs: only this one says which. */
export function fullNameOf({ namespace, hub }: HubRef): string {
  return `${namespace}/${hub}`;
}

/** Whether a person has typed the hub's full name. */
export function isFullNameOf(hub: HubRef, typed: string | undefined): boolean {
  return typed?.toLowerCase() === fullNameOf(hub);
}

/** Which of the two sides of a stored record is that hub's. */
export const isFirstOfPair = (hub: HubRef, other: HubRef): boolean => hubFolder(hub) < hubFolder(other);

/** What a run has seen of the writes of earlier ones that were not done, as additions to the pair's baseline. */
export const adoptedName = (runId: string, shard: number): string =>
  `${runFolder('restore', runId)}adopted/${shardLabel(shard)}`;

/** What lived in the target before a restore overwrote or withdrew it, from that record of the shard on. */
export const undoFolder = (runId: string, shard: number): string =>
  `${runFolder('restore', runId)}undo/${shardLabel(shard)}/`;
export const undoName = (runId: string, shard: number, suffix: string): string =>
  `${undoFolder(runId, shard)}${suffix}.json.gz`;

/** What one pass over the hub leaves: staging, removed when the run ends, and a result per shard and phase. */
const passFolder = (kind: RunKind, runId: string, pass: number): string => `${runFolder(kind, runId)}pass-${pass}/`;
export const scanName = (kind: RunKind, runId: string, pass: number): string =>
  `${passFolder(kind, runId, pass)}scan.json`;
export const exportName = (kind: RunKind, runId: string, pass: number): string =>
  `${passFolder(kind, runId, pass)}export.json`;
export const stagingFolder = (kind: RunKind, runId: string): string => `${runFolder(kind, runId)}staging/`;
export const segmentName = (kind: RunKind, runId: string, pass: number, label: string): string =>
  `${stagingFolder(kind, runId)}pass-${pass}/segments/${label}`;
/** A copy of them, or fingerprints made of the shard itself, for all passes of a restore. */
export const fingerprintsName = (runId: string, shard: number): string =>
  `${stagingFolder('restore', runId)}prints/${shardLabel(shard)}`;
export const foreignName = (runId: string, pass: number, shard: number): string =>
  `${stagingFolder('restore', runId)}pass-${pass}/foreign/${shardLabel(shard)}`;
/** The results of a phase in all passes together: one listing tells a run's progress. */
export const phaseFolder = (kind: RunKind, runId: string, phase: ShardPhase): string =>
  `${runFolder(kind, runId)}${phase}/`;
export const resultsFolder = (kind: RunKind, runId: string, pass: number, phase: ShardPhase): string =>
  `${phaseFolder(kind, runId, phase)}pass-${pass}/`;
export const resultName = (kind: RunKind, runId: string, pass: number, phase: ShardPhase, shard: number): string =>
  `${resultsFolder(kind, runId, pass, phase)}${shardLabel(shard)}.json`;

/** `0000` to `1023`: of one width, so that names sort by number. */
export function shardLabel(shard: number): string {
  return String(shard).padStart(4, '0');
}

/** The pass a result blob's name tells. */
export function passOfName(name: string): number {
  const pass = /\/pass-(\d+)\/\d{4}\.json$/.exec(name)?.[1];
  return pass === undefined ? -1 : Number(pass);
}

/** The shard number a result blob's name ends with. */
export function shardOfName(name: string): number {
  const label = /(\d{4})\.json$/.exec(name)?.[1];
  return label === undefined ? -1 : Number(label);
}
