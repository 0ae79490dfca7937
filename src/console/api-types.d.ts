/**
 * The fields the page reads from the HTTP API. A field that an older app does not send is optional: the page hides it.
 */

export type Outcomes = Partial<
  Record<
    | 'created'
    | 'updated'
    | 'renewed'
    | 'moved'
    | 'unchanged'
    | 'keptLive'
    | 'conflict'
    | 'unknownOrigin'
    | 'goneInTarget'
    | 'withdrawn'
    | 'leftover'
    | 'onlyInTarget'
    | 'removed'
    | 'putBack'
    | 'failed'
    | 'pending',
    number
  >
>;

export interface HubRef {
  namespace: string;
  hub: string;
}

export interface Selection {
  platforms?: string[];
  tags?: string;
  installationIds?: string[];
  userIds?: string[];
}

export interface Action {
  name: string;
  method: string;
  href: string;
  body?: Record<string, unknown>;
  writesToHubInUse?: boolean;
}

export interface RunError {
  code: string;
  message: string;
}

export interface Waiting {
  on: string;
  cause: string;
  since: string;
  nextTryAt: string;
}

export interface Restore {
  id: string;
  status: 'NotStarted' | 'Running' | 'Succeeded' | 'Failed' | 'Canceled';
  phase: string;
  pass?: number;
  createdAt: string;
  finishedAt?: string;
  requestedBy?: string;
  askedBy?: string;
  note?: string;
  purpose?: 'restore' | 'sync' | 'retry' | 'rollback' | 'drill';
  of?: string;
  dryRun?: boolean;
  activate?: boolean;
  /** Of a restore that activates. */
  way?: 'failover' | 'failback';
  /** When its target became the hub in use. */
  activatedAt?: string;
  /** Whether that is so now, once it is over. */
  targetInUse?: boolean;
  only?: Selection;
  order?: { platforms?: string[]; tags?: string }[];
  snapshot: { id: string; asked?: string; hub?: HubRef };
  target: HubRef & { role: string };
  counts: Outcomes & { total: number };
  byPlatform?: Record<string, Outcomes>;
  milestones?: { p50At?: string; p90At?: string; p99At?: string };
  percent?: number;
  /** While the hub is listed. */
  rowsRead?: number;
  /** Roughly, where that is known. */
  rowsExpected?: number;
  recordsPerSecond?: number;
  etaSeconds?: number;
  lastChangeAt?: string;
  /** Until then it only gives the hub time. */
  settlesUntil?: string;
  waiting?: Waiting;
  secondsLostToThrottling?: number;
  failuresByCode?: Record<string, number>;
  duplicatesCollapsed?: number;
  superseded?: number;
  partialInstallations?: number;
  repaired?: number;
  changedSince?: number;
  raced?: number;
  removedByService?: number;
  passes?: number;
  /** Of a dry run: some of the records, by outcome. */
  examples?: Partial<Record<keyof Outcomes, string[]>>;
  error?: RunError;
  warnings?: string[];
  /** The retry that has put in place what it left out. */
  retriedBy?: string;
  nextActions?: Action[];
}

export interface Backup {
  id: string;
  status: Restore['status'];
  phase: string;
  createdAt: string;
  finishedAt?: string;
  rowsRead?: number;
  waiting?: Waiting;
  /** `amount`: `2,000 devices = 2,033 records = 2,327 registrations`; as of snapshots, absent in older apps. */
  result?: { recordCount: number; amount?: string; health: 'good' | 'suspect' };
  error?: RunError;
}

export interface SnapshotCounts {
  records: number;
  /** Absent where they were not counted. */
  devices?: number;
  installations?: number;
  registrations?: number;
  byPlatform?: Record<string, number>;
}

export interface Snapshot {
  id: string;
  hub?: HubRef;
  health: 'good' | 'suspect' | 'unusable';
  healthReasons?: string[];
  readStartedAt?: string;
  counts?: SnapshotCounts;
  amount?: string;
  bytes?: number;
  pinned?: boolean;
  /** It holds devices that a rollback has taken back. */
  undone?: boolean;
  coverage?: null | Coverage;
  proof?: null | { how: 'verified' | 'drill' | 'restore' | 'sync'; at: string; runId: string };
  churn?: null | { seconds: number; added: number; removed: number; changed: number };
  error?: RunError;
}

/** Of the devices that were in use before the last switch, those in the hub in use. */
export interface Coverage {
  total: number;
  /** By themselves. */
  registered: number;
  restored: number;
  /** Of those, written since by a restore or by their device. */
  rewritten?: number;
  missing: number;
  percent: number;
}

export interface Verification {
  id: string;
  createdAt?: string;
  status: Restore['status'];
  counts?: { total: number; verified: number; damaged: number; pending: number };
  damagedArtefacts?: { name: string; code: string; message: string }[];
  error?: RunError;
}

export interface Drill {
  id: string;
  status: Restore['status'];
  createdAt?: string;
  stage?: string;
  how?: string;
  reason?: string;
}

export interface Finding {
  level: 'risk' | 'stop';
  code: string;
  message: string;
  runId?: string;
  snapshotId?: string;
}

export interface ProbedHub {
  reachable: boolean;
  rights?: boolean | null;
  silentSince?: string | null;
  cause?: string | null;
  requestsPerSecond?: number | null;
}

export interface Role {
  active: HubRef;
  standby: HubRef;
  /** The newest first. */
  history: { hub: HubRef; since: string; by: string; note?: string }[];
}

export interface Status {
  verdict: 'Ready' | 'AtRisk' | 'NotReady';
  reason: string;
  findings?: Finding[];
  primary: HubRef;
  secondary: HubRef;
  role?: Role;
  backupIntervalSeconds?: number;
  lastBackup: Backup | null;
  lastRestore: Restore | null;
  latestGoodSnapshot: null | { id: string; readStartedAt: string; counts: SnapshotCounts; amount?: string };
  provenSnapshot?: null | { id: string; how: string; at: string };
  coverage?: null | Coverage;
  /** `null` where the standby is not kept in step. */
  standbySync?: null | {
    isInStep: boolean;
    lagSeconds: number | null;
    stopped: null | { runId: string; message: string };
    synced: null | { snapshotId: string; at: string; failed: number; different?: number };
    changedBy?: null | { runId: string; at: string };
    last: null | { id: string; status: Restore['status']; createdAt: string; error?: RunError };
  };
  atRisk?: null | { minutes: number; devicesEstimate: number | null; basis: string };
  predictedRestore?: null | { seconds: number; recordsPerSecond: number; basis: string };
  source?: ProbedHub;
  target?: ProbedHub & {
    tier?: string | null;
    deviceLimit?: number | null;
    devicesNow?: number | null;
    room?: number | null;
  };
  undeliverable?: { platform: string; registrations: number; reason: string }[];
  missedBackups?: { lastStartedAt?: string | null; missed: boolean };
  lastDrill?: null | { id: string; at: string; verdict: string; seconds?: number; how: string; reason?: string };
  alerts?: {
    heartbeatUrl: boolean;
    webhook: boolean;
    open: { code: string; since: string; message: string }[];
  };
}

export interface Failure {
  record: string;
  code: string;
  status?: number;
}

/** Records that failed alike. */
export interface FailureGroup {
  code: string;
  status?: number;
  platform?: string;
  /** What the hub said. */
  words?: string;
  count: number;
  examples: string[];
}

/** Of `GET /api/doctor`. */
export interface Examination {
  isWell: boolean;
  checks: Check[];
}

export interface Check {
  name: string;
  state: 'good' | 'bad' | 'unknown';
  message: string;
  fix?: string;
}

/** Of `POST /api/metadata/compare`. */
export interface Comparison {
  primary: HubRef;
  secondary: HubRef;
  differences: { what: string; primary: string; secondary: string }[];
  unknown: { hub: string; reason: string }[];
}

/** Of `GET /api/audit`. */
export interface AuditRecord {
  id: string;
  at?: string;
  /** The function that was called, such as `startRestore`. */
  what?: string;
  method?: string;
  path?: string;
  name?: string;
  principal?: string;
  from?: string;
  key?: string;
  answer?: { status: number; runId?: string; code?: string };
  error?: RunError;
}
