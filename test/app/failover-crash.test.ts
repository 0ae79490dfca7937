import { expect, test } from 'vitest';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { readRoleView } from '../../src/app/role.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { backUp, contentOf, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { deliverAll, type Progress, rehearse, survive } from '../support/mortal-engine.ts';

const three = { namespace: 'three', hub: 'devices' };
const TO_THREE = { activate: true, confirm: 'three/devices' };

/** The caller repeats what got no answer, as a person does. */
async function failOver(engine: Engine, { isStarted, onMessage }: Progress): Promise<void> {
  const request = parseRestoreRequest(JSON.stringify(TO_THREE));
  for (let tries = 0; tries < 3; tries++) {
    const isResumed = isStarted && tries === 0;
    if (!isResumed) await survive(() => startRestore(engine.app, request, { id: 'failover-1' }));
    await deliverAll(engine, tries === 0 ? onMessage : undefined);
  }
}

test('dying at any write of a failover, before or after it takes effect, ends with the same hub and one change of roles', async () => {
  const engine = createEngine();
  seed(engine, 2);
  await backUp(engine);
  const calm = await rehearse(engine, failOver);
  const expected = contentOf(calm.engine.primary);
  for (let at = 1; at <= calm.writeCount; at++) {
    for (const isApplied of [false, true]) {
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
