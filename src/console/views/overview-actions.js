import { call } from '../app/api.js';
import { wake } from '../app/poll.js';
import { restoreAddress, snapshotAddress } from '../parts/addresses.js';
import { announce, h } from '../parts/dom.js';
import { verifyButton } from '../parts/verify-button.js';
import { actionButton, isOver } from '../parts/widgets.js';
import { roleActions } from './role.js';

/**
 * @typedef {import('../api-types.d.ts').Status} Status
 * @typedef {import('../parts/dom.js').Child} Child
 */

/**
 * What the headline asks for, and what else can be done.
 * @param {Status} status
 * @param {import('./headline.js').Next} wanted
 * @param {{ drill: HTMLElement, checkDeployment: () => void }} parts
 * @returns {{ next: Child, others: Child }}
 */
export function overviewActions(status, wanted, { drill, checkDeployment }) {
  const { latestGoodSnapshot, lastBackup, lastRestore, lastDrill, findings: found = [], standbySync } = status;
  const isUnproven = found.some(({ code }) => code === 'NotProven' || code === 'ProofOld');
  const isRunning = lastRestore !== null && !isOver(lastRestore);
  const canRestore = latestGoodSnapshot !== null && !isRunning;
  const isBackingUp = lastBackup !== null && !isOver(lastBackup);
  const looks = (/** @type {import('./headline.js').Next} */ name) => (name === wanted ? 'main' : undefined);
  const roles = roleActions(status, looks('failover'), canRestore);
  const suspect = found.find(({ snapshotId }) => snapshotId !== undefined)?.snapshotId;
  const sync = found.find(({ code, runId }) => /^S/.test(code) && runId !== undefined)?.runId ?? standbySync?.last?.id;
  /** @type {Partial<Record<import('./headline.js').Next, Child>>} */
  const offered = {
    watch: isRunning && link('Watch the running restore', restoreAddress(lastRestore.id)),
    see: lastRestore !== null && link('See what failed, and retry', restoreAddress(lastRestore.id)),
    backup: isBackingUp ? stopBackupButton(lastBackup.id) : backUpButton(looks('backup')),
    verify:
      isUnproven && latestGoodSnapshot !== null
        ? verifyButton(latestGoodSnapshot.id, 'Verify the newest', looks('verify'))
        : undefined,
    drill: lastDrill !== undefined && drill,
    failover: roles.failover,
    role: roles.declare,
    sync: sync !== undefined && link('See the last sync', restoreAddress(sync)),
    snapshot: suspect !== undefined && link('See the suspect snapshot', snapshotAddress(suspect)),
    check: checkButton(checkDeployment),
  };
  const restore = canRestore && h('a', { class: 'button', href: '#/restore', 'data-focus': 'restore' }, 'Restore …');
  /** @type {readonly import('./headline.js').Next[]} */
  const usual = ['failover', 'backup', 'verify', 'drill', 'role'];
  return {
    next: offered[wanted],
    others: [restore, ...usual.filter((name) => name !== wanted).map((name) => offered[name])],
  };
}

/**
 * @param {string} text
 * @param {string} href
 */
function link(text, href) {
  return h('a', { class: 'button main', href, 'data-focus': 'next' }, text);
}

/** @param {string | undefined} look */
function backUpButton(look) {
  const work = async () => {
    await call('backups', { method: 'POST' });
    announce('The backup has started.');
    wake();
  };
  const busy = 'Starting the backup …';
  return actionButton('Back up now', work, {
    class: look,
    focus: 'backup',
    busy,
    failed: 'The backup was not started.',
  });
}

/** @param {string} id */
function stopBackupButton(id) {
  const work = async () => {
    await call(`backups/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
    announce('The backup is stopped.');
    wake();
  };
  const busy = 'Stopping the backup …';
  return actionButton('Stop the backup', work, { focus: 'backup', busy, failed: 'The backup was not stopped.' });
}

/** @param {() => void} checkDeployment */
function checkButton(checkDeployment) {
  return actionButton('Check the deployment', async () => checkDeployment(), { class: 'main', focus: 'check' });
}
