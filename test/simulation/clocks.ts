import { Died, type Host } from './hosts.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';
import { Timer } from './timer.ts';

export const MINUTE_MS = 60_000;
/** Of days in which little happens. */
const QUIET_TICK_MS = 60 * MINUTE_MS;
const CHANCES = 4;

/** What happens each minute: the watchdog looks, devices speak, the service loses rows. */
export function startClocks(stage: Stage): void {
  const random = stage.random('clocks');
  const stops = stage.random('stops');
  const timer = new Timer(stage, (host) => watch(stage, random, host));
  stage.onTurn = () => timer.turned();
  let chain = 0;
  const next = (of: number): void => {
    const isIdle = stage.isQuiet && !stage.hasActiveRun;
    stage.scheduler.after(isIdle ? QUIET_TICK_MS : MINUTE_MS, () => {
      if (of === chain) tick(of);
    });
  };
  const tick = (of: number): void => {
    next(of);
    timer.tick();
    if (stage.isHealed || stage.isQuiet) return;
    disturb(stage, random);
    for (const host of stage.hosts)
      if (stops.chance(stage.night.stops)) stage.scheduler.after(stops.below(MINUTE_MS), () => host.stop());
  };
  stage.onQuiet = () => {
    chain += 1;
    next(chain);
  };
  next(chain);
}

function disturb(stage: Stage, random: Random): void {
  const { knobs, devices, hubs } = stage;
  for (let count = 0; count < CHANCES; count += 1) if (random.chance(knobs.churnPerMinute / CHANCES)) devices.act();
  if (!random.chance(knobs.lossesPerMinute)) return;
  const hub = random.pick([hubs[0], hubs[1]]);
  const row = random.pickAny(hub.rows());
  if (row === undefined) return;
  stage.trace(() => `LOSS ${hub.name} ${row.id}`);
  stage.count('serviceLostARow');
  hub.lose(row.id);
}

function watch(stage: Stage, random: Random, host: Host): void {
  const hasDuties = stage.hasDrill || stage.night.hasSyncs || stage.jobs?.isOpen === true;
  if (!stage.hasActiveRun && stage.container.names('_locks/').length === 0 && !hasDuties) return;
  const { watchRuns, watchImports, advanceDrills, advanceSync, reviewReadiness, DrError } = stage.engine;
  const duties = stage.jobs === undefined ? [watchRuns] : [watchRuns, watchImports];
  if (stage.hasDrill) duties.push(advanceDrills);
  if (stage.night.hasSyncs) duties.push(advanceSync);
  if (random.chance(0.1)) duties.push(reviewReadiness);
  const work = host.ask(async (app) => {
    for (const duty of duties) await duty(app);
  });
  work.catch((error: unknown) => {
    if (error instanceof DrError || error instanceof Died) return;
    stage.oracle.violate('appThrew', `watchdog ${String(error)}`);
  });
}
