import { h } from '../parts/dom.js';
import { clockTime, number, plural } from '../parts/format.js';
import { pagedList } from '../parts/paged-list.js';
import { statusBadge } from '../parts/widgets.js';
import { wayOf } from './restores.js';
import { kindOf } from './run-words.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */
/** @typedef {import('../api-types.d.ts').Backup} Backup */
/** @typedef {import('../api-types.d.ts').Verification} Verification */
/** @typedef {import('../api-types.d.ts').Drill} Drill */

/**
 * All runs of each kind, newest first, read on request.
 * @param {HTMLElement} section
 */
export function showHistory(section) {
  section.replaceChildren(
    h('h2', { id: 'history-title' }, 'History'),
    h(
      'div',
      { class: 'asked-row' },
      listOf('backups', 'backups', (/** @type {Backup} */ run) => row(run, 'Backup', backupWords(run))),
      listOf('restores', 'restores', (/** @type {Restore} */ run) =>
        row(run, kindOf(run), `${wayOf(run)}, ${plural(run.counts.total, 'record')}`),
      ),
      listOf('verifications', 'verifications', (/** @type {Verification} */ run) =>
        row(run, 'Verification', run.counts === undefined ? '' : `${number(run.counts.verified)} verified`),
      ),
      listOf('drills', 'drills', (/** @type {Drill} */ run) => row(run, 'Drill', run.reason ?? run.how ?? '')),
      listOf('audit', 'changes people asked for', auditRow),
    ),
  );
}

/** @param {import('../api-types.d.ts').AuditRecord} record */
function auditRow({ id, at, what = '', path = '', name, principal, from, key, answer, error }) {
  if (error !== undefined) return h('li', { tabindex: -1 }, h('strong', {}, id), ` cannot be read: ${error.message}`);
  const who = principal ?? name ?? 'no name given';
  return h(
    'li',
    { tabindex: -1 },
    h('strong', {}, who),
    ' ',
    at !== undefined && clockTime(at),
    ` ${deeds[what] ?? what}${idIn(path)}: ${outcomeOf(answer)}`,
    h('span', { class: 'line muted' }, [from && `From ${from} `, key && ['with key ', h('code', {}, key)]]),
  );
}

/**
 * By function.
 * @type {Readonly<Record<string, string>>}
 */
const deeds = {
  startRestore: 'start a restore',
  putRestore: 'start a restore',
  retryRestore: 'retry',
  rollbackRestore: 'roll back',
  cancelRestore: 'stop',
  startBackup: 'start a backup',
  cancelBackup: 'stop the backup',
  startVerification: 'verify the snapshot',
  cancelVerification: 'stop the verification',
  startDrill: 'start a drill',
  cancelDrill: 'stop the drill',
  pinSnapshot: 'pin the snapshot',
  unpinSnapshot: 'unpin the snapshot',
  acceptSnapshot: 'accept the snapshot',
  deleteSnapshot: 'delete the snapshot',
  setRole: 'declare the hub in use',
  erase: 'erase a person’s devices',
  testAlerts: 'send a test alert',
  compareMetadata: 'compare the hubs’ settings',
};

/** What a call is about. @param {string} path */
function idIn(path) {
  const id = /\/api\/\w+\/([^/]+)/.exec(path)?.[1] ?? '';
  return /^\d|^latest$/.test(id) ? ` ${id}` : '';
}

/** @param {import('../api-types.d.ts').AuditRecord['answer']} answer */
function outcomeOf(answer) {
  if (answer === undefined) return 'no answer was stored';
  if (answer.status >= 400) return `refused (${answer.code ?? answer.status})`;
  return answer.runId === undefined ? 'done' : `started ${answer.runId}`;
}

/**
 * @template T
 * @param {string} path
 * @param {string} what
 * @param {(run: T) => HTMLElement} toRow
 */
function listOf(path, what, toRow) {
  return h(
    'div',
    { class: 'asked' },
    pagedList(path, toRow, { show: `Show the ${what}`, failed: `The ${what} could not be read.` }),
  );
}

/**
 * @param {{ id: string, status: Restore['status'], createdAt?: string, error?: Restore['error'] }} run
 * @param {string} name
 * @param {string} words
 */
function row(run, name, words) {
  const { id, createdAt } = run;
  return h(
    'li',
    { tabindex: -1 },
    h('strong', {}, name),
    ' ',
    createdAt !== undefined && clockTime(createdAt),
    ' ',
    statusBadge(run),
    words === '' ? '' : ` ${words} `,
    h('code', {}, id),
  );
}

/** @param {Backup} run */
function backupWords({ result }) {
  if (result === undefined) return '';
  return `${result.amount ?? plural(result.recordCount, 'record')}${result.health === 'suspect' ? ', suspect' : ''}`;
}
