import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../local/api.ts';
import { median, percentile } from './statistics.ts';

/** How long the status calls took while a restore ran. */
export interface StatusCost {
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const CALL_EVERY_MS = 500;

/** Asks for the readiness and for the run in turn, as a person's and a monitor's tools would, until stopped. */
export function watchStatus(api: Api, restoreId: string): { stop(): Promise<StatusCost> } {
  const durations: number[] = [];
  const stopping = new AbortController();
  const loop = (async () => {
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      const startedAt = performance.now();
      await api.call('GET', turn % 2 === 0 ? '/api/status' : `/api/restores/${restoreId}`);
      durations.push(performance.now() - startedAt);
      await sleep(CALL_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
      return { count: durations.length, medianMs: median(durations), p99Ms: percentile(durations, 0.99) };
    },
  };
}
