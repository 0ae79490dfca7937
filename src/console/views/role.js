import { call } from '../app/api.js';
import { wake } from '../app/poll.js';
import { startRestore } from '../app/start-restore.js';
import { restoreAddress } from '../parts/addresses.js';
import { askFirst, hubNameField } from '../parts/dialogs.js';
import { announce, h } from '../parts/dom.js';
import { time } from '../parts/format.js';
import { rolesOf } from '../parts/roles.js';
import { actionButton, hubName } from '../parts/widgets.js';

/**
 * @typedef {import('../api-types.d.ts').Status} Status
 * @typedef {import('../api-types.d.ts').HubRef} HubRef
 */

/**
 * What can be done about the role: fail over; declare the other hub, and settle a doubt.
 * @param {Status} status
 * @param {string | undefined} look Of the failover's button.
 * @param {boolean} canRestore
 * @returns {{ failover?: import('../parts/dom.js').Child, declare?: import('../parts/dom.js').Child }}
 */
export function roleActions(status, look, canRestore) {
  if (status.role === undefined) return {};
  const { active, standby, wayName } = rolesOf(status);
  const isOpen = (status.findings ?? []).some(({ code }) => code === 'RoleUnsettled');
  return {
    failover:
      canRestore &&
      actionButton(`${wayName} to ${hubName(standby)} …`, startFailover, {
        class: look,
        focus: 'failover',
        busy: 'Starting the dry run …',
        failed: 'The dry run was not started.',
      }),
    declare: [
      isOpen &&
        actionButton(`${hubName(active)} is in use …`, async () => askForRole(active), { focus: 'confirm-role' }),
      actionButton(`${hubName(standby)} is in use …`, async () => askForRole(standby), { focus: 'change-role' }),
    ],
  };
}

/** Its dry run; the restore follows when the name of the hub is typed. */
async function startFailover() {
  const run = await startRestore({ dryRun: true, activate: true });
  location.hash = restoreAddress(run.id);
}

/** @param {HubRef} hub */
function askForRole(hub) {
  const field = hubNameField(hub, 'role-name');
  const force = h('input', { type: 'checkbox', id: 'role-force' });
  askFirst({
    title: 'Which hub is in use?',
    body: [
      h(
        'p',
        {},
        'Backups follow the hub in use, and restores write into the other one. Declare this when devices and backends use ',
        h('strong', { class: 'name' }, hubName(hub)),
        '.',
      ),
      h(
        'label',
        { class: 'choice' },
        force,
        h('span', {}, 'It holds its devices, though nothing was restored into it'),
      ),
    ],
    yes: 'It is in use',
    no: 'Cancel',
    busy: 'Declaring it …',
    failed: 'The role was not changed.',
    nameField: field,
    work: async () => {
      const body = { active: hubName(hub), confirm: field.value(), ...(force.checked ? { force: true } : {}) };
      await call('role', { method: 'POST', body });
      announce(`${hubName(hub)} is the hub in use.`);
      wake();
    },
  });
}

const EARLIER_SHOWN = 3;
/** @type {Record<string, string>} */
const declaredBy = { settings: 'by the settings', operator: 'by an operator', restore: 'by a restore' };

/**
 * Since when the hub is in use and who declared it, and which was before.
 * @param {Status} status
 */
export function tenures(status) {
  const { history } = rolesOf(status);
  return history.slice(0, EARLIER_SHOWN).map(({ hub, since, by, note }, place) => {
    const next = history[place - 1];
    return h(
      'span',
      { class: 'line muted' },
      next !== undefined && `before that ${hubName(hub)}, `,
      `${declaredBy[by] ?? by}${note ? ` (${note})` : ''}, `,
      Date.parse(since) === 0 ? 'from the beginning' : [next === undefined ? 'since ' : 'from ', time(since)],
      next !== undefined && [' until ', time(next.since)],
    );
  });
}
