import { h, svg } from './dom.js';
import { dayAndTime, moment, number, plural } from './format.js';

const HEIGHT = 170;
const LEFT = 8;
const TOP = 26;
const BOTTOM = 24;
const SHOWN = 60;

/**
 * Records in each snapshot over time. The label describes the line for screen readers; the list below has every number.
 * Drawn by hand: one line does not justify a library that the page would have to serve.
 * @param {import('../api-types.d.ts').Snapshot[]} snapshots Newest first.
 */
export function sizeChart(snapshots) {
  const points = snapshots
    .filter((one) => one.counts !== undefined && one.readStartedAt !== undefined)
    .slice(0, SHOWN)
    .reverse()
    .map((one) => ({
      at: Date.parse(one.readStartedAt ?? ''),
      records: one.counts?.records ?? 0,
      isGood: one.health === 'good',
      snapshot: one,
    }));
  if (!showsSomething(points)) return undefined;
  const figure = h('figure', { class: 'chart' });
  // Drawn in real pixels, so that its text has the size of all other text at any width.
  new ResizeObserver(([entry]) => draw(figure, points, entry?.contentRect.width ?? 0)).observe(figure);
  return figure;
}

const LEAST_POINTS = 3;
/** Of the largest snapshot: less than this is a flat line. */
const LEAST_CHANGE = 0.02;

/**
 * A flat line, or a few points of it, say no more than the list does.
 * @param {Point[]} points
 */
function showsSomething(points) {
  const records = points.map((point) => point.records);
  const isFlat = Math.max(...records) - Math.min(...records) < LEAST_CHANGE * Math.max(...records);
  return points.length >= LEAST_POINTS && (!isFlat || points.some((point) => !point.isGood));
}

/** @typedef {{ at: number, records: number, isGood: boolean, snapshot: import('../api-types.d.ts').Snapshot }} Point */

/**
 * @param {HTMLElement} figure
 * @param {Point[]} points Oldest first.
 * @param {number} space In pixels.
 */
function draw(figure, points, space) {
  const width = Math.max(200, space);
  const from = points[0]?.at ?? 0;
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - from);
  const top = Math.max(1, ...points.map((point) => point.records));
  const x = (/** @type {Point} */ point) => LEFT + ((point.at - from) / span) * (width - 2 * LEFT);
  const y = (/** @type {number} */ records) => TOP + (1 - records / top) * (HEIGHT - TOP - BOTTOM);
  const line = points.map((point) => `${x(point).toFixed(1)},${y(point.records).toFixed(1)}`);
  const baseline = y(0);
  const text = (
    /** @type {number} */ left,
    /** @type {number} */ up,
    /** @type {string} */ anchor,
    /** @type {string} */ content,
  ) => svg('text', { x: left, y: up, 'text-anchor': anchor }, content);
  figure.replaceChildren(
    svg(
      'svg',
      { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', 'aria-label': describe(points) },
      svg('line', { class: 'grid', x1: 0, x2: width, y1: y(top), y2: y(top) }),
      svg('line', { class: 'axis', x1: 0, x2: width, y1: baseline, y2: baseline }),
      svg('polygon', { class: 'area', points: `${LEFT},${baseline} ${line.join(' ')} ${width - LEFT},${baseline}` }),
      svg('polyline', { class: 'line', points: line.join(' ') }),
      points.map((point) => marker(point, x(point), y(point.records))),
      text(0, 14, 'start', `Peak: ${plural(top, 'record')}`),
      text(0, HEIGHT - 6, 'start', dayAndTime(from)),
      text(width, HEIGHT - 6, 'end', dayAndTime(from + span)),
    ),
  );
}

/**
 * @param {Point} point
 * @param {number} x
 * @param {number} y
 */
function marker({ records, isGood, snapshot }, x, y) {
  const title = svg(
    'title',
    {},
    `${moment(snapshot.readStartedAt ?? '')}: ${plural(records, 'record')}${isGood ? '' : ', suspect'}`,
  );
  if (isGood) return svg('circle', { class: 'good', cx: x, cy: y, r: 3.5 }, title);
  return svg('path', { class: 'suspect', d: `M${x} ${y - 8}l7 13h-14Z` }, title);
}

/** @param {Point[]} points */
function describe(points) {
  const records = points.map((point) => point.records);
  const suspects = points.filter((point) => !point.isGood).length;
  const first = points[0]?.snapshot.readStartedAt ?? '';
  const last = points.at(-1)?.snapshot.readStartedAt ?? '';
  return (
    `Records in the last ${plural(points.length, 'snapshot')}, from ${moment(first)} to ${moment(last)}: ` +
    `between ${number(Math.min(...records))} and ${number(Math.max(...records))}, ` +
    `${number(records.at(-1))} in the newest. ${suspects === 0 ? 'None' : number(suspects)} of them suspect.`
  );
}
