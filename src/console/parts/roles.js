import { hubName } from './widgets.js';

/**
 * The two hubs by what they are used for. An older app knows no roles: its primary is in use.
 * @param {Pick<import('../api-types.d.ts').Status, 'primary' | 'secondary' | 'role'>} status
 */
export function rolesOf({ primary, secondary, role }) {
  const { active, standby, history } = role ?? { active: primary, standby: secondary, history: [] };
  return {
    active,
    standby,
    /** As the settings call the hub in use. */
    activeName: /** @type {'primary' | 'secondary'} */ (isSame(active, primary) ? 'primary' : 'secondary'),
    /** Back is into the hub that was in use first, as the app has it of a restore that switches. */
    wayName: isSame(history.at(-1)?.hub, standby) ? 'Fail back' : 'Fail over',
    history,
  };
}

/**
 * @param {import('../api-types.d.ts').HubRef | undefined} a
 * @param {import('../api-types.d.ts').HubRef} b
 */
export function isSame(a, b) {
  return hubName(a) === hubName(b);
}
