import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { outcomesInWords } from '../src/core/restore/outcome-words.ts';
import { counted, grouped } from '../src/core/words.ts';
import { type Api, createApi, type RunView } from './api.ts';
import { judgeDelivery, type MissedDevice, readRows, type Verdict } from './delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from './stack.ts';

/** The result of a rehearsal, and the drill's `--json` line. */
export interface DrillReport {
  /** Devices that should be reachable after it. */
  readonly devices: number;
  readonly snapshotRecords: number;
  readonly created: number;
  readonly unchanged: number;
  readonly keptLive: number;
  readonly failed: number;
  readonly deliveredOnce: number;
  readonly deliveredNever: number;
  readonly deliveredMoreThanOnce: number;
  /** What the last backup read: `list` or `export`. */
  readonly source: string;
  /** Registrations that import jobs say they have created. */
  readonly imported: number;
  readonly backupSeconds: number;
  readonly restoreSeconds: number;
  readonly verdict: 'pass' | 'fail';
}

export interface RehearsalOptions {
  readonly devices: number;
  readonly seed: number;
  /** Receives the lines of the report. */
  readonly say: (line: string) => void;
  /** How long a call is retried while the host cannot be reached or is not available. */
  readonly patienceMs?: number;
  /** A backup is in flight when the primary fails, and the secondary is slow. */
  readonly isWorstNight?: boolean;
  /** Runs when the restore is over, before the broadcast is sent and counted. */
  readonly beforeProof?: () => Promise<void>;
  /** Called for each device that was not reached exactly once. */
  readonly onMissed?: (device: MissedDevice) => void;
}

const liveSchema = z.object({ added: z.number(), returned: z.number() });

/**
 * A disaster on a fresh stack, end to end: backup through the timer, churn, another backup, live devices in the
 * secondary, the primary down, restore by HTTP, broadcast, and the count of every device's inbox.
 */
export async function rehearse(stack: Stack, options: RehearsalOptions): Promise<DrillReport> {
  const { devices, seed, say, patienceMs = 0 } = options;
  const { emulator } = stack;
  const api = createApi(() => stack.host, patienceMs);
  const changed = Math.max(1, Math.floor(devices / 50));

  const first = await backUp(stack, api);
  say(`1  first backup through the timer   ${describeBackup(first)}`);
  await emulator.admin('POST', `${PRIMARY_HUB}/churn`, {
    change: changed,
    remove: changed,
    add: changed,
    seed: seed + 1,
  });
  const second = await backUp(stack, api);
  say(`2  ${changed} changed, ${changed} removed, ${changed} added; second backup   ${describeBackup(second)}`);
  const primaryRows = await readRows(emulator, PRIMARY_HUB);

  const live = await goLive(stack, changed, seed);
  say(`3  new devices: ${grouped(live.added)}, and known ones: ${grouped(live.returned)}, register in the secondary`);
  const liveRows = await readRows(emulator, SECONDARY_HUB);

  if (options.isWorstNight === true) {
    await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { requestsPerSecond: slowFor(devices) });
    await api.call('POST', '/api/backups');
    say('   a backup is in flight, and the secondary is slow');
  }
  await emulator.admin('POST', '/namespaces/primary/down');
  // What Resource Manager says of it comes from that region, too.
  const away = ['keys', 'read', 'pushCredentials'].map((on) => ({ on, namespace: 'primary', reset: true }));
  await emulator.admin('POST', '/arm/faults', away);
  say('4  the primary region fails: connections are refused');

  // With our own id, a call whose answer was lost can be retried.
  const started = await api.put(`/api/restores/${restoreIdOf(seed)}`);
  const restore = await api.finished('restore', started.id, { timeoutMs: 3_600_000 });
  const counts = restore.counts ?? {
    total: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    keptLive: 0,
    failed: 0,
    pending: 0,
  };
  say(
    `5  restore ${restore.status}: ${counted(counts.total, 'record')}: ${outcomesInWords(counts)}; ${counted(restore.duplicatesCollapsed ?? 0, 'duplicate')} merged`,
  );
  if (restore.imported !== undefined) say(`   import jobs: ${restore.imported.made} of ${restore.imported.lines} made`);
  for (const warning of restore.warnings) say(`   ${warning}`);
  if (restore.error !== undefined) say(`   ${restore.error.code}: ${restore.error.message}`);

  await options.beforeProof?.();
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'drill' });
  const verdict: Verdict = await judgeDelivery(emulator, SECONDARY_HUB, primaryRows, liveRows, options.onMissed);
  say(
    `6  broadcast through the secondary: ${verdict.once} of ${verdict.expected} devices got it exactly once, ${verdict.never} never, ${verdict.moreThanOnce} more than once, ${verdict.unexpected} others got it`,
  );
  say(`   peak memory of the Functions host: ${await peakMegabytes(stack.host.pid)} MB`);

  const isPass =
    restore.status === 'Succeeded' &&
    verdict.once === verdict.expected &&
    verdict.never + verdict.moreThanOnce + verdict.unexpected === 0;
  return {
    devices: verdict.expected,
    snapshotRecords: second.result?.recordCount ?? 0,
    created: counts.created,
    unchanged: counts.unchanged,
    keptLive: counts.keptLive,
    failed: counts.failed,
    deliveredOnce: verdict.once,
    deliveredNever: verdict.never,
    deliveredMoreThanOnce: verdict.moreThanOnce,
    source: second.source ?? 'list',
    imported: restore.imported?.made ?? 0,
    backupSeconds: secondsOf(second),
    restoreSeconds: secondsOf(restore),
    verdict: isPass ? 'pass' : 'fail',
  };
}

/** Requests a second of a hub that is slow for that many devices, though not for minutes. */
export const slowFor = (devices: number): number => Math.max(50, devices / 5);

/** The id under which a rehearsal of this seed restores. */
export function restoreIdOf(seed: number): string {
  return `drill-${seed}`;
}

/** Fires the timer function as the schedule would, and waits for the run it starts. */
export async function backUp(stack: Stack, api: Api): Promise<RunView> {
  const known = new Set((await api.runs('backup')).map((run) => run.id));
  const deadlineAt = Date.now() + 120_000;
  for (;;) {
    // Fired until there is a run: a host that dies first has started none.
    await stack.host.fire('backup').catch((error: unknown) => {
      if (Date.now() > deadlineAt) throw error;
    });
    await sleep(300);
    const started = (await api.runs('backup')).find((run) => !known.has(run.id));
    if (started !== undefined) {
      const run = await api.finished('backup', started.id, { timeoutMs: 3_600_000 });
      if (run.status === 'Succeeded') return run;
      throw new Error(`The backup ${run.status}: ${run.error?.message}\n${stack.host.output().slice(-3000)}`);
    }
    if (Date.now() > deadlineAt) throw new Error(`The timer started no backup.\n${stack.host.output().slice(-3000)}`);
    await sleep(700);
  }
}

/** Devices that register before the restore: some new to both hubs, some in the snapshot, with other tags. */
async function goLive({ emulator }: Stack, amount: number, seed: number) {
  const answer = await emulator.admin('POST', `${SECONDARY_HUB}/go-live`, {
    from: 'primary/devices',
    add: amount,
    returning: amount,
    seed: seed + 2,
  });
  return liveSchema.parse(answer);
}

/** `2,000 devices = 2,033 records = 2,327 registrations, good, 1.2 s` */
export function describeBackup(run: RunView): string {
  const { amount, recordCount = 0, health = '' } = run.result ?? {};
  return `${amount ?? counted(recordCount, 'record')}, ${health}, ${secondsOf(run)} s`;
}

/** `Succeeded: 409 created`, and why not. */
export function describeRestore({ status, counts, error }: RunView): string {
  const outcome = `${status}: ${outcomesInWords(counts ?? {}) || 'no record'}`;
  return error === undefined ? outcome : `${outcome}; ${error.code}: ${error.message}`;
}

function secondsOf(run: RunView): number {
  if (run.finishedAt === undefined) return 0;
  return Math.round((Date.parse(run.finishedAt) - Date.parse(run.createdAt)) / 100) / 10;
}

/** As the kernel reports it; 0 on systems without `/proc`. */
export async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}
