import { h } from '../parts/dom.js';
import { isSame, rolesOf } from '../parts/roles.js';
import { hubName } from '../parts/widgets.js';

/**
 * @typedef {import('../api-types.d.ts').Restore} Restore
 * @typedef {import('../api-types.d.ts').Status} Status
 * @typedef {import('../parts/dom.js').Child} Child
 */

const TEST = 'Send a test notification to one of your own devices.';
const KEEP = 'Keep the report with the incident record.';

/**
 * What a restore that succeeded leaves to people: after a switch, to move backends; else only what is so, as the hub in
 * use has stayed. A sync or a drill leaves nothing.
 * @param {Restore} run
 * @param {Status | undefined} status Where it could be read.
 * @returns {Child}
 */
export function nextSteps(run, status) {
  if (run.purpose === 'sync' || run.purpose === 'drill') return undefined;
  const { said, steps } = whatIsNext(run, status);
  return [
    h('h3', {}, 'Next steps'),
    said.length > 0 && h('p', {}, said),
    steps.length === 0
      ? h('p', {}, KEEP)
      : h(
          'ol',
          { class: 'next' },
          [...steps, KEEP].map((step) => h('li', {}, step)),
        ),
  ];
}

/**
 * @param {Restore} run
 * @param {Status | undefined} status
 * @returns {{ said: Child[], steps: Child[] }}
 */
function whatIsNext({ target, activatedAt, targetInUse, way }, status) {
  const isInUse =
    status === undefined ? (targetInUse ?? activatedAt !== undefined) : isSame(rolesOf(status).active, target);
  if (activatedAt !== undefined && isInUse) {
    const back = way === 'failover' && 'When the region is back, fail back from the overview at a quiet time.';
    return { said: [], steps: [['Point your backends at ', named(target), '.'], TEST, ...(back ? [back] : [])] };
  }
  if (isInUse) return { said: [named(target), ' is the hub in use, and stays it.'], steps: [TEST] };
  if (activatedAt !== undefined) return { said: [named(target), ' is no longer the hub in use.'], steps: [] };
  const holds = [named(target), ', the standby, holds these devices now. '];
  if (status === undefined) return { said: [...holds, 'Nothing was switched.'], steps: [] };
  const { active, wayName } = rolesOf(status);
  const button = `“${wayName} to ${hubName(target)} …” on the overview`;
  if (status.source?.reachable === false) {
    return {
      said: [...holds, named(active), ', the hub in use, does not answer.'],
      steps: [
        [`If it does not come back soon, press ${button}.`],
        ['Then point your backends at ', named(target), '.'],
        TEST,
      ],
    };
  }
  const stays = [named(active), ' stays the hub in use: nothing was switched, and backends go on with it. '];
  return {
    said: [...holds, ...stays, `If devices are to be reached through the standby, press ${button}.`],
    steps: [],
  };
}

/** @param {import('../api-types.d.ts').HubRef} hub */
function named(hub) {
  return h('strong', { class: 'name' }, hubName(hub));
}
