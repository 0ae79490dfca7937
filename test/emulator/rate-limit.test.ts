import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Bucket, takeToken } from '../../local/emulator/token-bucket.ts';
import { type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { caller } from './hub-caller.ts';

it('never takes more in any span than the burst and what flowed in meanwhile', () => {
  const pauses = fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { maxLength: 80 });
  const rate = fc.double({ min: 0.1, max: 50, noNaN: true });
  fc.assert(
    fc.property(pauses, rate, fc.integer({ min: 1, max: 20 }), (gaps, requestsPerSecond, burst) => {
      const taken: number[] = [];
      let bucket: Bucket | undefined;
      let nowMs = 0;
      for (const gap of gaps) {
        nowMs += gap;
        const step = takeToken(bucket, { requestsPerSecond, burst }, nowMs);
        bucket = step.bucket;
        if (step.waitMs === 0) taken.push(nowMs);
      }
      taken.forEach((from, first) => {
        taken.slice(first).forEach((to, more) => {
          expect(more + 1).toBeLessThanOrEqual(burst + ((to - from) / 1000) * requestsPerSecond + 1e-6);
        });
      });
    }),
  );
});

it('takes the next one after the time it said', () => {
  const limit = { requestsPerSecond: 4, burst: 2 };
  let { bucket, waitMs } = takeToken(undefined, limit, 1000);
  const waits = [waitMs];
  for (const at of [1000, 1000, 1100, 1250, 1250]) {
    ({ bucket, waitMs } = takeToken(bucket, limit, at));
    waits.push(Math.round(waitMs));
  }
  expect(waits).toEqual([0, 0, 250, 150, 0, 250]);
});

it('answers 429 beyond the rate, says when to come again, and counts it', async () => {
  const { answers, hub } = await callAll({ requestsPerSecond: 0.01, burst: 5 }, 20);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(15);
  for (const { retryAfter } of refused) {
    expect(Number(retryAfter)).toBeGreaterThan(60);
    expect(Number(retryAfter)).toBeLessThanOrEqual(100);
  }
  expect(hub).toMatchObject({
    throttled: 15,
    requestCounts: [
      { status: 200, count: 5 },
      { status: 429, count: 15 },
    ],
  });
});

it('can leave out when to come again', async () => {
  const { answers } = await callAll({ requestsPerSecond: 0.01, burst: 1, throttleSilently: true }, 3);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
  expect(answers.map(({ retryAfter }) => retryAfter)).toEqual([null, null, null]);
});

it('takes everything when there is no rate', async () => {
  const { answers, hub } = await callAll({ requestsPerSecond: 0, burst: 1 }, 30);
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(hub.throttled).toBe(0);
});

it('keeps its own rate for each hub, and forgets refusals when the counts are cleared', async () => {
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['a', 'b'] }] });
  const call = caller(emulator.namespace('n'));
  const hub = emulator.hub('n', 'a');
  hub.switches({ requestsPerSecond: 0.01, burst: 1 });
  const statuses = [];
  for (const name of ['a', 'a', 'b', 'b']) statuses.push((await call('GET', `${name}/registrations`)).status);
  expect(statuses).toEqual([200, 429, 200, 200]);
  expect(hub.stats().throttled).toBe(1);
  hub.clearRequestCounts();
  expect(hub.stats().throttled).toBe(0);
});

async function callAll(switches: Partial<HubSwitches>, count: number) {
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }] });
  const call = caller(emulator.namespace('n'));
  const all = await Promise.all(Array.from({ length: count }, () => call('GET', 'h/registrations')));
  const answers = all.map(({ status, headers }) => ({ status, retryAfter: headers.get('retry-after') }));
  return { answers, hub: emulator.hub('n', 'h').stats() };
}
