import { formatCount, formatSeconds } from './format.ts';
import { type Json, numberAt, textAt } from './json.ts';
import type { Terminal } from './terminal.ts';

/** Shows how a run goes on: a bar drawn over itself on a screen, a line a change elsewhere. */
export interface Progress {
  show(view: Json): void;
  /** Leaves the screen clean for what comes after. */
  end(): void;
}

const BAR_WIDTH = 24;
/** Lines are written at each phase and each tenth of it: a log wants to be read, not scrolled. */
const LINE_EVERY_PERCENT = 10;

export function createProgress(terminal: Terminal): Progress {
  let isDrawn = false;
  let lastLine = '';
  return {
    show(view) {
      const columns = terminal.columns();
      if (columns !== undefined) {
        terminal.err(`\r\u001b[2K${drawBar(view).slice(0, columns - 1)}`);
        isDrawn = true;
        return;
      }
      const percent = percentOf(view);
      const step = percent === undefined ? '' : Math.floor(percent / LINE_EVERY_PERCENT);
      const key = `${phaseOf(view)} ${numberAt(view, 'pass')} ${step}`;
      if (key !== lastLine) terminal.err(`${describe(view)}\n`);
      lastLine = key;
    },
    end() {
      if (isDrawn) terminal.err('\r\u001b[2K');
      isDrawn = false;
    },
  };
}

function drawBar(view: Json): string {
  const percent = percentOf(view);
  if (percent === undefined) return describe(view);
  const full = Math.round((percent / 100) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${describe(view)}`;
}

/** `Writing 45 %, 900 of 2,000, 310 a second, 4 s left, throttled 3 s` as far as it is known. */
function describe(view: Json): string {
  const phase = phaseOf(view);
  const pass = numberAt(view, 'pass') ?? 1;
  const percent = percentOf(view);
  const total = numberAt(view, 'counts', 'total');
  const rowsRead = numberAt(view, 'rowsRead');
  const rate = numberAt(view, 'recordsPerSecond') ?? 0;
  const eta = numberAt(view, 'etaSeconds');
  const throttled = numberAt(view, 'secondsLostToThrottling') ?? 0;
  const failed = numberAt(view, 'counts', 'failed') ?? numberAt(view, 'counts', 'damaged') ?? 0;
  return [
    `${phase}${pass > 1 ? ` (pass ${pass})` : ''}${percent === undefined ? '' : ` ${Math.floor(percent)} %`}`,
    ...(total === undefined ? [] : [`${formatCount(total - pendingOf(view))} of ${formatCount(total)}`]),
    ...(total !== undefined || rowsRead === undefined ? [] : [`${formatCount(rowsRead)} rows read`]),
    ...(rate === 0 ? [] : [`${formatCount(rate)} a second`]),
    ...(eta === undefined ? [] : [`${formatSeconds(eta)} left`]),
    ...(throttled < 1 ? [] : [`throttled ${formatSeconds(throttled)}`]),
    ...(failed === 0 ? [] : [`${formatCount(failed)} failed`]),
  ].join(', ');
}

/** A drill calls it stage. */
function phaseOf(view: Json): string {
  return textAt(view, 'phase') ?? textAt(view, 'stage') ?? textAt(view, 'status') ?? 'Running';
}

/** As the app says; from the counts where it says nothing. */
function percentOf(view: Json): number | undefined {
  const told = numberAt(view, 'percent');
  if (told !== undefined) return Math.min(100, Math.max(0, told));
  const total = numberAt(view, 'counts', 'total');
  return total === undefined || total === 0 ? undefined : ((total - pendingOf(view)) / total) * 100;
}

function pendingOf(view: Json): number {
  return numberAt(view, 'counts', 'pending') ?? 0;
}
