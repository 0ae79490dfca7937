import { h } from '../parts/dom.js';
import { number, plural, time } from '../parts/format.js';
import { pagedList } from '../parts/paged-list.js';
import { statusBadge } from '../parts/widgets.js';
import { nameOf } from './restores.js';

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
    listOf('backups', 'backups', (/** @type {Backup} */ run) => row(run, 'Backup', backupWords(run))),
    listOf('restores', 'restores', (/** @type {Restore} */ run) =>
      row(run, nameOf(run), plural(run.counts.total, 'device')),
    ),
    listOf('verifications', 'verifications', (/** @type {Verification} */ run) =>
      row(run, 'Verification', run.counts === undefined ? '' : `${number(run.counts.verified)} verified`),
    ),
    listOf('drills', 'drills', (/** @type {Drill} */ run) => row(run, 'Drill', run.reason ?? run.how ?? '')),
    listOf('audit', 'changes people asked for', auditRow),
  );
}

/** @param {import('../api-types.d.ts').AuditRecord} record */
function auditRow({ id, at, method, path, name, principal, from, key, answer, error }) {
  const who = principal ?? name ?? 'no name given';
  const words = error === undefined ? `${method} ${path}` : `cannot be read: ${error.message}`;
  const came = answer === undefined ? 'no answer' : `${answer.status} ${answer.code ?? answer.runId ?? ''}`.trim();
  return h(
    'li',
    { tabindex: -1 },
    h('strong', {}, error === undefined ? who : id),
    ' ',
    at !== undefined && time(at),
    ` ${words}`,
    error === undefined && ` ${came}`,
    error === undefined && [from && ` from ${from}`, key && [' key ', h('code', {}, key)]],
  );
}

/**
 * @template T
 * @param {string} path
 * @param {string} what
 * @param {(run: T) => HTMLElement} toRow
 */
function listOf(path, what, toRow) {
  return h('div', {}, pagedList(path, toRow, { show: `Show the ${what}`, failed: `The ${what} could not be read.` }));
}

/**
 * @param {{ id: string, status: Restore['status'], createdAt?: string }} run
 * @param {string} name
 * @param {string} words
 */
function row({ id, status, createdAt }, name, words) {
  return h(
    'li',
    { tabindex: -1 },
    h('strong', {}, name),
    ' ',
    createdAt !== undefined && time(createdAt),
    ' ',
    statusBadge(status),
    words === '' ? '' : ` ${words} `,
    h('code', {}, id),
  );
}

/** @param {Backup} run */
function backupWords({ result }) {
  if (result === undefined) return '';
  return `${plural(result.recordCount, 'device')}${result.health === 'suspect' ? ', suspect' : ''}`;
}
