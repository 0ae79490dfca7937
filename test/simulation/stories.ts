import type { Asker } from './asker.ts';
import { MINUTE_MS } from './clocks.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

export type Deed = readonly [weight: number, name: string, work: () => Promise<void>];

/** What an operator does in a story. */
export interface Doings {
  backUp(): Promise<void>;
  restore(body: object): Promise<void>;
  restoreOlder(body: object): Promise<void>;
  /** The id of the run, whether it began or not. */
  begin(body: object): Promise<string>;
  rollBack(id: string): Promise<void>;
  rollBackAny(): Promise<void>;
  retry(id: string): Promise<void>;
}

export interface Teller {
  readonly stage: Stage;
  readonly asker: Asker;
  readonly random: Random;
  readonly doings: Doings;
}

/** Several deeds in a row, each of which rarely happens after the one before. */
export function storiesOf(teller: Teller): readonly Deed[] {
  return [
    [6, 'exodus', () => exodus(teller)],
    [14, 'warm', () => warm(teller)],
    [8, 'crash', () => crash(teller)],
    [6, 'stop', () => stop(teller)],
    [6, 'unwind', () => unwind(teller)],
  ];
}

/** In flight when everything breaks but the core: a backup, and a restore or what undoes one. */
export async function beginLastNight({ stage, asker, random, doings }: Teller): Promise<void> {
  await asker.ask('backup', (app, engine) => engine.startBackup(app, 'timer'));
  if (random.chance(0.5)) await stage.scheduler.sleep(random.spread(100, 20_000));
  await doings.begin(random.chance(0.2) ? intoItself(stage) : {});
  if (random.chance(0.5)) await stage.scheduler.sleep(random.spread(100, 60_000));
}

/** A repair in place: the hub in use gets what it has lost. */
export function intoItself({ inUse, primary }: Stage): object {
  return { target: inUse === primary ? 'primary' : 'secondary', confirm: `${inUse.name}/devices` };
}

/** Enough devices for a mass deletion to exceed the bound. */
const MANY = 36;

/** A backend deletes many of its devices, by mistake or not; in an older snapshot they are still there. */
async function exodus({ stage, asker, random, doings }: Teller): Promise<void> {
  const { devices, inUse } = stage;
  for (let count = MANY - devices.count; count > 0; count -= 1) devices.add(inUse);
  await doings.backUp();
  await doings.restore({});
  devices.leave(inUse, random.pick([0.3, 0.8]));
  await asker.rest(1);
  await doings.backUp();
  if (random.chance(0.6)) await doings.restore({});
  if (random.chance(0.6)) await doings.restoreOlder(random.chance(0.5) ? { resurrect: true } : {});
}

/** A filled secondary is brought up to date, and devices speak there meanwhile: their app knows the hub already. */
async function warm(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { devices, inUse, standby, scheduler } = stage;
  await doings.restore({});
  for (let count = 2 * devices.count; count > 0; count -= 1) devices.act();
  await doings.backUp();
  devices.moveTo(standby, random.pick([0.6, 1]));
  standby.slowness = random.pick([1, 10, 30]);
  const id = await doings.begin({});
  if (random.chance(0.7)) await untilItWrites(teller, id);
  for (let count = random.between(10, 40); count > 0; count -= 1) {
    await scheduler.sleep(random.spread(20, 1000));
    devices.act();
  }
  await asker.untilOver(id);
  standby.slowness = 1;
  if (random.chance(0.5)) await doings.rollBack(id);
  else await doings.restore({});
  devices.moveTo(inUse);
}

/** All processes die while they write; the operator cancels the restore and rolls it back. */
async function crash(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { scheduler, hosts } = stage;
  const id = await doings.begin({});
  await untilItWrites(teller, id);
  await scheduler.sleep(random.spread(10, 2000));
  for (const host of hosts) if (host.isAlive) host.die();
  await asker.ask(`cancel ${id}`, (app, engine) => engine.cancelRestore(app, id));
  await asker.untilOver(id);
  await doings.rollBack(id);
}

/** A large restore into a hub that throttles is stopped as soon as it writes. */
async function stop(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { devices, inUse, standby } = stage;
  for (let count = 2 * MANY - devices.count; count > 0; count -= 1) devices.add(inUse);
  await doings.backUp();
  standby.slowness = random.pick([1, 10, 50]);
  const id = await doings.begin({});
  await untilItWrites(teller, id);
  await asker.ask(`cancel ${id}`, (app, engine) => engine.cancelRestore(app, id));
  await asker.untilOver(id);
  if (random.chance(0.7)) await doings.rollBack(id);
  standby.slowness = 1;
}

/** Two restores, undone in the order in which they can be; the hub may be made again in between. */
async function unwind({ stage, asker, random, doings }: Teller): Promise<void> {
  const { devices, secondary } = stage;
  const first = await doings.begin({});
  await asker.untilOver(first);
  if (random.chance(0.3)) secondary.wipe();
  for (let count = random.between(1, 12); count > 0; count -= 1) devices.act();
  await asker.rest(2);
  await doings.backUp();
  const second = await doings.begin({});
  await asker.untilOver(second);
  await doings.rollBack(second);
  await doings.rollBack(first);
}

async function untilItWrites({ stage: { scheduler, oracle } }: Teller, id: string): Promise<void> {
  const until = scheduler.now + 5 * MINUTE_MS;
  while (oracle.runs.get(id)?.written.size === 0 && scheduler.now < until) await scheduler.sleep(100);
}
