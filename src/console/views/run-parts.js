import { restoreAddress } from '../parts/addresses.js';
import { settledCount } from '../parts/counts.js';
import { h } from '../parts/dom.js';
import { duration, moment, number, plural, rate, time } from '../parts/format.js';
import { onThisPage } from '../parts/on-this-page.js';
import { stepList } from '../parts/stepper.js';
import { facts, hubName, icon, isOver, notice } from '../parts/widgets.js';
import { nextSteps } from './next-steps.js';
import { hasWritten, percentOf, phases, tookOf } from './run-words.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */

/**
 * The progress of a running restore: phases, percent, rate, time left, throttling. The bar is the browser's own element.
 * @param {Restore} run
 */
export function progress(run) {
  if (isOver(run)) return undefined;
  const percent = percentOf(run);
  const isCounting = run.phase === 'Writing' || run.phase === 'Verifying';
  const lost = Math.round(run.secondsLostToThrottling ?? 0);
  return h(
    'section',
    { class: 'card', 'aria-label': 'Progress' },
    phaseList(run),
    h('progress', { max: 100, value: isCounting ? percent : undefined, 'aria-label': 'Records done' }),
    h(
      'dl',
      { class: 'figures' },
      run.rowsRead === undefined ? figure('Done', `${percent} %`) : figure('Read', readOf(run)),
      figure('Records', `${number(settledCount(run))} of ${number(run.counts.total)}`),
      figure('Rate', run.recordsPerSecond === undefined || !hasWritten(run) ? '–' : rate(run.recordsPerSecond)),
      figure('Time left', run.etaSeconds === undefined ? '–' : `about ${duration(run.etaSeconds)}`),
      figure('Elapsed', tookOf(run)),
      figure('Lost to throttling', lost === 0 ? 'none' : duration(lost)),
    ),
    milestones(run),
  );
}

/** @param {Restore} run */
function readOf({ rowsRead = 0, rowsExpected }) {
  const about = rowsExpected === undefined ? '' : ` of about ${number(rowsExpected)}`;
  return `${plural(rowsRead, 'registration')}${about}`;
}

/** @param {Restore} run */
function phaseList(run) {
  const shown = run.dryRun ? phases.slice(0, 3) : phases;
  const at = shown.findIndex((phase) => phase.name === run.phase);
  const current = at === -1 ? shown.length - 1 : at;
  const names = shown.map(({ name, short }) => (name === 'Writing' && run.dryRun ? 'Compare' : short));
  return stepList('Phases', names, current);
}

/**
 * @param {string} name
 * @param {string} value
 */
function figure(name, value) {
  return h('div', {}, h('dt', {}, name), h('dd', {}, value));
}

/**
 * The evidence that a finished restore is complete, and what is next.
 * @param {Restore} run
 * @param {import('../api-types.d.ts').Status | undefined} status Where it could be read.
 */
export function proof(run, status) {
  if (run.status !== 'Succeeded' || run.dryRun || run.purpose === 'rollback') return undefined;
  const { counts, passes = run.pass ?? 1, repaired = 0, changedSince = 0, duplicatesCollapsed = 0 } = run;
  const listed =
    passes > 1
      ? `After writing, the hub was looked at again until nothing was left to write (${plural(passes, 'pass', 'passes')} in total).`
      : 'One listing found every record in place: nothing had to be written.';
  const sentences = [
    `${number(settledCount(run))} of ${plural(counts.total, 'record')} in place. None failed, none is pending.`,
    listed,
    repaired > 0 && `${plural(repaired, 'write')} had to be repeated because the listing did not show the result.`,
    run.activatedAt !== undefined && `${hubName(run.target)} is the hub in use since ${moment(run.activatedAt)}.`,
    changedSince > 0 && `${plural(changedSince, 'record')} changed during the restore and kept the newer state.`,
    duplicatesCollapsed > 0 &&
      `${plural(duplicatesCollapsed, 'duplicate registration')} merged, so that no device gets a notification twice.`,
  ];
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'proof-title' },
    h('h2', { id: 'proof-title' }, 'Proof'),
    h(
      'ul',
      { class: 'findings' },
      sentences.filter((one) => one !== false).map((one) => h('li', {}, icon('ok'), h('span', {}, one))),
    ),
    milestones(run),
    nextSteps(run, status),
  );
}

/** @param {Restore} run */
function milestones({ milestones: at = {}, createdAt }) {
  /** @type {[string, string | undefined][]} */
  const all = [
    ['50 %', at.p50At],
    ['90 %', at.p90At],
    ['99 %', at.p99At],
  ];
  const reached = all.flatMap(([name, iso]) => (iso === undefined ? [] : [{ name, iso }]));
  if (reached.length === 0) return undefined;
  return facts(
    reached.map(({ name, iso }) => [
      `${name} restored after`,
      [
        duration((Date.parse(iso) - Date.parse(createdAt)) / 1000),
        h('span', { class: 'line muted small' }, moment(iso)),
      ],
    ]),
  );
}

/**
 * @param {Restore} run
 * @param {string | undefined} amount What its snapshot holds.
 */
export function runFacts(run, amount) {
  const { snapshot, only, order, note, of } = run;
  return h(
    'section',
    { class: 'card', 'aria-label': 'About this restore' },
    facts([
      ['Snapshot', h('code', {}, snapshot.id)],
      ['It holds', amount || undefined],
      ['Only', only === undefined ? undefined : describeOnly(only)],
      ['First', order === undefined ? undefined : order.map(describeOnly).join(', then ')],
      ['Note', note],
      ['Original restore', of === undefined ? undefined : h('a', { href: restoreAddress(of) }, of)],
      ['Template bodies left out: older, or without a name', run.superseded || undefined],
      ['Installations known by templates only', run.partialInstallations || undefined],
      // Not how long ago: beside the exact time it took, a rounded one would not add up.
      ['Started', moment(run.createdAt)],
      [
        'Ended',
        run.finishedAt === undefined
          ? undefined
          : [time(run.finishedAt), h('span', { class: 'line muted' }, `after ${tookOf(run)}`)],
      ],
      ['Requested by', run.askedBy ?? askers[run.requestedBy ?? '']],
      ['Id', h('code', {}, run.id)],
    ]),
  );
}

/**
 * Of a run whose caller gave no name.
 * @type {Readonly<Record<string, string>>}
 */
const askers = { http: 'a caller without a name', timer: 'its schedule', drill: 'a drill' };

/** @param {import('../api-types.d.ts').Selection} only */
function describeOnly({ platforms, tags, installationIds, userIds }) {
  return [
    platforms && `platforms ${platforms.join(', ')}`,
    tags && `tags ${tags}`,
    installationIds && plural(installationIds.length, 'installation id'),
    userIds && plural(userIds.length, 'user id'),
  ]
    .filter(Boolean)
    .join('; ');
}

/** @param {Restore} run */
export function warnings({ warnings: all = [] }) {
  // One that asks nothing says so itself.
  const toneOf = (/** @type {string} */ text) => (text.endsWith('Nothing to decide.') ? 'info' : 'warn');
  return all.map((text) => notice(toneOf(text), h('p', {}, onThisPage(text))));
}

/** True as long as the app answers: the styles hide it while it does not. */
export function withoutPage() {
  return h('p', { class: 'muted while-answered' }, 'You may close this page: the app does the work.');
}

/**
 * @param {Restore} run
 * @returns {[string, import('../parts/dom.js').Child][]}
 */
export function placesOf({ purpose, snapshot, target }) {
  const role = ` (${target.role})`;
  if (purpose === 'rollback') return [['In', [hubName(target), role]]];
  return [
    ['Snapshot of', hubName(snapshot.hub)],
    ['Into', [hubName(target), role]],
  ];
}

/** @param {import('./whole.js').Whole} whole */
export function wholeCard({ sum, before, now, total, first }) {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'whole-title' },
    h('h2', { id: 'whole-title' }, 'With the restore before it'),
    h('p', {}, h('strong', {}, `${sum} of ${plural(total, 'record')} are in place.`)),
    h(
      'p',
      { class: 'muted' },
      `${number(before)} were before this retry, by `,
      h('a', { href: restoreAddress(first.id) }, first.id),
      `; ${number(now)} are since.`,
    ),
  );
}
