import { MINUTE_MS } from './clocks.ts';
import { declareInUse } from './role-stories.ts';
import type { Deed, Teller } from './stories.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;
/** A sync begins at the end of its backup, or with the next look of the watchdog. */
const BEGINS_WITHIN_MS = 3 * MINUTE_MS;
/** Enough devices for changes, or deletions, beyond a sync's bounds. */
const MANY = 40;

/** What happens around a standby that is kept full. */
export function syncDeedsOf(teller: Teller): readonly Deed[] {
  return [
    [60, 'keepUp', () => keepUp(teller)],
    [70, 'interrupt', () => interrupt(teller)],
    [16, 'massDeletion', () => deleteMany(teller)],
    [20, 'drift', () => drift(teller)],
  ];
}

/** The operator settles the doubt that a restore into the standby leaves: syncs rest until then. */
export async function settle(teller: Teller): Promise<void> {
  const { stage } = teller;
  if (stage.night.hasRoles) await declareInUse(teller, stage.inUse.name);
}

/** Backups, each with its sync, while devices come, change, renew and leave. */
async function keepUp(teller: Teller): Promise<void> {
  const { stage, asker, random } = teller;
  const { devices, scheduler, inUse, standby } = stage;
  await settle(teller);
  for (let rounds = random.between(1, 4); rounds > 0; rounds -= 1) {
    for (let count = random.below(10); count > 0; count -= 1) devices.act();
    if (random.chance(0.2)) {
      devices.moveTo(standby, 0.2);
      devices.act();
      await asker.rest(1);
      devices.moveTo(inUse);
    }
    if (random.chance(0.15)) {
      stage.isQuiet = true;
      await scheduler.sleep(random.between(3, 25) * DAY_MS);
      devices.renewAll();
      stage.isQuiet = false;
    }
    await asker.rest(2);
    await backUpAndSync(teller);
  }
}

/** An operator needs the standby while a sync writes into it; the hub in use, or the processes, may have died. */
async function interrupt(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { devices, standby, hosts, scheduler } = stage;
  await settle(teller);
  for (let count = random.pick([0, 8, MANY, 2 * MANY]) - devices.count; count > 0; count -= 1) devices.add(stage.inUse);
  for (let count = random.below(10); count > 0; count -= 1) devices.act();
  standby.slowness = random.pick([1, 3, 10]);
  const sync = await backUpUntilItSyncs(teller);
  if (sync === undefined) return;
  if (random.chance(0.7)) await untilItWrites(teller, sync);
  await scheduler.sleep(random.spread(10, 5000));
  if (random.chance(0.3)) stage.doors.get(stage.inUse.name)?.goAway(scheduler.now + 20 * MINUTE_MS);
  if (random.chance(0.3)) for (const host of hosts) if (host.isAlive) host.die();
  const confirm = `${standby.name}/devices`;
  const id = await random.pick([
    () => doings.begin({}),
    () => doings.begin({}),
    () => doings.begin({ dryRun: true }),
    () => doings.begin({ activate: true, confirm }),
    () => doings.rollBackAny(),
    () => declareInUse(teller, standby.name, true),
  ])();
  if (random.chance(0.3)) devices.act();
  standby.slowness = 1;
  if (typeof id === 'string') await asker.untilOver(id);
  devices.moveTo(stage.inUse);
}

/** More devices leave the hub in use than a sync withdraws. */
async function deleteMany(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { devices, inUse } = stage;
  await fill(teller);
  devices.leave(inUse, random.pick([0.4, 0.9]));
  await asker.rest(1);
  await backUpAndSync(teller);
  if (random.chance(0.5)) await doings.restore(random.chance(0.5) ? { leftovers: 'withdraw' } : {});
  await settle(teller);
}

/** Devices speak in the standby, though it is not in use. */
async function drift(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { devices, inUse, standby } = stage;
  await fill(teller);
  devices.moveTo(standby, random.pick([0.5, 1]));
  for (let count = random.between(10, 3 * MANY); count > 0; count -= 1) devices.act();
  await asker.rest(2);
  devices.moveTo(inUse);
  for (let count = random.between(1, 8); count > 0; count -= 1) devices.act();
  await backUpAndSync(teller);
  if (random.chance(0.5)) await doings.restore({});
  await settle(teller);
}

async function fill(teller: Teller): Promise<void> {
  const { devices, inUse } = teller.stage;
  for (let count = MANY - devices.count; count > 0; count -= 1) devices.add(inUse);
  await settle(teller);
  await backUpAndSync(teller);
}

export async function backUpAndSync(teller: Teller): Promise<void> {
  const sync = await backUpUntilItSyncs(teller);
  if (sync !== undefined) await teller.asker.untilOver(sync);
}

/** The id of the sync of a new backup, if one begins. */
async function backUpUntilItSyncs({ stage, doings }: Teller): Promise<string | undefined> {
  const { scheduler, oracle } = stage;
  const since = scheduler.now;
  await doings.backUp();
  const backup = oracle.runs.all().findLast(({ doc, begunAt }) => doc.kind === 'backup' && begunAt >= since);
  let until = scheduler.now + BEGINS_WITHIN_MS;
  for (; scheduler.now < until; await scheduler.sleep(200)) {
    const sync = oracle.runs.get(`${backup?.id}-sync`);
    if (sync !== undefined) return sync.id;
    // It waits for what was begun before it.
    if (stage.hasActiveRun) until = Math.max(until, scheduler.now + MINUTE_MS);
  }
  return undefined;
}

async function untilItWrites({ stage: { scheduler, oracle } }: Teller, id: string): Promise<void> {
  const until = scheduler.now + 5 * MINUTE_MS;
  const run = oracle.runs.get(id);
  while (run?.written.size === 0 && run.endedAt === undefined && scheduler.now < until) await scheduler.sleep(100);
}
