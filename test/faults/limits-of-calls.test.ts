import { expect, test } from 'vitest';
import type { FaultInput } from '../../local/hub-lab/index.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { codeOf } from '../support/drive.ts';
import { type HubRig, openHubRig } from './hub-rig.ts';

const hangs: FaultInput = 'half-open';
const refuses: FaultInput = 'busy503';
const drips: FaultInput = { name: 'drops', slowBytes: 1, delayMs: 50 };
const isSlow: FaultInput = { name: 'slow', delayMs: 2000 };

/** A rig with a snapshot, both of whose hubs behave so from then on. */
async function aRig(fault: FaultInput | 'down'): Promise<HubRig> {
  const rig = await openHubRig({ devices: 20 });
  await rig.backUp();
  // The review at the backup's end has probed both hubs.
  rig.engine.app.memory.probes.clear();
  for (const name of ['primary', 'secondary']) {
    const namespace = rig.emulator.namespace(name);
    if (fault === 'down') await namespace.down();
    else namespace.setFaults([fault]);
  }
  return rig;
}

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const beganAt = performance.now();
  await work;
  return (performance.now() - beganAt) / 1000;
}

test.concurrent.each([
  ['hang', hangs, 'HubUnavailable'],
  ['send bytes one by one', drips, undefined],
  ['answer 503', refuses, 'HubUnavailable'],
  ['take no connection', 'down', 'HubUnavailable'],
  ['need two seconds an answer', isSlow, 'none'],
] as const)(
  'while both hubs %s, the status takes four seconds at most and the start of a restore eleven',
  async (_, fault, code) => {
    await using rig = await aRig(fault);
    const { app } = rig.engine;
    expect(await secondsOf(readStatus(app))).toBeLessThan(4);
    const start = codeOf(startRestore(app, parseRestoreRequest('')));
    expect(await secondsOf(start)).toBeLessThan(11);
    // A hub that drips its first answer in time is there.
    if (code !== undefined) expect(await start).toBe(code);
  },
);

test('a target that throttles is there: the restore starts, with a warning that its tier is not known', async () => {
  await using rig = await openHubRig({ devices: 20 });
  await rig.backUp();
  const { app } = rig.engine;
  rig.emulator.namespace('secondary').setFaults([{ name: 'throttle429', retryAfterSeconds: 30 }]);
  const { run } = await startRestore(app, parseRestoreRequest(''));
  expect(run.warnings).toContain('The tier of the target is not known, so its device limit was not checked.');
});
