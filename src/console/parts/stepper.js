import { h } from './dom.js';

const names = ['Choose', 'Dry run', 'Confirm', 'Restore', 'Proof'];

/**
 * Where one is on the way from choosing a snapshot to the proof.
 * @param {number} current 1 to 5
 */
export function stepper(current) {
  return h(
    'ol',
    { class: 'steps', 'aria-label': 'Steps of a restore' },
    names.map((name, index) => {
      const isDone = index + 1 < current;
      return h(
        'li',
        { class: isDone ? 'done' : '', 'aria-current': index + 1 === current ? 'step' : undefined },
        h('span', { class: 'step-mark', 'aria-hidden': true }, isDone ? '✓' : index + 1),
        h('span', { class: 'step-name' }, name),
        isDone && h('span', { class: 'unseen' }, ' (done)'),
      );
    }),
  );
}
