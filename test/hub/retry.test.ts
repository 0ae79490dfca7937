import { describe, expect, test } from 'vitest';
import { type Attempt, retry } from '../../src/hub/transport/retry.ts';
import { createFakeClock } from '../support/fake-clock.ts';

function script(...attempts: readonly Attempt<string>[]) {
  const left = [...attempts];
  const clock = createFakeClock({ isAutomatic: true });
  const startAt = clock.now();
  const waits: number[] = [];
  const sleep = (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    return clock.sleep(milliseconds);
  };
  const attempt = async (): Promise<Attempt<string>> => left.shift() ?? { kind: 'again', seen: 'status 500' };
  const run = async (options: { random?: number; patienceMs?: number } = {}): Promise<string> =>
    retry(await attempt(), attempt, {
      where: 'hub a/b',
      deadlineAt: startAt + (options.patienceMs ?? 60_000),
      clock: { now: clock.now, sleep },
      random: () => options.random ?? 1,
    });
  return { run, waits, elapsedMs: () => clock.now() - startAt };
}

const done: Attempt<string> = { kind: 'done', value: 'answer' };
const again: Attempt<string> = { kind: 'again', seen: 'status 503' };

describe('retry', () => {
  test('answers at once what needs no second try', async () => {
    const { run, waits } = script(done);
    expect(await run()).toBe('answer');
    expect(waits).toEqual([]);
  });

  test('backs off further each time, up to two seconds', async () => {
    const { run, waits } = script(...Array.from({ length: 6 }, () => again), done);
    expect(await run({ patienceMs: 600_000 })).toBe('answer');
    expect(waits).toEqual([200, 400, 800, 1600, 2000, 2000]);
  });

  test('gives up an outage after eight seconds, counted from when its first attempt was sent', async () => {
    const { run, elapsedMs } = script();
    await expect(run({ patienceMs: 600_000 })).rejects.toMatchObject({ code: 'HubUnavailable', seen: 'status 500' });
    expect(elapsedMs()).toBeGreaterThan(6000);
    expect(elapsedMs()).toBeLessThan(8000);
    const hung = script({ kind: 'again', seen: 'UND_ERR_HEADERS_TIMEOUT', sentAt: -Infinity });
    await expect(hung.run()).rejects.toMatchObject({ seen: 'UND_ERR_HEADERS_TIMEOUT' });
    expect(hung.waits).toEqual([]);
  });

  test('throttling is no outage, and ends one', async () => {
    const throttled: Attempt<string> = { kind: 'again', waitMs: 5000, isThrottled: true, hasNoEffect: true };
    const hub = [again, again, again, again, throttled, throttled, again, again, again, again, done];
    expect(await script(...hub).run()).toBe('answer');
  });

  test('does not wait for a time that the hub names beyond that, and says which', async () => {
    const { run, waits } = script({ ...again, waitMs: 600_000 }, done);
    await expect(run({ patienceMs: 900_000 })).rejects.toMatchObject({ retryAfterMs: 600_000 });
    expect(waits).toEqual([]);
  });

  test('draws every wait at random from nothing to its most', async () => {
    const { run, waits } = script(again, again, done);
    await run({ random: 0.25 });
    expect(waits).toEqual([50, 100]);
  });

  test('waits as long as the hub asked, and not at all where the limiter sees to it', async () => {
    const { run, waits } = script({ ...again, waitMs: 7000 }, { ...again, waitMs: 0 }, done);
    expect(await run()).toBe('answer');
    expect(waits).toEqual([7000]);
  });

  test('gives up rather than wait past the deadline, naming what was seen last', async () => {
    const { run, elapsedMs } = script();
    await expect(run({ patienceMs: 2000 })).rejects.toMatchObject({
      code: 'HubUnavailable',
      retryable: true,
      target: 'hub a/b',
      message: 'The hub a/b did not serve the call in time; last seen: status 500.',
    });
    expect(elapsedMs()).toBeLessThan(2000);
  });

  test('says that the call had no effect only when no attempt may have had one', async () => {
    const unsent: Attempt<string> = { kind: 'again', waitMs: Number.POSITIVE_INFINITY, hasNoEffect: true };
    const throttled: Attempt<string> = { kind: 'again', waitMs: 0, hasNoEffect: true };
    await expect(script(unsent).run()).rejects.toMatchObject({ hasNoEffect: true });
    await expect(script(throttled, unsent).run()).rejects.toMatchObject({ hasNoEffect: true });
    await expect(script(again, unsent).run()).rejects.toMatchObject({ hasNoEffect: false });
  });

  test('gives up at once when no turn will come, naming what was seen before', async () => {
    const { run, waits } = script(again, { kind: 'again', waitMs: Number.POSITIVE_INFINITY });
    await expect(run()).rejects.toMatchObject({ message: expect.stringContaining('status 503') });
    expect(waits).toEqual([200]);
  });

  test('passes on what is not a matter of trying again', async () => {
    const { waits } = script();
    const clock = createFakeClock({ isAutomatic: true });
    const broken = retry(again, () => Promise.reject(new Error('broken')), {
      where: 'x',
      deadlineAt: clock.now() + 1000,
      clock,
      random: () => 1,
    });
    await expect(broken).rejects.toThrow('broken');
    expect(waits).toEqual([]);
  });
});
