import { duration, plural } from './format.js';

/** @typedef {Pick<import('../api-types.d.ts').Status, 'predictedRestore' | 'latestGoodSnapshot'>} Paced */

/**
 * How long restoring as many devices would take at the pace that was measured last; `undefined` while none was.
 * @param {Paced} status
 * @param {number} devices
 */
export function secondsFor({ predictedRestore, latestGoodSnapshot }, devices) {
  if (!predictedRestore) return undefined;
  const { seconds, recordsPerSecond } = predictedRestore;
  if (latestGoodSnapshot === null) return devices / recordsPerSecond;
  // What does not depend on the number of devices, such as the looks at the hub, is part of the prediction.
  const besides = Math.max(0, seconds - latestGoodSnapshot.counts.records / recordsPerSecond);
  return Math.ceil(devices / recordsPerSecond + besides);
}

/**
 * @param {Paced} status
 * @param {number} devices
 */
export function predictionOf(status, devices) {
  const what = devices === 0 ? 'Looking at both hubs takes' : `Restoring ${plural(devices, 'device')} takes`;
  const seconds = secondsFor(status, devices);
  if (seconds === undefined) return `How long ${what.toLowerCase()} is known after the first restore or drill.`;
  return `${what} about ${duration(seconds)}, at the pace of the last ${status.predictedRestore?.basis}.`;
}
