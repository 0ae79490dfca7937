import type { Deed, Teller } from './stories.ts';

/** What operators do who declare which hub is in use. */
export function roleDeedsOf(teller: Teller): readonly Deed[] {
  return [
    [30, 'switch', () => switchHubs(teller)],
    [14, 'thereAndBack', () => switchThereAndBack(teller)],
    [12, 'declare', () => declare(teller)],
    [6, 'tooEarly', () => declareTooEarly(teller)],
  ];
}

/** A failover, or a failback: the standby gets the devices, and becomes the hub in use. */
async function switchHubs(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { devices, standby, inUse } = stage;
  if (random.chance(0.3)) devices.moveTo(standby, 0.5);
  if (random.chance(0.15)) standby.wipe();
  if (random.chance(0.6)) await doings.backUp();
  const body = { activate: true, confirm: `${standby.name}/devices` };
  const id = await doings.begin(body);
  await act(teller);
  if (random.chance(0.1)) await asker.ask(`cancel ${id}`, (app, engine) => engine.cancelRestore(app, id));
  if (random.chance(0.1)) await declareInUse(teller, random.pick([standby.name, inUse.name]));
  await asker.untilOver(id);
  // What is repeated after it had its effect starts nothing.
  if (random.chance(0.3)) await asker.untilOver(await doings.begin(body));
  await follow(teller);
}

/** After days in the other hub: the one before is full, empty, or has changes of its last minutes. */
async function switchThereAndBack(teller: Teller): Promise<void> {
  const { stage, asker, random } = teller;
  const { inUse, devices } = stage;
  await switchHubs(teller);
  if (random.chance(0.3)) {
    devices.moveTo(inUse, 0.3);
    await act(teller);
    devices.moveTo(stage.inUse);
  }
  if (random.chance(0.3)) devices.leave(stage.inUse, 0.3);
  await asker.rest(3);
  await switchHubs(teller);
}

/** After a restore, or without one; who settles a doubt declares what is so already. */
async function declare(teller: Teller): Promise<void> {
  const { stage, random, doings } = teller;
  if (random.chance(0.7)) await doings.restore({});
  const { name } = random.chance(0.8) ? stage.standby : stage.inUse;
  await declareInUse(teller, name, random.chance(0.3));
  await follow(teller);
}

/** A restore is cancelled, its target put into use all the same, and the restore retried, which needs the hub's name then. */
async function declareTooEarly(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  const { standby } = stage;
  const id = await doings.begin({});
  await stage.scheduler.sleep(random.spread(100, 60_000));
  await asker.ask(`cancel ${id}`, (app, engine) => engine.cancelRestore(app, id));
  await asker.untilOver(id);
  await declareInUse(teller, standby.name, true);
  await follow(teller);
  await doings.retry(id);
}

export async function declareInUse({ asker }: Teller, name: string, force?: boolean): Promise<void> {
  const text = JSON.stringify({ active: `${name}/devices`, confirm: `${name}/devices`, force });
  await asker.ask(`role ${text}`, (app, engine) => engine.declareRole(app, engine.parseRoleRequest(text)));
}

/** Devices, or most of them, use the hub in use, and live on. */
async function follow(teller: Teller): Promise<void> {
  const { stage, asker, random, doings } = teller;
  stage.devices.moveTo(stage.inUse, random.pick([1, 1, 0.8]));
  await act(teller);
  await asker.rest(3);
  if (random.chance(0.8)) await doings.backUp();
}

async function act({ stage: { devices }, asker, random }: Teller): Promise<void> {
  for (let count = random.below(8); count > 0; count -= 1) {
    devices.act();
    if (random.chance(0.3)) await asker.rest(1);
  }
}
