import type { App } from '../../../src/app/app.ts';
import { MINUTE_MS } from '../clocks.ts';
import type { Engine } from '../engine.ts';
import { Died } from '../hosts.ts';
import type { Random } from '../random.ts';
import type { Stage } from '../stage.ts';
import type { Keeping } from './keeping.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;
const TRIES = 3;
const TRY_AGAIN_MS = 10_000;

/** Retention, and people who pin, unpin, verify and delete snapshots, at the same time as everything else. */
export function startKeepers(stage: Stage, keeping: Keeping): void {
  const random = stage.random('keepers');
  const prune = async (): Promise<void> => {
    await call(stage, random, 'prune', (app, engine) => engine.prune(app), 1);
    // In days in which little happens once a day is enough.
    stage.scheduler.after(stage.isQuiet ? DAY_MS : keeping.pruneEveryMs, () => void prune());
  };
  stage.scheduler.after(keeping.pruneEveryMs, () => void prune());
  for (let person = 0; person < keeping.people; person += 1) {
    const own = stage.random(`keeper ${person}`);
    const keep = async (): Promise<void> => {
      if (!stage.isHealed && !stage.isQuiet) await doAny(stage, own, keeping);
      const restMs = own.spread(1000, keeping.mostRestMs);
      stage.scheduler.after(stage.isQuiet ? DAY_MS : restMs, () => void keep());
    };
    stage.scheduler.after(own.spread(1000, keeping.mostRestMs), () => void keep());
  }
}

const DEEDS = ['pin', 'pin', 'unpin', 'delete', 'verify', 'verify', 'verify', 'cancel', 'damage'] as const;

async function doAny(stage: Stage, random: Random, { hasDamage }: Keeping): Promise<void> {
  const { kept } = stage.oracle;
  const id = random.pickAny(kept.published());
  const deed = random.pick(DEEDS);
  if (id === undefined) return;
  const ask = (work: Work): Promise<boolean> => call(stage, random, `${deed} ${id}`, work);
  switch (deed) {
    case 'pin':
      if (await ask((app, engine) => engine.pinSnapshot(app, id))) kept.pinned(id);
      return;
    case 'unpin':
      kept.unpinned(id);
      await ask((app, engine) => engine.unpinSnapshot(app, id));
      return;
    case 'delete':
      if (await ask((app, engine) => engine.deleteSnapshot(app, id))) kept.deleted(id);
      return;
    case 'verify':
      await ask((app, engine) => engine.startVerification(app, random.chance(0.3) ? 'latest' : id, 'http'));
      return;
    case 'cancel': {
      const run = stage.oracle.runs.all().findLast(({ doc }) => doc.kind === 'verification');
      if (run !== undefined) await ask((app, engine) => engine.cancelVerification(app, run.id));
      return;
    }
    case 'damage':
      if (hasDamage) damage(stage, random, id);
      return;
    default:
      deed satisfies never;
  }
}

/**
 * Of another than the newest: what there is at last is to be restored. Nor of what tells what a restore has written that
 * had not looked yet: without it that is not known.
 */
function damage(stage: Stage, random: Random, id: string): void {
  const { kept } = stage.oracle;
  const shard = random.pickAny(stage.container.names(kept.folderOf(id)).filter((name) => name.includes('/shards/0')));
  const stored = shard === undefined ? undefined : stage.container.get(shard);
  if (shard === undefined || stored === undefined || stored.bytes.length === 0 || kept.isNewest(id)) return;
  if (kept.isOwed(id)) return;
  stage.trace(() => `DAMAGE ${shard}`);
  stage.count('snapshotDamaged');
  kept.damaged(id);
  stage.container.damage(shard, random.below(stored.bytes.length));
}

type Work = (app: App, engine: Engine) => Promise<unknown>;

/** As a person asks, who tries again what may pass. */
async function call(stage: Stage, random: Random, label: string, work: Work, tries = TRIES): Promise<boolean> {
  for (let left = tries; left > 0; left -= 1) {
    const host = random.pickAny(stage.hosts.filter(({ isWell }) => isWell));
    stage.trace(() => `KEEP ${host?.name ?? 'no process'} ${label}`);
    try {
      if (host !== undefined) {
        await host.ask(work);
        stage.count(`kept ${label.split(' ')[0]}`);
        return true;
      }
    } catch (error) {
      const code = error instanceof stage.engine.DrError ? error.code : 'Died';
      stage.trace(() => `ANSWER ${label}: ${code}`);
      if (code === 'Died' && !(error instanceof Died)) stage.oracle.violate('appThrew', `${label} ${String(error)}`);
      if (error instanceof stage.engine.DrError && !error.retryable) {
        stage.count(`keeping answered ${code}`);
        return false;
      }
    }
    await stage.scheduler.sleep(TRY_AGAIN_MS);
  }
  return false;
}
