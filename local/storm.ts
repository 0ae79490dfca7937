import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Random } from './emulator/random.ts';
import type { SpawnedHost } from './host/spawn-host.ts';
import type { ProxyRule } from './proxy-rules.ts';
import { SECONDARY_HUB, type Stack } from './stack.ts';
import { type StorageFaultName, storageFault, storageFaultNames } from './storage-proxy.ts';

export interface Storm {
  /** Ends the storm: no more kills, one host, no more faults. May be called twice. */
  end(): Promise<void>;
  counts(): { readonly kills: number; readonly faultsInjected: Readonly<Record<string, number>> };
}

/** Share of requests that meet each of these. */
const SHARE = 0.005;
const everywhere = ['busy503', 'reset-before', 'reset-after'];
/** A few of each: random throttling looks like a very low limit, to which the worker rightly slows down. */
const throttles = ['throttle429', 'throttle429-silent', 'throttle403', 'throttle409'];
/** Rare: each costs a timeout or a listing from the start, which no test needs more than once. */
const listingFaults = ['truncated-page', 'expired-token', 'repeated-token', 'empty-page', 'repeated-rows'];
const writeFaults = ['gone410'];

/**
 * Share of the storage requests that meet each; most apply to few kinds of requests. After a lost race a step waits a
 * minute and a half for the watchdog to requeue it, and a hang lasts a minute: one of each is enough.
 */
const storageShares: Readonly<Record<StorageFaultName, Pick<ProxyRule, 'probability' | 'times'>>> = {
  'storage-lost-race': { probability: 0.02, times: 1 },
  'storage-hang': { probability: 0.005, times: 1 },
  'storage-own-conflict': { probability: 0.05 },
  'storage-vanished': { probability: 0.1 },
  'storage-flipped': { probability: 0.02 },
  'storage-flipped-write': { probability: 0.02 },
  'storage-cut-off': { probability: 0.02 },
  'storage-503': { probability: SHARE },
  'storage-500': { probability: SHARE },
  'storage-500-after': { probability: SHARE },
  'storage-reset-before': { probability: SHARE },
  'storage-reset-after': { probability: SHARE },
};

const faultsSchema = z.array(z.object({ rule: z.object({ name: z.string() }), injectedCount: z.number() }));

/** Random faults from both hubs and storage, and a host killed every few seconds, until `end`. */
export async function startStorm(stack: Stack, chance: Random): Promise<Storm> {
  const faultsInjected: Record<string, number> = {};
  const note = (name: string, count: number): void => {
    faultsInjected[name] = (faultsInjected[name] ?? 0) + count;
  };
  await spoilHubs(stack, chance);
  stack.storage?.rules.set(storageRules(chance));
  const killing = startKilling(stack, chance);
  const end = async (): Promise<void> => {
    await killing.end();
    for (const [name, count] of await calmHubs(stack)) note(name, count);
    for (const [name, count] of Object.entries(stack.storage?.rules.counts() ?? {})) note(name, count);
    stack.storage?.rules.set([]);
  };
  let ended: Promise<void> | undefined;
  return {
    end() {
      ended ??= end();
      return ended;
    },
    counts: () => ({ kills: killing.count(), faultsInjected }),
  };
}

async function spoilHubs({ emulator }: Stack, chance: Random): Promise<void> {
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
  // Where it is unknown how the service behaves, each storm picks one way.
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, {
    acceptForeignIds: chance() < 0.5,
    noOpPutTrap: chance() < 0.5,
    installationDelayMs: Math.floor(chance() * 1000),
    generation: chance() < 0.5 ? 2022 : 2024,
  });
}

/** Clears the faults of the hubs and counts how often each was injected. */
async function calmHubs({ emulator }: Stack): Promise<[string, number][]> {
  const met: [string, number][] = [];
  for (const namespace of ['primary', 'secondary']) {
    const faults = faultsSchema.parse(await emulator.admin('GET', `/namespaces/${namespace}/faults`));
    met.push(...faults.map(({ rule, injectedCount }): [string, number] => [rule.name, injectedCount]));
    await emulator.admin('POST', `/namespaces/${namespace}/faults`, []);
  }
  return met;
}

function storageRules(chance: Random): ProxyRule[] {
  const seed = (): number => Math.floor(chance() * 1_000_000);
  return storageFaultNames.flatMap((name) => storageFault(name, { ...storageShares[name], seed: seed() }));
}

/**
 * Every few seconds a host ends. One in three is asked to stop and may finish its work; the others are killed. Half of
 * the time the next one starts before the old one ends, so that two share the queue for a while, as in a deployment or
 * when the platform scales.
 */
function startKilling(stack: Stack, chance: Random) {
  let kills = 0;
  let isOver = false;
  const die = async (host: SpawnedHost): Promise<void> => {
    if (chance() < 1 / 3) await host.stop();
    else await host.kill();
    kills += 1;
  };
  const killing = (async () => {
    while (!isOver) {
      await sleep(4000 + chance() * 6000);
      if (isOver) return;
      const old = stack.host;
      if (chance() < 0.5) {
        await die(old);
        await stack.startHost();
      } else {
        await stack.startHost();
        await sleep(1000 + chance() * 4000);
        await die(old);
      }
    }
  })();
  return {
    count: () => kills,
    async end() {
      isOver = true;
      await killing;
    },
  };
}
