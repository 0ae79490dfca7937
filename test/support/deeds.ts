import { declareRole, readRoleView } from '../../src/app/runs/declare-role.ts';
import { backUp, beginRestore, codeOf } from './drive.ts';
import type { Engine } from './engine.ts';

/** What may happen to a pair in any order. */
export const deeds = {
  switchRole: async ({ app }: Engine) => {
    const { standby } = await readRoleView(app);
    const name = `${standby.namespace}/${standby.hub}`;
    await declareRole(app, { active: name, confirm: name, force: true });
  },
  restore: async (engine: Engine) => {
    if ((await codeOf(beginRestore(engine.app))) === 'none') await engine.drain();
  },
  backUp: async (engine: Engine) => {
    await backUp(engine).catch(() => undefined);
  },
  primaryReturnsEmpty: async ({ primary }: Engine) => {
    primary.rows.clear();
  },
} as const;

export type Deed = keyof typeof deeds;
