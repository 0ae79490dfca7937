import { call } from '../app/api.js';
import { settledCount } from '../parts/counts.js';
import { number } from '../parts/format.js';
import { isOver } from '../parts/widgets.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */

/**
 * A finished retry, with what was in place before it.
 * @typedef {object} Whole
 * @property {string} sum `2,950 + 97 = 3,047`, all in records.
 * @property {number} before
 * @property {number} now
 * @property {number} total
 * @property {Restore} first The restore that is retried, maybe not for the first time.
 */

/** Retries of a retry, of which each is about less. */
const MOST_RETRIES = 20;

/**
 * @param {Restore} run
 * @param {Restore[]} all
 * @returns {Whole | undefined} Nothing of another run, of one that still runs, or where the first is not among `all`
 */
export function wholeOf(run, all) {
  if (run.purpose !== 'retry' || !isOver(run)) return undefined;
  let first = run;
  for (let steps = 0; first.purpose === 'retry' && steps < MOST_RETRIES; steps++) {
    const before = all.find(({ id }) => id === first.of);
    if (before === undefined) return undefined;
    first = before;
  }
  if (first.purpose === 'retry') return undefined;
  const { total } = first.counts;
  const now = settledCount(run);
  const before = total - run.counts.total;
  return { sum: `${number(before)} + ${number(now)} = ${number(before + now)}`, before, now, total, first };
}

/**
 * The same, with what it takes read from the API.
 * @param {Restore} run
 */
export async function readWhole(run) {
  /** @type {Restore[]} */
  const all = [];
  for (let of = run.of; of !== undefined && all.length < MOST_RETRIES; of = all.at(-1)?.of) {
    all.push(await call(`restores/${encodeURIComponent(of)}`));
  }
  return wholeOf(run, all);
}
