import { createApi } from './api.ts';
import { explain } from './autopsy.ts';
import type { MissedDevice } from './delivery.ts';
import { seededRandom } from './emulator/random.ts';
import { readOptions, wholeNumber } from './options.ts';
import { type DrillReport, rehearse, restoreIdOf } from './rehearsal.ts';
import { watchRestore } from './run-watch.ts';
import { quickRecovery, startStack } from './stack.ts';
import { startStorm } from './storm.ts';

const help = `Runs the disaster drill, on a night when a backup is in flight and the secondary is slow, while hosts are killed and hubs and storage misbehave. Proves that every device is reached.

  npm run chaos -- [options]

  --devices N   devices in the primary hub (default: 2000)
  --seed S      seed of the devices and of the storm (default: 1)
  --minutes M   continues with the next seeds until M minutes have passed (default: one seed)
  --json        the last line of stdout is one JSON object, of the last seed or the first that failed
  --verbose     the host's log on stderr, too
  --help

Exit codes: 0 every device got the message exactly once; 1 some did not; 2 wrong options.
`;

const values = readOptions(help, {
  devices: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  minutes: { type: 'string', default: '0' },
  json: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const devices = wholeNumber(help, 'devices', values.devices, 10);
  const endAt = Date.now() + wholeNumber(help, 'minutes', values.minutes, 0) * 60_000;
  let seed = wholeNumber(help, 'seed', values.seed, 0);
  for (;;) {
    const report = await weather(devices, seed);
    const isLast = report.verdict === 'fail' || Date.now() >= endAt;
    if (isLast && values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    if (isLast) return report.verdict === 'pass' ? 0 : 1;
    seed += 1;
  }
}

/** One drill in one storm. */
async function weather(devices: number, seed: number) {
  say(`Chaos with ${devices} devices, seed ${seed}`);
  const warnings: string[] = [];
  await using stack = await startStack({
    devices,
    seed,
    hasStorageProxy: true,
    ...quickRecovery,
    settings: {
      BACKUP_SCHEDULE: '0 0 0 1 1 *',
      SETTLE_SECONDS: '1',
      STEP_BUDGET_SECONDS: '5',
      WATCHDOG_SCHEDULE: '*/10 * * * * *',
    },
    onOutput: (text) => {
      if (values.verbose) process.stderr.write(text);
      warnings.push(...text.split('\n').filter((line) => /\b(warn|warning|error)\b/i.test(line)));
    },
  });
  const storm = await startStorm(stack, seededRandom(seed));
  const watch = watchRestore(() => createApi(() => stack.host).call('GET', `/api/restores/${restoreIdOf(seed)}`));
  const missed: MissedDevice[] = [];
  const calm = async (): Promise<void> => {
    await storm.end();
    await watch.stop();
  };
  let report: DrillReport | undefined;
  let error: Error | undefined;
  try {
    const onMissed = (device: MissedDevice): void => void missed.push(device);
    report = await rehearse(stack, {
      ...{ devices, seed, say, onMissed },
      isWorstNight: true,
      patienceMs: 60_000,
      beforeProof: calm,
    });
  } catch (thrown) {
    // An aborted drill is a result, too, and explained below.
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  await calm();
  const { faultsInjected, kills } = storm.counts();
  const faults = Object.entries(faultsInjected).map(([name, count]) => `${count} ${name}`);
  say(`   storm: ${kills} kills of a host, faults answered: ${faults.join(', ') || 'none'}`);
  say(`   status of the restore: ${watch.answerCount} answers, ${watch.violations.length} kinds of wrong answers`);
  const isPass = report?.verdict === 'pass' && watch.violations.length === 0;
  if (!isPass) await explain(stack, seed, { error, missed, violations: watch.violations, warnings }, say);
  say(isPass ? 'PASS' : 'FAIL');
  return {
    seed,
    faultsInjected,
    kills,
    devices: report?.devices ?? devices,
    deliveredOnce: report?.deliveredOnce ?? 0,
    deliveredNever: report?.deliveredNever ?? devices,
    deliveredMoreThanOnce: report?.deliveredMoreThanOnce ?? 0,
    verdict: isPass ? ('pass' as const) : ('fail' as const),
  };
}

function say(line: string): void {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
}
