import { settledCount } from '../parts/counts.js';
import { h } from '../parts/dom.js';
import { duration, moment, number, plural, rate, time } from '../parts/format.js';
import { facts, hubName, icon, isOver, notice } from '../parts/widgets.js';
import { percentOf, phases, tookOf } from './run-words.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */

/**
 * How far a running restore is: phases, percent, rate, time left, throttling.
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
    h('progress', { max: 100, value: isCounting ? percent : undefined, 'aria-label': 'Devices settled' }),
    h(
      'dl',
      { class: 'figures' },
      figure('Done', `${percent} %`),
      figure('Devices', `${number(settledCount(run))} of ${number(run.counts.total)}`),
      figure('Pace', run.recordsPerSecond === undefined ? '–' : rate(run.recordsPerSecond)),
      figure('Time left', run.etaSeconds === undefined ? '–' : `about ${duration(run.etaSeconds)}`),
      figure('Running for', tookOf(run)),
      figure('Lost to throttling', lost === 0 ? 'none' : duration(lost)),
    ),
    milestones(run),
  );
}

/** @param {Restore} run */
function phaseList(run) {
  const shown = run.dryRun ? phases.slice(0, 3) : phases;
  const at = shown.findIndex((phase) => phase.name === run.phase);
  const current = at === -1 ? shown.length - 1 : at;
  return h(
    'ol',
    { class: 'steps phases', 'aria-label': 'Phases' },
    shown.map(({ name, short }, index) =>
      h(
        'li',
        { class: index < current ? 'done' : '', 'aria-current': index === current ? 'step' : undefined },
        h('span', { class: 'step-mark', 'aria-hidden': true }, index < current ? '✓' : index + 1),
        h('span', { class: 'step-name' }, name === 'Writing' && run.dryRun ? 'Compare' : short),
        index < current && h('span', { class: 'unseen' }, ' (done)'),
      ),
    ),
  );
}

/**
 * @param {string} name
 * @param {string} value
 */
function figure(name, value) {
  return h('div', {}, h('dt', {}, name), h('dd', {}, value));
}

/**
 * What shows that a restore that is over did what it says.
 * @param {Restore} run
 */
export function proof(run) {
  if (run.status !== 'Succeeded' || run.dryRun || run.purpose === 'rollback') return undefined;
  const { counts, passes = run.pass ?? 1, repaired = 0, changedSince = 0, duplicatesCollapsed = 0 } = run;
  const looked =
    passes > 1
      ? `After writing, the hub was listed again (${plural(passes, 'pass', 'passes')} in all), until a look found nothing more to write.`
      : 'The hub was listed once and held every device already: nothing had to be written.';
  const sentences = [
    `${number(settledCount(run))} of ${number(counts.total)} devices are in place, none failed, none is open.`,
    looked,
    repaired > 0 &&
      `${plural(repaired, 'write')} had to be repeated, because the listing did not show what was written.`,
    changedSince > 0 && `${plural(changedSince, 'device')} changed by themselves meanwhile and were left as they are.`,
    duplicatesCollapsed > 0 &&
      `${plural(duplicatesCollapsed, 'doubled registration')} became one, so that nobody is pushed to twice.`,
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
    h('h3', {}, 'Next steps'),
    h(
      'ol',
      { class: 'next' },
      h(
        'li',
        {},
        'Let your back end send through ',
        h('strong', { class: 'name' }, hubName(run.target)),
        ' from now on.',
      ),
      h('li', {}, 'Send one test notification to a device of your own.'),
      h('li', {}, 'Keep the report with the incident’s record.'),
      h('li', {}, 'When the region is back, fail back by daylight, as docs/RUNBOOK.md says.'),
    ),
  );
}

/** @param {Restore} run */
function milestones({ milestones: at = {}, createdAt }) {
  /** @type {[string, string | undefined][]} */
  const all = [
    ['Half of the devices', at.p50At],
    ['90 %', at.p90At],
    ['99 %', at.p99At],
  ];
  const reached = all.flatMap(([name, iso]) => (iso === undefined ? [] : [{ name, iso }]));
  if (reached.length === 0) return undefined;
  return facts(
    reached.map(({ name, iso }) => [
      `${name} back after`,
      [
        duration((Date.parse(iso) - Date.parse(createdAt)) / 1000),
        h('span', { class: 'line muted small' }, moment(iso)),
      ],
    ]),
  );
}

/** @param {Restore} run */
export function runFacts(run) {
  const { snapshot, target, only, order, note, of } = run;
  return h(
    'section',
    { class: 'card', 'aria-label': 'About this restore' },
    facts([
      ['Snapshot', h('code', {}, snapshot.id)],
      ['Taken from', snapshot.hub === undefined ? undefined : hubName(snapshot.hub)],
      ['Target', `${hubName(target)} (${target.role})`],
      ['Only', only === undefined ? undefined : describeOnly(only)],
      ['First', order === undefined ? undefined : order.map(describeOnly).join(', then ')],
      ['Note', note],
      ['Belongs to', of === undefined ? undefined : h('a', { href: `#/restores/${encodeURIComponent(of)}` }, of)],
      ['Started', time(run.createdAt)],
      [
        'Ended',
        run.finishedAt === undefined
          ? undefined
          : [time(run.finishedAt), h('span', { class: 'line muted' }, `after ${tookOf(run)}`)],
      ],
      ['Asked by', run.requestedBy === 'http' ? 'a person or a script, over HTTP' : run.requestedBy],
      ['Id', h('code', {}, run.id)],
    ]),
  );
}

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
  return all.map((text) => notice('warn', h('p', {}, text)));
}
