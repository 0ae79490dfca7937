import { h } from './dom.js';

const names = ['Choose', 'Dry run', 'Confirm', 'Restore', 'Proof'];

/**
 * The five steps of a restore.
 * @param {number} current 1 to 5; 6 when all are done.
 */
export function stepper(current) {
  return stepList('Steps of a restore', names, current - 1);
}

/**
 * @param {string} label
 * @param {string[]} steps
 * @param {number} current Index into `steps`.
 */
export function stepList(label, steps, current) {
  return h(
    'ol',
    { class: 'steps', 'aria-label': label },
    steps.map((name, index) => {
      const isDone = index < current;
      return h(
        'li',
        { class: isDone ? 'done' : '', 'aria-current': index === current ? 'step' : undefined },
        h('span', { class: 'step-mark', 'aria-hidden': true }, isDone ? '✓' : index + 1),
        h('span', { class: 'step-name' }, name),
        isDone && h('span', { class: 'unseen' }, ' (done)'),
      );
    }),
  );
}
