import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createApi, type RunView } from './api.ts';
import { judgeDelivery, readRows, type Verdict } from './delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack, startStack } from './stack.ts';

const help = `Rehearses a disaster end to end and proves that every device is reached.

  npm run drill -- [--devices N] [--seed S] [--json]

  --devices N   devices in the primary hub (default: 2000)
  --seed S      seed they are made from (default: 1)
  --host-node P the Node that runs the Functions host (default: this one)
  --json        the last line of stdout is one JSON object
  --verbose     the host's log on stderr, too
  --help

Exit codes: 0 every device got the message exactly once; 1 not so; 2 wrong options.
`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    'host-node': { type: 'string' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const liveSchema = z.object({ added: z.number(), returned: z.number() });

if (values.help) process.stdout.write(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const devices = whole('devices', 10);
  const seed = whole('seed', 0);
  say(`Disaster drill with ${devices} devices, seed ${seed}`);
  await using stack = await startStack({
    devices,
    seed,
    ...(values['host-node'] === undefined ? {} : { nodePath: values['host-node'] }),
    ...(values.verbose ? { onOutput: (text: string) => void process.stderr.write(text) } : {}),
    settings: {
      // Fired by hand below: the schedule itself stays out of the way.
      BACKUP_SCHEDULE: '0 0 0 1 1 *',
      SETTLE_SECONDS: '1',
    },
  });
  const report = await rehearse(stack, devices, seed);
  const isPass = report.verdict === 'pass';
  say(isPass ? 'PASS: every device got the message exactly once, and nobody else did.' : 'FAIL: see above.');
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return isPass ? 0 : 1;
}

async function rehearse(stack: Stack, devices: number, seed: number) {
  const { emulator } = stack;
  const api = createApi(() => stack.host);
  const changed = Math.max(1, Math.floor(devices / 50));

  const first = await backUp(stack);
  say(`1  first backup through the timer   ${describeBackup(first)}`);
  await emulator.admin('POST', `${PRIMARY_HUB}/churn`, {
    change: changed,
    remove: changed,
    add: changed,
    seed: seed + 1,
  });
  const second = await backUp(stack);
  say(`2  ${changed} changed, ${changed} removed, ${changed} added; second backup   ${describeBackup(second)}`);
  const primaryRows = await readRows(emulator, PRIMARY_HUB);

  const live = await goLive(stack, changed, seed);
  say(`3  ${live.added} new devices and ${live.returned} returning ones register in the secondary`);
  const liveRows = await readRows(emulator, SECONDARY_HUB);

  await emulator.admin('POST', '/namespaces/primary/down');
  say('4  the primary region fails: connections are refused');

  const started = await api.start('/api/restores');
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
    `5  restore ${restore.status}: ${counts.created} created, ${counts.updated} completed, ${counts.unchanged} unchanged, ${counts.keptLive} kept live, ${counts.failed} failed, ${restore.duplicatesCollapsed ?? 0} duplicate rows collapsed`,
  );
  if (restore.error !== undefined) say(`   ${restore.error.code}: ${restore.error.message}`);

  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'drill' });
  const verdict: Verdict = await judgeDelivery(emulator, SECONDARY_HUB, primaryRows, liveRows);
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
    backupSeconds: secondsOf(second),
    restoreSeconds: secondsOf(restore),
    verdict: isPass ? 'pass' : 'fail',
  };
}

/** Fires the timer function as the schedule would, and waits for the run it starts. */
async function backUp(stack: Stack): Promise<RunView> {
  const api = createApi(() => stack.host);
  const known = new Set((await api.runs('backup')).map((run) => run.id));
  await stack.host.fire('backup');
  const deadlineAt = Date.now() + 60_000;
  for (;;) {
    const started = (await api.runs('backup')).find((run) => !known.has(run.id));
    if (started !== undefined) {
      const run = await api.finished('backup', started.id, { timeoutMs: 3_600_000 });
      if (run.status === 'Succeeded') return run;
      throw new Error(`The backup ${run.status}: ${run.error?.message}\n${stack.host.output().slice(-3000)}`);
    }
    if (Date.now() > deadlineAt) throw new Error(`The timer started no backup.\n${stack.host.output().slice(-3000)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Devices that are faster than the restore: some new to both hubs, some the snapshot knows, with other tags. */
async function goLive({ emulator }: Stack, amount: number, seed: number) {
  const answer = await emulator.admin('POST', `${SECONDARY_HUB}/go-live`, {
    from: 'primary/devices',
    add: amount,
    returning: amount,
    seed: seed + 2,
  });
  return liveSchema.parse(answer);
}

function describeBackup(run: RunView): string {
  return `${run.result?.recordCount ?? 0} records, ${run.result?.registrationCount ?? 0} registrations, ${run.result?.health ?? ''}, ${secondsOf(run)} s`;
}

function secondsOf(run: RunView): number {
  if (run.finishedAt === undefined) return 0;
  return Math.round((Date.parse(run.finishedAt) - Date.parse(run.createdAt)) / 100) / 10;
}

/** From the kernel's own account of the process; 0 where there is none. */
async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}

/** With `--json` the readable proof goes to stderr, so that stdout is the object alone. */
function say(line: string): void {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
}

function whole(name: 'devices' | 'seed', least: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  process.stderr.write(`--${name} must be a whole number from ${least}.\n\n${help}`);
  process.exit(2);
}
