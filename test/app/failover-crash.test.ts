import { expect, test } from 'vitest';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { readRoleView } from '../../src/app/runs/declare-role.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { aBackedUp, contentOf } from '../support/drive.ts';
import { type Engine, three } from '../support/engine.ts';
import { type Progress, persist, rehearse } from '../support/mortal-engine.ts';
import { deaths } from '../support/property-runs.ts';

function failOver(engine: Engine, progress: Progress): Promise<void> {
  const request = parseRestoreRequest(JSON.stringify({ activate: true, confirm: 'three/devices' }));
  return persist(engine, progress, () => startRestore(engine.app, request, { id: 'failover-1' }));
}

test('dying at any write of a failover ends with the same hub and one change of roles', async () => {
  const engine = await aBackedUp(2);
  const calm = await rehearse(engine, failOver);
  const expected = contentOf(calm.engine.primary);
  for (let at = 1; at <= calm.writeCount; at++) {
    for (const isApplied of deaths()) {
      const dead = await calm.dieAt(at, isApplied);
      const where = `write ${at} of ${calm.writeCount}, ${isApplied ? 'applied' : 'not applied'}`;
      expect(contentOf(dead.secondary), where).toEqual(expected);
      const { active, history } = await readRoleView(dead.app);
      expect({ active, changes: history.length }, where).toEqual({ active: three, changes: 2 });
      const view = await readRestoreView(dead.app, 'failover-1');
      expect(view, where).toMatchObject({ status: 'Succeeded', activatedAt: history[0]?.since });
    }
  }
}, 120_000);
