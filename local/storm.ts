import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Random } from './emulator/random.ts';
import type { Stack } from './stack.ts';

export interface Storm {
  /** Ends it: no more kills, the hubs behave again. */
  end(): Promise<void>;
  counts(): { readonly kills: number; readonly faultsInjected: Readonly<Record<string, number>> };
}

/** Share of requests that meet each of these. */
const SHARE = 0.005;
const everywhere = ['busy503', 'reset-before', 'reset-after'];
/** A few of each: throttling at random would read as a very low limit, to which the worker rightly slows down. */
const throttles = ['throttle429', 'throttle429-silent', 'throttle403', 'throttle409'];
/** Rare ones: each costs a time-out or a listing from the start, which no test needs more than once. */
const listingFaults = ['truncated-page', 'expired-token', 'repeated-token', 'empty-page', 'repeated-rows'];
const writeFaults = ['gone410'];

const faultsSchema = z.array(z.object({ rule: z.object({ name: z.string() }), injectedCount: z.number() }));

/** Faults from both hubs by chance, and hosts killed every few seconds, from now until `end`. */
export async function startStorm(stack: Stack, chance: Random): Promise<Storm> {
  const { emulator } = stack;
  const seed = (): number => Math.floor(chance() * 1_000_000);
  const often = (name: string) => ({ name, probability: SHARE, seed: seed() });
  const once = (name: string) => ({ name, probability: 0.05, times: 1, seed: seed() });
  const few = (name: string) => ({ name, probability: SHARE, times: 3, seed: seed() });
  await emulator.admin('POST', '/namespaces/primary/faults', [
    ...everywhere.map(often),
    ...throttles.map(few),
    ...listingFaults.map(once),
  ]);
  await emulator.admin('POST', '/namespaces/secondary/faults', [
    ...[...everywhere, ...writeFaults].map(often),
    ...throttles.map(few),
    ...listingFaults.map(once),
  ]);
  const faultsInjected: Record<string, number> = {};
  let kills = 0;
  let isOver = false;

  const killing = (async () => {
    while (!isOver) {
      await sleep(4000 + chance() * 6000);
      if (isOver) return;
      const host = stack.host;
      // One in three is asked to stop and may finish what it does; the others are gone at once.
      if (chance() < 1 / 3) await host.stop();
      else await host.kill();
      kills += 1;
      await stack.startHost();
    }
  })();

  return {
    async end() {
      isOver = true;
      await killing;
      for (const namespace of ['primary', 'secondary']) {
        for (const { rule, injectedCount } of faultsSchema.parse(
          await emulator.admin('GET', `/namespaces/${namespace}/faults`),
        )) {
          faultsInjected[rule.name] = (faultsInjected[rule.name] ?? 0) + injectedCount;
        }
        await emulator.admin('POST', `/namespaces/${namespace}/faults`, []);
      }
    },
    counts: () => ({ kills, faultsInjected }),
  };
}
