import { h } from './dom.js';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** @param {number | null | undefined} value */
export function number(value) {
  return whole.format(value ?? 0);
}

/** @param {number} perSecond */
export function rate(perSecond) {
  return `${perSecond < 10 ? tenth.format(perSecond) : number(perSecond)} a second`;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/**
 * Rounded down; `under 1 %` where that would say that there are none.
 * @param {number} percent
 * @param {number} count
 */
export function share(percent, count) {
  return percent === 0 && count > 0 ? 'under 1 %' : `${percent} %`;
}

/**
 * The two largest units: `3 h 20 min`.
 * @param {number} seconds
 */
export function duration(seconds) {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return join(Math.floor(total / 60), 'min', total < 600 ? total % 60 : 0, 's');
  if (total < 86_400) return join(Math.floor(total / 3600), 'h', Math.round((total % 3600) / 60), 'min');
  return join(Math.floor(total / 86_400), total < 172_800 ? 'day' : 'days', Math.round((total % 86_400) / 3600), 'h');
}

/**
 * @param {number} large
 * @param {string} unit
 * @param {number} small
 * @param {string} smallUnit
 */
function join(large, unit, small, smallUnit) {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${tenth.format(bytes / 1000 ** power)} ${units[power - 1]}`;
}

/** @param {string} iso */
export function ago(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  if (seconds < 5) return 'just now';
  // From one minute on, seconds are noise.
  return `${duration(seconds < 60 ? seconds - (seconds % 5) : seconds - (seconds % 60))} ago`;
}

/** @type {Intl.DateTimeFormatOptions} */
const toTheMinute = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' };
const local = new Intl.DateTimeFormat('en-GB', toTheMinute);
const exact = new Intl.DateTimeFormat('en-GB', { ...toTheMinute, second: '2-digit' });
const utc = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });

/**
 * `23 Nov, 15:04 CET (14:04 UTC)`: incident reports use UTC, people local time.
 * @param {string} iso
 * @param {boolean} [isExact] To the second.
 */
export function moment(iso, isExact = false) {
  const at = new Date(iso);
  const text = (isExact ? exact : local).format(at);
  return at.getTimezoneOffset() === 0 ? text : `${text} (${utc.format(at)} UTC)`;
}

const seconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** `15:04:05`. @param {number} at Epoch milliseconds. */
export function clock(at) {
  return seconds.format(at);
}

const brief = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** @param {number} at Epoch milliseconds. */
export function dayAndTime(at) {
  return brief.format(at);
}

/**
 * How long ago, followed by the instant. Kept current by {@link keepTimesFresh}.
 * @param {string | null | undefined} iso
 */
export function time(iso) {
  if (!iso || Number.isNaN(Date.parse(iso))) return 'never';
  return h(
    'span',
    {},
    h('time', { datetime: iso, 'data-relative': true }, ago(iso)),
    ' ',
    h('span', { class: 'instant muted small' }, moment(iso)),
  );
}

/**
 * The instant, followed by how long ago it was: for lists, in which one looks for a time.
 * @param {string} iso
 * @param {boolean} [isExact] To the second.
 */
export function clockTime(iso, isExact) {
  return h(
    'span',
    {},
    moment(iso, isExact),
    ' ',
    h('time', { datetime: iso, 'data-relative': true, class: 'muted small' }, ago(iso)),
  );
}

/** Updates the relative times on the page. */
export function keepTimesFresh() {
  setInterval(() => {
    for (const element of document.querySelectorAll('time[data-relative]')) {
      const text = ago(element.getAttribute('datetime') ?? '');
      if (element.textContent !== text) element.textContent = text;
    }
  }, 5000);
}
