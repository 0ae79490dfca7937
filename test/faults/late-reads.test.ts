import { expect, test } from 'vitest';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { aBackedUp, backUp, beginRestore, contentOf, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

const MINUTE_MS = 60_000;

/** From now on the secondary shows what it held `lagMs` ago; writes are taken at once. */
function lagBehind({ app, secondary }: Engine, lagMs: number): void {
  const past: { readonly until: number; readonly rows: ReadonlyMap<string, string> }[] = [];
  const { putRegistration, putInstallation, listPage, findRegistration, findInstallation } = secondary;
  const note = (): void => void past.push({ until: app.world.now(), rows: new Map(secondary.rows) });
  secondary.putRegistration = (...call) => {
    note();
    return putRegistration(...call);
  };
  secondary.putInstallation = (...call) => {
    note();
    return putInstallation(...call);
  };
  const shownNow = (): ReadonlyMap<string, string> | undefined => {
    const seenAt = app.world.now() - lagMs;
    return past.find((one) => one.until > seenAt)?.rows;
  };
  secondary.listPage = async (token, options) => {
    const shown = shownNow();
    if (shown === undefined) return listPage(token, options);
    return { rows: [...shown.values()].map((xml) => Buffer.from(xml)), nextToken: undefined };
  };
  const isShown = (bytes: Uint8Array): boolean => {
    const shown = shownNow();
    return shown === undefined || [...shown.values()].includes(Buffer.from(bytes).toString());
  };
  secondary.findRegistration = async (id, options) => {
    const bytes = await findRegistration(id, options);
    return bytes === undefined || isShown(bytes) ? bytes : undefined;
  };
  secondary.findInstallation = async (id, options) => (await findInstallation(id, options)).filter(isShown);
}

test.each([
  { lagMinutes: 0.5, refuses: false },
  { lagMinutes: 4, refuses: false },
  { lagMinutes: 4, refuses: true },
])(
  'a hub that shows writes $lagMinutes minutes late makes no device fail and doubles none (new ids: $refuses)',
  async ({ lagMinutes, refuses }) => {
    const engine = createEngine();
    seed(engine);
    engine.secondary.refusesForeignIds = refuses;
    await backUp(engine);
    lagBehind(engine, lagMinutes * MINUTE_MS);
    const id = await beginRestore(engine.app);
    await runToEnd(engine, 'restore', id);
    expect(await readRestoreView(engine.app, id)).toMatchObject({
      status: 'Succeeded',
      counts: { total: 24, created: 24, failed: 0, pending: 0 },
    });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  },
);

test('a hub that shows writes later than the last look fails the restore as not proven, and the next one finds all in place', async () => {
  const engine = await aBackedUp();
  lagBehind(engine, 30 * MINUTE_MS);
  const id = await beginRestore(engine.app);
  await runToEnd(engine, 'restore', id);
  expect(await readRestoreView(engine.app, id)).toMatchObject({
    status: 'Failed',
    error: { code: 'RestoreIncomplete' },
    counts: { failed: 24 },
    failuresByCode: { NotApplied: 24 },
  });
  engine.advance(30 * MINUTE_MS);
  const again = await beginRestore(engine.app);
  await runToEnd(engine, 'restore', again);
  expect(await readRestoreView(engine.app, again)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 24 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a restore begun again at a hub that gives new ids, and still shows nothing, uses the ids of the first one', async () => {
  const engine = createEngine();
  seed(engine);
  engine.secondary.refusesForeignIds = true;
  await backUp(engine);
  lagBehind(engine, 30 * MINUTE_MS);
  const id = await beginRestore(engine.app);
  await runToEnd(engine, 'restore', id);
  expect(await readRestoreView(engine.app, id)).toMatchObject({ error: { code: 'RestoreIncomplete' } });
  // Still nothing to see: the second restore writes all of it again.
  await runToEnd(engine, 'restore', await beginRestore(engine.app));
  engine.advance(60 * MINUTE_MS);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a restore begun again while the hub still shows nothing doubles no device', async () => {
  const engine = await aBackedUp();
  lagBehind(engine, 4 * MINUTE_MS);
  await runToEnd(engine, 'restore', await beginRestore(engine.app));
  const again = await beginRestore(engine.app);
  await runToEnd(engine, 'restore', again);
  expect(await readRestoreView(engine.app, again)).toMatchObject({ status: 'Succeeded', counts: { failed: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});
