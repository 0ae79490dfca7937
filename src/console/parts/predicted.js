import { duration, plural } from './format.js';

/** @typedef {Pick<import('../api-types.d.ts').Status, 'predictedRestore' | 'latestGoodSnapshot'>} Paced */

/**
 * How long restoring as many records would take at the pace that was measured last; `undefined` while none was.
 * @param {Paced} status
 * @param {number} records
 */
export function secondsFor({ predictedRestore, latestGoodSnapshot }, records) {
  if (!predictedRestore) return undefined;
  const { seconds, recordsPerSecond } = predictedRestore;
  if (latestGoodSnapshot === null) return records / recordsPerSecond;
  // What does not depend on the number of records, such as the looks at the hub, is part of the prediction.
  const besides = Math.max(0, seconds - latestGoodSnapshot.counts.records / recordsPerSecond);
  return Math.ceil(records / recordsPerSecond + besides);
}

/**
 * @param {Paced} status
 * @param {number} records
 */
export function predictionOf(status, records) {
  const what = records === 0 ? 'Looking at both hubs takes' : `Restoring ${plural(records, 'record')} takes`;
  const seconds = secondsFor(status, records);
  if (seconds === undefined) return `How long ${what.toLowerCase()} is known after the first restore or drill.`;
  return `${what} about ${duration(seconds)}, at the pace of the last ${status.predictedRestore?.basis}.`;
}
