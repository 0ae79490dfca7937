import { expect, test } from 'vitest';
import type { HubSwitches } from '../../local/hub-lab/index.ts';
import type { Policy } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { watchImports } from '../../src/app/restore/imports/late.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { createJobFiles } from '../../src/azure/job-files.ts';
import { DrError, RecordFault } from '../../src/core/errors.ts';
import { fullNameOf, OPEN_IMPORTS_FOLDER } from '../../src/core/paths.ts';
import type { Hub, HubJobs, JobFiles } from '../../src/core/ports.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { isOver } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { createHub } from '../../src/hub/client.ts';
import { createEngine } from '../support/engine.ts';
import { createHubClock, openHubWithJobs } from '../support/hub-with-jobs.ts';
import { createMemoryJobFiles } from '../support/memory-job-files.ts';
import { anAppleRow, anInstallation } from '../support/rows.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const PLAIN = 20;
const INSTALLATIONS = 6;
/** More than any run here takes. */
const MOST_STEPS = 700;
const RECORDS = PLAIN + INSTALLATIONS;
const ROWS = PLAIN + 2 * INSTALLATIONS;

interface Options {
  readonly switches?: Partial<HubSwitches>;
  readonly tier?: 'Basic';
  readonly policy?: Partial<Policy>;
  /** Puts something between the app and the jobs, or their files. */
  readonly jobs?: (jobs: HubJobs) => HubJobs;
  readonly files?: (files: JobFiles) => JobFiles;
  readonly target?: (hub: Hub) => Hub;
  /** Jobs read and write real storage. */
  readonly isStored?: boolean;
}

/** The engine in virtual time, with a target of the emulator in the same time, whose jobs work in real time. */
async function open({ switches = {}, tier, policy, jobs: wrapJobs, files: wrapFiles, target, isStored }: Options = {}) {
  const clock = createHubClock();
  const memory = createMemoryJobFiles(() => clock.now());
  const emulated = isStored ? {} : { files: memory.emulated };
  const opened = await openHubWithJobs(clock, { switches, tier, ...emulated });
  const { emulator, hub, client, connection, options, jobs, untilDone } = opened;
  const files = isStored
    ? createJobFiles({ connection: { kind: 'connectionString', value: openStorageAccount().connectionString } })
    : memory.files;
  const imports = { jobsOf: () => wrapJobs?.(jobs) ?? jobs, files: wrapFiles?.(files) ?? files };
  const engine = createEngine({
    policy: { restoreWriter: 'import', ...policy },
    wrap: () => ({ secondary: (target ?? ((same) => same))(createHub(options)), imports }),
    refs: { primary: { namespace: 'one', hub: 'devices' }, secondary: connection.ref },
  });
  const { app } = engine;
  clock.now = () => app.world.now();
  clock.sleep = (milliseconds) => app.world.sleep(milliseconds);
  for (let index = 0; index < PLAIN; index += 1) {
    const id = `${1000 + index}00000-5-1`;
    const template = index % 4 === 3 ? { name: 'hi', body: '{"aps":\r\n{"alert":"<&>"}}' } : undefined;
    engine.primary.rows.set(id, anAppleRow({ id, tags: ['plain', `n${index}`], ...(template && { template }) }));
  }
  for (let index = 0; index < INSTALLATIONS; index += 1) {
    for (const [id, xml] of anInstallation(`device-${index}`)) engine.primary.rows.set(id, xml);
  }
  await startBackup(app, 'http');
  await engine.drain();
  /** Delivers messages until there are none, or until that is so. */
  const deliver = async (until: () => Promise<boolean> = async () => false) => {
    let count = 0;
    for (let at = engine.queue.nextAt(); at !== undefined && !(await until()); at = engine.queue.nextAt()) {
      count += 1;
      if (count > MOST_STEPS) throw new Error('The run does not end.');
      engine.advance(Math.max(0, at - app.world.now()));
      for (const text of engine.queue.take(1)) await runStep(app, parseStep(JSON.parse(text)));
    }
  };
  const start = async () => (await startRestore(app, parseRestoreRequest(''))).run.id;
  const ended = async (id: string) => ({
    id,
    run: await findRun(app, 'restore', id),
    view: await readRestoreView(app, id),
  });
  const startBack = async (id: string) => (await startRollback(app, id, { confirm: fullNameOf(connection.ref) })).id;
  const times = () => {
    const count = new Map<string, number>();
    for (const { handle, templateName } of hub.registrations()) {
      const key = `${handle} ${templateName ?? ''}`;
      count.set(key, (count.get(key) ?? 0) + 1);
    }
    return [...count.values()];
  };
  const directWrites = () =>
    hub.requestCounts().filter(({ method, route }) => method === 'PUT' && route.includes('registrations'));
  return {
    engine,
    app,
    hub,
    deliver,
    start,
    ended,
    startBack,
    times,
    untilDone,
    directWrites,
    restored: async () => {
      const id = await start();
      await deliver();
      return ended(id);
    },
    rolledBack: async (id: string) => {
      const rollback = await startBack(id);
      await deliver();
      return findRun(app, 'restore', rollback);
    },
    jobCount: async () => (await client.listNotificationHubJobs()).length,
    openImports: async () => (await app.blobs.list(OPEN_IMPORTS_FOLDER)).length,
    leftContainers: () => [...memory.containers.keys()],
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}

type Rig = Awaited<ReturnType<typeof open>>;

function expectEachOnce(rig: Rig): void {
  expect(rig.times()).toEqual(Array.from({ length: ROWS }, () => 1));
}

const removed = { counts: { removed: RECORDS } };

test.each<[string, Options]>([
  ['writes to real storage', { isStored: true }],
  ['gives out ids of its own', {}],
  ['keeps the ids', { switches: { importIds: 'kept' } }],
  ['refuses ids', { switches: { importIds: 'refused' } }],
  ['writes its files under one slash', { switches: { jobPaths: 'one-slash' } }],
  [
    'does not say where its files are',
    { switches: { jobPaths: 'not-stated', jobPropertyPrefix: 'x', jobStatusAtFirst: true } },
  ],
  ['reads documents', { switches: { importReads: 'documents' } }],
])('plain registrations are created by a job that %s, and each device is there once', async (_, options) => {
  await using rig = await open(options);
  const { run, view, id } = await rig.restored();
  expect(run).toMatchObject({ status: 'Succeeded', warnings: [] });
  expect(view.counts).toMatchObject({ total: RECORDS, created: RECORDS, failed: 0 });
  expect(view).toMatchObject({ imported: { jobs: 4, lines: PLAIN, made: PLAIN, refused: 0 }, repaired: 0 });
  expectEachOnce(rig);
  expect(rig.directWrites()).toEqual([]);
  await watchImports(rig.app);
  expect([await rig.openImports(), rig.leftContainers()]).toEqual([0, []]);
  // The next restore finds them as they are to be, whatever ids the job gave out.
  const again = await rig.restored();
  expect(again.view.counts).toMatchObject({ unchanged: RECORDS, created: 0, moved: 0 });
  expect(await rig.rolledBack(id)).toMatchObject({ status: 'Succeeded', result: removed });
  expect([...rig.hub.registrations()]).toEqual([]);
});

const away = () => new DrError('HubUnavailable', 'The hub does not answer.', { retryable: true });
const withUrl = (change: (url: string) => string) => (files: JobFiles) => ({
  ...files,
  open: async (...given: Parameters<JobFiles['open']>) => change(await files.open(...given)),
});

test.each<[string, Options, readonly RegExp[]]>([
  ['is stuck', { switches: { jobOutcome: 'stuck' } }, [/given up: it has stayed at 0 % for 15 minutes/]],
  ['fails', { switches: { jobOutcome: 'fails' } }, [/^An import job failed\./]],
  ['has done nothing', { switches: { jobOutcome: 'does-nothing' } }, [/is done, and has made nothing/]],
  ['has lost some', { switches: { importLossShare: 0.4 } }, []],
  ['says nothing of half of its lines', { switches: { importCutShort: true } }, []],
  ['is not to be had in this tier', { tier: 'Basic' }, [/No import job was to be had: .*forbids the call \(403\)/]],
  ['may not list its container', { files: withUrl((url) => url.replace('sp=rwl', 'sp=rw')) }, [/failed/]],
  [
    'comes after its address has ended',
    { files: (files) => ({ ...files, open: (name) => files.open(name, -1) }) },
    [/failed/],
  ],
  [
    'is not answered for',
    { jobs: (jobs) => ({ ...jobs, look: async () => Promise.reject(away()) }) },
    [/given up: it has stayed at 0 %/],
  ],
  [
    'is taken, and its answer lost',
    {
      jobs: (jobs) => ({
        ...jobs,
        submit: async (...call) => jobs.submit(...call).then(() => Promise.reject(away())),
      }),
    },
    [],
  ],
  [
    'refuses a line',
    {
      files: (files) => ({
        ...files,
        write: (container, name, bytes) => {
          const text = Buffer.from(bytes).toString().replace('<Tags>', '<ExpirationTime>2027</ExpirationTime><Tags>');
          return files.write(container, name, Buffer.from(text));
        },
      }),
    },
    [/refused some registrations \(BadRequest, Bad Format\)/],
  ],
])('when the import job %s, the same run creates each device once, and says so', async (_, options, warnings) => {
  await using rig = await open(options);
  const { run, view, id } = await rig.restored();
  expect(run.warnings).toEqual(warnings.map((one) => expect.stringMatching(one)));
  expect(run).toMatchObject({ status: 'Succeeded', result: { counts: { created: RECORDS, failed: 0 } } });
  expect(view.imported?.lines ?? 0).toBeLessThanOrEqual(PLAIN);
  expectEachOnce(rig);
  expect(rig.leftContainers()).toEqual([]);
  expect(await rig.rolledBack(id)).toMatchObject({ status: 'Succeeded', result: removed });
  expect([...rig.hub.registrations()]).toEqual([]);
});

const heldBack: Options = { switches: { jobOutcome: 'stuck', importReadsFirst: true } };

test('what a job makes after its restore is over is withdrawn, and looked for until then', async () => {
  await using rig = await open(heldBack);
  const { run } = await rig.restored();
  expect(run.status).toBe('Succeeded');
  await watchImports(rig.app);
  expect(await rig.openImports()).toBe(1);
  rig.hub.releaseJobs();
  await rig.untilDone();
  expect(Math.max(...rig.times())).toBe(2);
  await watchImports(rig.app);
  expectEachOnce(rig);
  expect(await rig.openImports()).toBe(0);
});

test('what a job makes that never ends is withdrawn while it runs', async () => {
  const jobs = (real: HubJobs): HubJobs => ({
    ...real,
    look: async (jobId, call) => ({ ...(await real.look(jobId, call)), status: 'Running' }),
  });
  await using rig = await open({ ...heldBack, jobs });
  await rig.restored();
  rig.hub.releaseJobs();
  await rig.untilDone();
  expect(Math.max(...rig.times())).toBe(2);
  await watchImports(rig.app);
  expectEachOnce(rig);
  expect(await rig.openImports()).toBe(1);
});

test('two processes that look after the same late job leave it to one of them', async () => {
  await using rig = await open(heldBack);
  await rig.restored();
  rig.hub.releaseJobs();
  await rig.untilDone();
  await Promise.all([watchImports(rig.app), watchImports(rig.app)]);
  await watchImports(rig.app);
  expectEachOnce(rig);
  expect(await rig.openImports()).toBe(0);
});

test.each([
  ['fails at one of them', true],
  ['refuses to be asked about one of them', false],
])('a hub that %s keeps no restore, and no other record of a late job, waiting', async (_, retryable) => {
  const poisoned = new Set<string>();
  const target = (hub: Hub): Hub => ({
    ...hub,
    findRows: async (query, call) => {
      if ('tag' in query || !poisoned.has(query.handle)) return hub.findRows(query, call);
      throw new RecordFault('HubUnavailable', 'The hub fails at it.', { retryable });
    },
  });
  await using rig = await open({ ...heldBack, target });
  await rig.restored();
  rig.hub.releaseJobs();
  await rig.untilDone();
  const [plain] = [...rig.hub.registrations()].filter(({ tags }) => tags.includes('plain'));
  if (plain !== undefined) poisoned.add(plain.handle);
  await watchImports(rig.app);
  expect(rig.times().filter((count) => count > 1)).toEqual([2]);
  expect(await rig.openImports()).toBe(retryable ? 1 : 0);
  // Its listing shows what is there twice.
  expect((await rig.restored()).run).toMatchObject({ status: 'Succeeded', result: { counts: { unchanged: RECORDS } } });
  poisoned.clear();
  await watchImports(rig.app);
  expect(await rig.openImports()).toBe(0);
});

test('what a job makes while its restore still looks is withdrawn by that', async () => {
  await using rig = await open(heldBack);
  const id = await rig.start();
  await rig.deliver(async () => (await findRun(rig.app, 'restore', id)).phase.pass > 1);
  rig.hub.releaseJobs();
  await rig.untilDone();
  expect(Math.max(...rig.times())).toBe(2);
  await rig.deliver();
  const { run } = await rig.ended(id);
  expect(run).toMatchObject({ status: 'Succeeded', result: { counts: { created: RECORDS }, takenBack: 0 } });
  expectEachOnce(rig);
  expect(await rig.rolledBack(id)).toMatchObject({ status: 'Succeeded', result: removed });
  expect([...rig.hub.registrations()]).toEqual([]);
});

test.each(['in time', 'after the rollback'])(
  'a rollback of a restore that was cancelled during its jobs waits for them; one ends %s',
  async (when) => {
    await using rig = await open(heldBack);
    const id = await rig.start();
    await rig.deliver(async () => (await rig.jobCount()) > 0);
    await cancelRestore(rig.app, id);
    expect((await rig.ended(id)).view.counts.created).toBeLessThan(RECORDS);
    const rollback = await rig.startBack(id);
    const startedAt = rig.app.world.now();
    let isWaiting = 0;
    await rig.deliver(async () => {
      const { waiting } = await readRestoreView(rig.app, rollback);
      isWaiting += waiting?.code === 'ImportRunning' ? 1 : 0;
      if (when === 'in time' && isWaiting === 3) {
        rig.hub.releaseJobs();
        await rig.untilDone();
      }
      return isOver(await findRun(rig.app, 'restore', rollback));
    });
    expect(isWaiting).toBeGreaterThan(2);
    if (when !== 'in time') {
      expect(rig.app.world.now() - startedAt).toBeGreaterThan(15 * 60_000);
      rig.hub.releaseJobs();
      await rig.untilDone();
      expect([...rig.hub.registrations()].length).toBeGreaterThan(0);
    }
    const { status, warnings } = await findRun(rig.app, 'restore', rollback);
    const said = [expect.stringMatching(/An import job of restore .* has not ended/)];
    expect([status, warnings]).toEqual(['Succeeded', when === 'in time' ? [] : said]);
    await watchImports(rig.app);
    expect([...rig.hub.registrations()]).toEqual([]);
    expect(await rig.openImports()).toBe(0);
  },
);

test('a restore that begins while a job of a cancelled one is at work waits for it, and finds what it made', async () => {
  await using rig = await open(heldBack);
  const first = await rig.start();
  await rig.deliver(async () => (await rig.jobCount()) > 0);
  await cancelRestore(rig.app, first);
  const second = await rig.start();
  await rig.deliver(async () => (await readRestoreView(rig.app, second)).waiting?.code === 'ImportRunning');
  rig.hub.releaseJobs();
  await rig.untilDone();
  rig.hub.switches({ jobOutcome: 'completes' });
  await rig.deliver();
  expect(await findRun(rig.app, 'restore', second)).toMatchObject({ status: 'Succeeded' });
  expectEachOnce(rig);
});

test('a step that dies after it has submitted a job is followed by one that finds it', async () => {
  let deaths = 0;
  await using rig = await open({
    jobs: (jobs) => ({
      ...jobs,
      submit: async (...call) => {
        const id = await jobs.submit(...call);
        deaths += 1;
        if (deaths === 1) throw new Error('the process ends');
        return id;
      },
    }),
  });
  const id = await rig.start();
  for (;;) {
    const [text] = rig.engine.queue.take(1);
    if (text === undefined) break;
    const died = await runStep(rig.app, parseStep(JSON.parse(text))).then(
      () => false,
      () => true,
    );
    if (died) await rig.engine.queue.putBack([text], 0);
    if (died) break;
  }
  await rig.deliver();
  expect((await rig.ended(id)).run).toMatchObject({ status: 'Succeeded', warnings: [] });
  expect([deaths, await rig.jobCount()]).toEqual([4, 4]);
  expectEachOnce(rig);
});

test.each<[string, Partial<Policy>]>([
  ['by default', { restoreWriter: 'direct' }],
  ['by `auto`, where there are few', { restoreWriter: 'auto' }],
])('all is written directly %s', async (_, policy) => {
  await using rig = await open({ policy });
  const { run } = await rig.restored();
  expect(run).toMatchObject({ status: 'Succeeded', warnings: [] });
  expect([run.imports, run.result?.imported]).toEqual([undefined, undefined]);
  expect(await rig.jobCount()).toBe(0);
  expectEachOnce(rig);
});
