import { expect, test } from 'vitest';
import type { HubSwitches } from '../../local/hub-lab/index.ts';
import type { Policy } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { viewBackup } from '../../src/app/backup/view.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { readManifest } from '../../src/app/snapshots/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { createJobFiles } from '../../src/azure/job-files.ts';

import { DrError } from '../../src/core/errors.ts';
import type { HubJobs } from '../../src/core/ports.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { createHub } from '../../src/hub/client.ts';
import { createEngine } from '../support/engine.ts';
import { createHubClock, openHubWithJobs } from '../support/hub-with-jobs.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const DEVICES = 150;
let account: ReturnType<typeof openStorageAccount> | undefined;

interface Options {
  readonly switches?: Partial<HubSwitches>;
  readonly tier?: 'Basic';
  readonly policy?: Partial<Policy>;
  /** Puts something between the app and the jobs. */
  readonly jobs?: (jobs: HubJobs) => HubJobs;
}

/** The engine in virtual time, over a hub of the emulator in the same time, and storage in real time. */
async function open({ switches = {}, tier, policy, jobs: wrapJobs = (one) => one }: Options = {}) {
  account ??= openStorageAccount();
  const clock = createHubClock();
  const { emulator, hub, client, connection, options, jobs } = await openHubWithJobs(clock, { switches, tier });
  hub.seed({ devices: DEVICES, seed: 4, now: clock.now() });
  const files = createJobFiles({ connection: { kind: 'connectionString', value: account.connectionString } });
  const engine = createEngine({
    policy: { backupSource: 'export', ...policy },
    wrap: () => ({ primary: createHub(options), exports: { jobsOf: () => wrapJobs(jobs), files } }),
    refs: { primary: connection.ref, secondary: { namespace: 'three', hub: 'devices' } },
  });
  const { app } = engine;
  clock.now = () => app.world.now();
  const backUp = async () => {
    const run = await startBackup(app, 'http');
    await engine.drain();
    const ended = await findRun(app, 'backup', run.id);
    const manifest = await readManifest(app, connection.ref, run.id);
    return { run: ended, manifest, shards: manifest?.shards.map(({ sha256 }) => sha256) };
  };
  const jobCount = async () => (await client.listNotificationHubJobs()).length;
  return { engine, app, hub, files, backUp, jobCount, [Symbol.asyncDispose]: () => emulator.close() };
}

test.each<[string, Partial<HubSwitches>]>([
  ['as documented', {}],
  ['in each kind’s own form, with other line ends', { exportRoot: 'own', exportLineEnd: 'crlf' }],
  [
    'in both forms, on one line, after a byte order mark',
    { exportRoot: 'mixed', exportLineEnd: 'none', exportByteOrderMark: true },
  ],
  ['one slash in its path', { jobPaths: 'one-slash' }],
  [
    'without a word of where it is, and another prefix',
    { jobPaths: 'not-stated', jobPropertyPrefix: 'x', jobStatusAtFirst: true },
  ],
])('a backup from an export is the one a listing makes: %s', async (_, switches) => {
  await using rig = await open({ switches });
  const byExport = await rig.backUp();
  expect(byExport.run).toMatchObject({ status: 'Succeeded', isExport: true, warnings: [] });
  expect(await viewBackup(rig.app, byExport.run)).toMatchObject({ source: 'export' });
  const byListing = await open({ switches, policy: { backupSource: 'list' } });
  await using listed = byListing;
  const { run, shards, manifest } = await listed.backUp();
  expect([run.isExport, await listed.jobCount()]).toEqual([undefined, 0]);
  expect(manifest?.counts).toEqual(byExport.manifest?.counts);
  expect(byExport.shards).toEqual(shards);
  // Nothing is left where the job wrote.
  expect(await rig.files.find(`dr-export-${byExport.run.id.toLowerCase()}`, 'Output.txt').catch(() => undefined)).toBe(
    undefined,
  );
});

test('template bodies on one line are the same rows in another spelling', async () => {
  await using rig = await open({ switches: { exportBodies: 'text' } });
  const { run, manifest } = await rig.backUp();
  expect(run).toMatchObject({ isExport: true, result: { health: 'good' } });
  expect(manifest?.counts.registrations).toBe([...rig.hub.registrations()].length);
});

test.each<[string, Options, RegExp]>([
  ['is stuck', { switches: { jobOutcome: 'stuck' } }, /stayed at 0 % for 15 minutes/],
  ['fails', { switches: { jobOutcome: 'fails' } }, /its job failed/],
  ['has done nothing', { switches: { jobOutcome: 'does-nothing' } }, /holds no registration/],
  ['ends in the middle of a row', { switches: { exportCutShort: true } }, /ends in the middle/],
  ['is not to be had in this tier', { tier: 'Basic' }, /forbids the call \(403\)/],
  [
    'is not answered for',
    { jobs: (jobs) => ({ ...jobs, look: async () => Promise.reject(away()) }) },
    /does not answer/,
  ],
])('when the export %s, the hub is listed in the same run, which says so', async (_, options, why) => {
  await using rig = await open(options);
  const { run, manifest } = await rig.backUp();
  expect(run).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
  expect(run.warnings).toEqual([expect.stringMatching(why)]);
  expect(run.warnings[0]).toMatch(/The hub was listed instead\.$/);
  expect([run.isExport, manifest?.counts.registrations]).toEqual([undefined, [...rig.hub.registrations()].length]);
});

test('an export with far fewer rows than the last good snapshot is not believed', async () => {
  await using rig = await open();
  await rig.backUp();
  rig.hub.switches({ exportLossShare: 0.4 });
  const { run } = await rig.backUp();
  expect(run.warnings).toEqual([expect.stringMatching(/holds \d+ registrations, and the last good snapshot \d+/)]);
  expect(run.result).toMatchObject({ health: 'good', registrationCount: [...rig.hub.registrations()].length });
});

test('a hub that is small is listed by `auto`', async () => {
  await using rig = await open({ policy: { backupSource: 'auto' } });
  await rig.backUp();
  expect((await rig.backUp()).run).toMatchObject({ status: 'Succeeded', warnings: [] });
  expect(await rig.jobCount()).toBe(0);
});

test('a step that dies after it has submitted a job is followed by one that finds it', async () => {
  let deaths = 0;
  await using rig = await open({
    jobs: (jobs) => ({
      ...jobs,
      submit: async (...call) => {
        await jobs.submit(...call);
        deaths += 1;
        throw new Error('the process ends');
      },
    }),
  });
  await startBackup(rig.app, 'http');
  const [text = ''] = rig.engine.queue.take();
  await expect(runStep(rig.app, parseStep(JSON.parse(text)))).rejects.toThrow('the process ends');
  await rig.engine.queue.putBack([text], 0);
  await rig.engine.drain();
  expect([deaths, await rig.jobCount()]).toEqual([1, 1]);
  const runs = await rig.app.blobs.list('');
  expect(runs.some(({ name }) => name.endsWith('manifest.json'))).toBe(true);
});

function away() {
  return new DrError('HubUnavailable', 'The hub does not answer.', { retryable: true });
}
