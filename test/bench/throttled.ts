import { z } from 'zod';
import { SECONDARY_HUB, startStack } from '../../local/stack.ts';
import { backUp, countLost, type Delivery, type RestoreTimes, restore } from './stack-restore.ts';
import { printRuns, runTool, stackCommand, wholeNumber } from './tool.ts';

export interface ThrottledOptions {
  readonly devices: number;
  readonly seed: number;
  /** Requests a second the target takes, as a token bucket. */
  readonly rate: number;
  readonly burst: number;
  /** Refusals without `Retry-After`. */
  readonly silent: boolean;
  /** Milliseconds added to every answer of the target. */
  readonly latency: number;
}

/** One restore into a hub that limits its writes. */
export interface ThrottledRun extends RestoreTimes, Delivery {
  /** Accepted writes of the first pass: each costs the hub one token. */
  readonly writes: number;
  /** Writes by the rate allowed. */
  readonly floorSeconds: number;
  /** The rest of the same restore: reading the target before and after, sorting, settling, comparing. */
  readonly otherSeconds: number;
  /** Writing by the floor. */
  readonly writingRatio: number;
  /** The whole restore by the floor and that rest. */
  readonly ratio: number;
  readonly refusedShare: number;
}

const statsSchema = z.object({
  throttled: z.number(),
  requestCounts: z.array(z.object({ method: z.string(), status: z.number(), count: z.number() })),
});

/**
 * A backup, then a restore into a limited hub. The bucket counts every call; in the first pass of writing all of them are
 * writes, so that the floor is writes by rate. Pages listed before and after are in the rest of the restore.
 */
export async function measureThrottled(options: ThrottledOptions): Promise<ThrottledRun> {
  const { devices, seed, rate, burst, silent, latency } = options;
  // The schedule must not interfere.
  await using stack = await startStack({ devices, seed, settings: { BACKUP_SCHEDULE: '0 0 0 1 1 *' } });
  const { emulator } = stack;
  await backUp(stack);
  await emulator.admin('POST', '/namespaces/secondary/latency', { latencyMs: latency });
  const limit = { requestsPerSecond: rate, burst, throttleSilently: silent };
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, limit);
  const times = await restore(stack);
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { requestsPerSecond: 0 });
  const stats = await fetch(`${emulator.adminUrl}${SECONDARY_HUB}/stats`);
  const { throttled, requestCounts } = statsSchema.parse(await stats.json());
  const sum = (counts: typeof requestCounts) => counts.reduce((sofar, { count }) => sofar + count, 0);
  const writes = sum(requestCounts.filter(({ method, status }) => method !== 'GET' && status < 300));
  const floorSeconds = writes / rate;
  const otherSeconds = times.seconds - times.writingSeconds;
  return {
    ...times,
    ...{ writes, floorSeconds, otherSeconds },
    writingRatio: times.writingSeconds / floorSeconds,
    ratio: times.seconds / (floorSeconds + otherSeconds),
    refusedShare: throttled / sum(requestCounts),
    ...(await countLost(stack)),
  };
}

function describe(run: ThrottledRun): string {
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  return `${run.status}: ${run.writes} writes, at least ${seconds(run.floorSeconds)} at this rate (pages listed are not in it)
  writing, the first pass:       ${seconds(run.writingSeconds)}, ${run.writingRatio.toFixed(3)} of the floor
  the rest of the restore:       ${seconds(run.otherSeconds)} (reading, comparing, settling, verifying)
  whole by floor and that rest:  ${run.ratio.toFixed(3)}
  refused: ${(100 * run.refusedShare).toFixed(2)} % of all requests; seconds lost to throttling: ${run.secondsLostToThrottling}
  devices: ${run.devicesExpected} expected, ${run.devicesLost} lost, ${run.devicesTwice} reached twice`;
}

if (import.meta.main) {
  await runTool(async () => {
    const options = stackCommand(
      'throttled.ts',
      'Restores into a hub with a rate limit, and compares with its least time.',
    )
      .option('--rate <n>', 'requests a second the target takes', wholeNumber, 500)
      .option('--burst <n>', "what it takes at once after a pause: a fifth of a second's worth", wholeNumber, 100)
      .option('--silent', 'it refuses without Retry-After', false)
      .option('--latency <ms>', 'added to every answer of the target', wholeNumber, 0)
      .parse()
      .opts();
    await printRuns(
      options,
      () => measureThrottled(options),
      describe,
      (run) => run.devicesLost + run.devicesTwice === 0,
    );
  });
}
