import { expect, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { SAVE_EVERY_MS } from '../../src/app/restore/apply/open-outcomes.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { DrError } from '../../src/core/errors.ts';
import type { RunKind } from '../../src/core/paths.ts';
import { isOver } from '../../src/core/run/run.ts';
import { beginRestore } from '../support/drive.ts';
import { pacedHub } from '../support/paced-hub.ts';
import { anAppleRow } from '../support/rows.ts';
import { openVirtualHosts, type VirtualHosts } from '../support/virtual-hosts.ts';

const PER_SECOND = 20;

async function untilOver({ clock }: VirtualHosts, app: App, kind: RunKind, id: string) {
  const endAt = clock.now() + 60 * 60_000;
  for (;;) {
    const run = await clock.advanceUntil(findRun(app, kind, id));
    if (isOver(run)) return run;
    if (clock.now() > endAt) throw new Error(`${kind} ${id} hangs in ${run.phase.name}`);
    await clock.advance(1000);
  }
}

test.each([
  [30, 8000],
  [180, 8000],
  [30, 60_000],
  [180, 60_000],
])('storage that is away for %i s, each call for %i ms, while two hosts write a restore', async (seconds, callMs) => {
  const hosts = openVirtualHosts({ toTarget: (hub, clock) => pacedHub(hub, { clock, perSecond: PER_SECOND }) });
  const { clock, primary, secondary, start } = hosts;
  for (let index = 0; index < 2000; index++) {
    const id = `${index}-5-1`;
    primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
  let awayUntil = 0;
  const running = [start(), start()];
  for (const { app } of running) {
    for (const part of [app.blobs, app.queue]) {
      for (const [name, call] of Object.entries(part)) {
        Object.assign(part, {
          [name]: async (...args: unknown[]) => {
            const leftMs = awayUntil - clock.now();
            if (leftMs > 0) {
              await app.world.sleep(Math.min(leftMs, callMs));
              if (leftMs >= callMs) throw new DrError('StorageUnavailable', `${name} away`, { retryable: true });
            }
            return call(...args);
          },
        });
      }
    }
  }
  const [first] = running;
  if (first === undefined) throw new Error('no host');
  const { app } = first;
  const { id: backup } = await clock.advanceUntil(startBackup(app, 'timer'));
  await untilOver(hosts, app, 'backup', backup);
  const id = await clock.advanceUntil(beginRestore(app));
  while (secondary.rows.size < 300) await clock.advance(250);
  awayUntil = clock.now() + seconds * 1000;
  await clock.advance(seconds * 1000);
  const written = secondary.rows.size;
  let quietMs = 0;
  while (secondary.rows.size === written) {
    await clock.advance(250);
    quietMs += 250;
  }
  const run = await untilOver(hosts, app, 'restore', id);
  expect(run).toMatchObject({ status: 'Succeeded' });
  expect(quietMs).toBeLessThanOrEqual(45_000);
  // Nothing is saved of what was written last: between two saves, and until the next one fails.
  const lastSeconds = SAVE_EVERY_MS / 1000 + callMs / 1000;
  expect(secondary.writes.length).toBeLessThanOrEqual(2000 + PER_SECOND * Math.min(20, lastSeconds));
});
