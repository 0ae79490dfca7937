import { formatCount, formatNumber, formatRate, formatSeconds, joined } from './format.ts';
import { flagAt, type Json, numberAt, objectAt, textAt } from './json.ts';
import type { Terminal } from './terminal.ts';

const BAR_WIDTH = 24;
const MIN_BAR_WIDTH = 5;
const BRACKETS = '[] ';
/** A log gets one line per phase and per tenth of it. */
const LINE_EVERY_PERCENT = 10;
const CLEAR_LINE = '\r\u001b[2K';

/**
 * Shows a run's progress: a bar redrawn in place on a screen, one line per change elsewhere. By hand: bar libraries own
 * the timer and the stream, while this one draws whatever each poll brings.
 */
export function createProgress(terminal: Terminal) {
  let isDrawn = false;
  /** Of the screen, and of the bar on it, which only ever shrinks: else it would jump with each figure. */
  let drawn = { columns: 0, width: BAR_WIDTH };
  let lastChange = '';
  return {
    show(view: Json): void {
      const columns = terminal.columns();
      if (columns !== undefined) {
        if (drawn.columns !== columns) drawn = { columns, width: BAR_WIDTH };
        const text = describeProgress(view, terminal.now());
        const percent = percentOf(view);
        if (percent !== undefined) drawn.width = Math.min(drawn.width, columns - 1 - text.length - BRACKETS.length);
        const line = percent === undefined ? text : `${drawBar(percent, drawn.width)}${text}`;
        terminal.err(`${CLEAR_LINE}${line.slice(0, columns - 1)}`);
        isDrawn = true;
        return;
      }
      const tenth = Math.floor((percentOf(view) ?? -1) / LINE_EVERY_PERCENT);
      const waitsSince = textAt(view, 'waiting', 'since') ?? '';
      const change = `${phaseOf(view)} ${numberAt(view, 'pass')} ${tenth} ${waitsSince}`;
      if (change !== lastChange) terminal.err(`${describeProgress(view, terminal.now())}\n`);
      lastChange = change;
    },
    /** Clears the bar. */
    end(): void {
      if (isDrawn) terminal.err(CLEAR_LINE);
      isDrawn = false;
    },
  };
}

/** On a narrow screen the bar gives way to what it means. */
function drawBar(percent: number, width: number): string {
  if (width < MIN_BAR_WIDTH) return '';
  const full = Math.round((percent / 100) * width);
  return `[${'#'.repeat(full).padEnd(width, '.')}] `;
}

/** `Writing 45 %, 4 s left, 900 of 2,000, 310 a second, throttled 3 s`, with what is known of it. */
export function describeProgress(view: Json, nowMs: number): string {
  const pass = numberAt(view, 'pass') ?? 1;
  const percent = percentOf(view);
  const rate = numberAt(view, 'recordsPerSecond') ?? 0;
  const eta = numberAt(view, 'etaSeconds');
  const throttled = numberAt(view, 'secondsLostToThrottling') ?? 0;
  const failed = numberAt(view, 'counts', 'failed') ?? numberAt(view, 'counts', 'damaged') ?? 0;
  const phase = `${phaseOf(view)}${pass > 1 ? ` (pass ${pass})` : ''}`;
  const waiting = describeWait(objectAt(view, 'waiting'), nowMs);
  if (waiting !== undefined) return joined(', ', [phase, amountOf(view), waiting]);
  const settleSeconds = (Date.parse(textAt(view, 'settlesUntil') ?? '') - nowMs) / 1000;
  if (settleSeconds > 0)
    return `${phase} in ${formatSeconds(settleSeconds)}: the hub gets time to show what was written`;
  const isUnwritten = rate !== 0 && isWriting(view) && !hasWritten(view);
  return joined(', ', [
    percent === undefined ? phase : `${phase} ${Math.floor(percent)} %`,
    eta !== undefined && (percent === 100 ? `proven in ${formatSeconds(eta)}` : `${formatSeconds(eta)} left`),
    amountOf(view),
    isUnwritten ? 'nothing to write yet' : rate !== 0 && formatRate(rate),
    throttled >= 1 && `throttled ${formatSeconds(throttled)}`,
    failed !== 0 && `${formatCount(failed)} failed`,
  ]);
}

/** `waiting for one/devices for 3 min (connection refused), next try in 20 s` */
export function describeWait(waiting: Json, nowMs: number): string | undefined {
  const on = textAt(waiting, 'on');
  if (on === undefined) return undefined;
  const secondsTo = (name: string) => (Date.parse(textAt(waiting, name) ?? '') - nowMs) / 1000;
  const next = secondsTo('nextTryAt') > 0 ? `next try in ${formatSeconds(secondsTo('nextTryAt'))}` : 'trying now';
  return `waiting for ${on} for ${formatSeconds(-secondsTo('since'))} (${textAt(waiting, 'cause')}), ${next}`;
}

/** While a hub is listed no record is settled: then it is the rows that were read. */
function amountOf(view: Json): string {
  const total = numberAt(view, 'counts', 'total');
  const rowsRead = numberAt(view, 'rowsRead');
  const expected = numberAt(view, 'rowsExpected');
  if (rowsRead !== undefined) {
    return `${formatNumber(rowsRead, 'row read')}${expected ? ` of about ${formatCount(expected)}` : ''}`;
  }
  if (total === undefined || isBeforeCounting(view)) return '';
  return `${formatCount(total - pendingOf(view))} of ${formatCount(total)}`;
}

/** A drill calls its phase a stage; a dry run writes nothing. */
export function phaseOf(view: Json): string {
  if (flagAt(view, 'dryRun') === true && textAt(view, 'phase') === 'Writing') return 'Comparing';
  return textAt(view, 'phase') ?? textAt(view, 'stage') ?? textAt(view, 'status') ?? 'Running';
}

function isWriting(view: Json): boolean {
  return textAt(view, 'phase') === 'Writing' && flagAt(view, 'dryRun') !== true;
}

const written = ['created', 'updated', 'renewed', 'moved', 'withdrawn', 'removed', 'putBack'] as const;

/** Else its pace is one of looking. */
function hasWritten(view: Json): boolean {
  return written.some((name) => (numberAt(view, 'counts', name) ?? 0) > 0);
}

/** As reported by the app, else from the counts; of the rows while a hub is listed, where it is known how many it may have. */
function percentOf(view: Json): number | undefined {
  const rowsRead = numberAt(view, 'rowsRead');
  const expected = numberAt(view, 'rowsExpected') ?? 0;
  if (rowsRead !== undefined) return expected === 0 ? undefined : Math.min(99, (rowsRead / expected) * 100);
  if (isBeforeCounting(view)) return undefined;
  const reported = numberAt(view, 'percent');
  if (reported !== undefined) return Math.min(100, Math.max(0, reported));
  const total = numberAt(view, 'counts', 'total') ?? 0;
  return total === 0 ? undefined : ((total - pendingOf(view)) / total) * 100;
}

/** Of a restore: 0 % would look like a standstill. */
function isBeforeCounting(view: Json): boolean {
  const phase = textAt(view, 'phase');
  return (phase === 'Reading' || phase === 'Sorting') && numberAt(view, 'percent') === 0;
}

function pendingOf(view: Json): number {
  return numberAt(view, 'counts', 'pending') ?? 0;
}
