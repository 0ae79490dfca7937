import { h } from './dom.js';

const names = ['Choose', 'Dry run', 'Confirm', 'Restore', 'Proof'];

/**
 * The five steps of a restore.
 * @param {number} current 1 to 5; 6 when all are done.
 * @param {'failed' | 'stopped'} [ending] Of the current one, where it is over.
 */
export function stepper(current, ending) {
  return stepList('Steps of a restore', names, current - 1, ending);
}

/**
 * @param {string} label
 * @param {string[]} steps
 * @param {number} current Index into `steps`.
 * @param {'failed' | 'stopped'} [ending]
 */
export function stepList(label, steps, current, ending) {
  return h(
    'ol',
    { class: 'steps', 'aria-label': label },
    steps.map((name, index) => {
      const isDone = index < current;
      const end = index === current ? ending : undefined;
      return h(
        'li',
        { class: isDone ? 'done' : (end ?? ''), 'aria-current': index === current ? 'step' : undefined },
        h('span', { class: 'step-mark', 'aria-hidden': true }, isDone ? '✓' : end === undefined ? index + 1 : '✕'),
        h('span', { class: 'step-name' }, name),
        (isDone || end) && h('span', { class: 'unseen' }, ` (${end ?? 'done'})`),
      );
    }),
  );
}
