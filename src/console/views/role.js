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

/** @type {Record<string, string>} */
const declaredBy = { settings: 'by the settings', operator: 'by an operator', restore: 'by a restore' };

/** Kept while the card is refreshed. */
let areEarlierShown = false;

/**
 * Since when the hub is in use and who declared it; which were before, on request.
 * @param {Status} status
 */
export function tenures(status) {
  const [present, ...earlier] = rolesOf(status).history.map((tenure, place, history) => ({
    ...tenure,
    until: history[place - 1]?.since,
  }));
  if (present === undefined) return undefined;
  if (earlier.length === 0) return tenureLine(present);
  const ontoggle = (/** @type {Event} */ { target }) => {
    areEarlierShown = target instanceof HTMLDetailsElement && target.open;
  };
  return [
    tenureLine(present),
    h(
      'details',
      { class: 'line', open: areEarlierShown, ontoggle },
      h('summary', { 'data-focus': 'earlier' }, 'In use before'),
      earlier.map(tenureLine),
    ),
  ];
}

/** @param {{ hub: HubRef, since: string, by: string, note?: string, until?: string | undefined }} tenure */
function tenureLine({ hub, since, by, note, until }) {
  return h(
    'span',
    { class: 'line muted' },
    until !== undefined && `${hubName(hub)}, `,
    `${declaredBy[by] ?? by}${note ? ` (${note})` : ''}, `,
    Date.parse(since) === 0 ? 'from the beginning' : [until === undefined ? 'since ' : 'from ', time(since)],
    until !== undefined && [' until ', time(until)],
  );
}
