import { ASKS_FOR_NAME } from './confirmed.ts';
import { exitCodes } from './errors.ts';
import { type Fact, formatCount, formatCounts, formatFacts, formatNumber, formatSeconds, joined } from './format.ts';
import { inCommands } from './in-commands.ts';
import { countsAt, flagAt, fullNameAt, type Json, listAt, numberAt, objectAt, textAt } from './json.ts';
import { describeCounts, describeOutcomes, explanationsOf, outcomeIn } from './outcomes.ts';
import { phaseOf } from './progress.ts';
import { tool } from './tool.ts';

export function isOver(view: Json): boolean {
  return ['Succeeded', 'Failed', 'Canceled'].includes(textAt(view, 'status') ?? '');
}

/** Its status in a word, as the page has it: `Incomplete` is a failure of some records only. With the reason of another. */
export function endOf(view: Json): string {
  const code = textAt(view, 'error', 'code');
  if (isIncomplete(view)) return 'Incomplete';
  const status = textAt(view, 'status') ?? '';
  return code === undefined ? status : `${status} (${code})`;
}

function isIncomplete(view: Json): boolean {
  return textAt(view, 'error', 'code') === 'RestoreIncomplete';
}

/** Exit code of a run that is over: done, incomplete, or failed (which includes canceled). */
export function exitCodeOf(view: Json): number {
  if (textAt(view, 'verdict') === 'Failed') return exitCodes.failed;
  if (textAt(view, 'status') === 'Succeeded') return exitCodes.done;
  return isIncomplete(view) ? exitCodes.incomplete : exitCodes.failed;
}

/** `Restore`, `Sync`, `Dry run`, `Retry`, `Rollback`, `Backup`, `Verification` or `Drill`. */
export function nounOf(view: Json): string {
  if (flagAt(view, 'dryRun') === true) return 'Dry run';
  const kind = textAt(view, 'kind') ?? ('how' in view ? 'drill' : 'run');
  const name = kind === 'restore' ? (textAt(view, 'purpose') ?? kind) : kind;
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/**
 * A run's state or outcome, its results, and the commands to continue with, on a screen of that width. `amount`: what its
 * snapshot holds, in all units.
 */
export function summarize(view: Json, columns?: number, amount?: string): string {
  const code = textAt(view, 'error', 'code');
  const reason = textAt(view, 'reason');
  const retriedBy = textAt(view, 'retriedBy');
  const facts: readonly Fact[] = [
    ['snapshot', textAt(view, 'snapshot', 'id') ?? textAt(view, 'snapshot')],
    ['holds', amount],
    ...placesOf(view),
    ['how', textAt(view, 'how')],
    ['of', textAt(view, 'of')],
    ...factsOfKind(view),
    ['error', code && `${code}: ${inCommands(textAt(view, 'error', 'message') ?? '')}`],
    ['completed', retriedBy && `retry ${retriedBy} has put in place what was left out`],
    ['reason', reason && inCommands(reason)],
    ['failures', formatCounts(countsAt(view, 'failuresByCode')) || undefined],
    ...listAt(view, 'warnings').map((warning): Fact => [warningLabel(warning), inCommands(String(warning))]),
    ['now', describeMove(view)],
    ...listAt(view, 'nextActions').flatMap((action): Fact[] => {
      const command = textAt(action, 'command');
      if (command === undefined || isTakenFromDevices(action)) return [];
      return [['next', `${tool} ${command}`, true], ...aboutNext(action, view)];
    }),
  ];
  return `${headline(view)}\n${formatFacts(facts, 9, columns)}`;
}

/** A printed command carries no confirmation. */
function aboutNext(action: unknown, view: Json): readonly Fact[] {
  if (textAt(action, 'name') === 'chooseAnother') {
    const target = textAt(view, 'target', 'role') ?? 'standby';
    return [['', `choose another snapshot; ID is its id in: restore --snapshot ID --target ${target} --watch`]];
  }
  const what = aboutNames[textAt(action, 'name') ?? ''];
  return [
    ...(what === undefined ? [] : [['', what] as const]),
    ...(flagAt(action, 'needsConfirm') === true ? [['', ASKS_FOR_NAME] as const] : []),
  ];
}

/** Where more than one command would help. */
const aboutNames: Readonly<Record<string, string>> = {
  retry: 'restores what failed, and no more',
  restoreAgain: 'restores all of it again',
};

/** One that asks nothing says so itself. */
export function warningLabel(warning: unknown): string {
  return String(warning).endsWith('Nothing to decide.') ? 'note:' : 'warning:';
}

/** From the hub in use it is for who knows that the restore was wrong: the runbook says how. */
function isTakenFromDevices(action: unknown): boolean {
  return textAt(action, 'name') === 'rollback' && flagAt(action, 'writesToHubInUse') === true;
}

/** A rollback takes nothing from the snapshot's hub. */
function placesOf(view: Json): readonly Fact[] {
  const target = fullNameAt(view, 'target');
  if (textAt(view, 'purpose') === 'rollback') return [['in', target]];
  return [
    ['from', fullNameAt(view, 'snapshot', 'hub')],
    ['into', target],
  ];
}

/** What became of a run, in a line. */
export function headline(view: Json): string {
  const milliseconds = Date.parse(textAt(view, 'finishedAt') ?? '') - Date.parse(textAt(view, 'createdAt') ?? '');
  const phase = textAt(view, 'phase') === undefined ? '' : phaseOf(view);
  const status = isIncomplete(view) ? 'Incomplete' : textAt(view, 'status');
  // Most records are in place, and backends are to be pointed at it.
  const hasSwitched = textAt(view, 'status') === 'Failed' && textAt(view, 'activatedAt') !== undefined;
  return joined(' ', [
    `${nounOf(view)} ${textAt(view, 'id') ?? ''}: ${textAt(view, 'verdict') ?? status ?? 'unknown'}`,
    hasSwitched && `for ${formatNumber(numberAt(view, 'counts', 'failed') ?? 0, 'record')}`,
    status === 'Running' && phase !== '' && `(${phase})`,
    !Number.isNaN(milliseconds) && `after ${formatSeconds(milliseconds / 1000)}${hasSwitched ? ';' : ''}`,
    hasSwitched && `${fullNameAt(view, 'target')} came into use`,
  ]);
}

function factsOfKind(view: Json): readonly Fact[] {
  switch (textAt(view, 'kind')) {
    case 'restore':
      return restoreFacts(view);
    case 'backup':
      return [...backupFacts(objectAt(view, 'result')), ['hub', fullNameAt(view, 'hub')]];
    case 'verification':
      return [['records', describeOutcomes(view, 'counts')], ...listAt(view, 'damagedArtefacts').map(damageFact)];
    default:
      return [];
  }
}

function damageFact(damaged: unknown): Fact {
  return ['damaged', `${textAt(damaged, 'name')}: ${textAt(damaged, 'message')}`];
}

function restoreFacts(view: Json): readonly Fact[] {
  const passes = numberAt(view, 'passes') ?? numberAt(view, 'pass') ?? 0;
  const repaired = numberAt(view, 'repaired') ?? 0;
  const hasWritten = textAt(view, 'status') === 'Succeeded' && flagAt(view, 'dryRun') !== true && passes > 0;
  const isProven = hasWritten && textAt(view, 'purpose') !== 'rollback';
  const repairs = repaired > 0 ? ` (${formatCount(repaired)} repaired along the way)` : '';
  return [
    ['records', describeCounts(view, 'counts')],
    ...Object.keys(objectAt(view, 'byPlatform')).map(
      (platform): Fact => [`  ${platform.padEnd(9)}`, describeOutcomes(view, 'byPlatform', platform)],
    ),
    ...explanationsOf(view).map((text): Fact => ['', text]),
    ['besides', besides.flatMap(([name, words]) => countOf(view, name, words)).join(', ') || undefined],
    ...examplesIn(view),
    ['in use', describeSwitch(view)],
    ['proof', isProven ? `pass ${passes} looked at the hub again and had nothing left to write${repairs}` : undefined],
  ];
}

/** Of a restore that was to make its target the hub in use, whether it did. */
function describeSwitch(view: Json): string | undefined {
  if (flagAt(view, 'activate') !== true || flagAt(view, 'dryRun') === true || !isOver(view)) return undefined;
  const since = textAt(view, 'activatedAt');
  return since === undefined ? 'as before: the hubs were NOT switched' : `${fullNameAt(view, 'target')} since ${since}`;
}

/** What a switch leaves to people, while its target is the hub in use. */
function describeMove(view: Json): string | undefined {
  if (textAt(view, 'activatedAt') === undefined || flagAt(view, 'targetInUse') !== true) return undefined;
  return `point all backends that register or send at ${fullNameAt(view, 'target')}, send to a phone of your own, then resume sends`;
}

/** Records that are named of those with the same outcome. */
const EXAMPLES = 3;

/** What is counted beside the outcomes of the records. */
const besides: readonly (readonly [name: string, words: string])[] = [
  ['duplicatesCollapsed', 'duplicate merged'],
  ['superseded', 'registration left out: an older template, or one without a name'],
  ['partialInstallations', 'installation known by templates only'],
  ['raced', 'record created over what a device had just registered'],
  ['removedByService', 'record written, shown, and then removed by the service'],
  ['attempted', 'record perhaps written'],
];

function countOf(view: Json, name: string, words: string): readonly string[] {
  const count = numberAt(view, name) ?? 0;
  return count === 0 ? [] : [formatNumber(count, words)];
}

/** Of a dry run: a few records of each outcome, and the command that lists them all. */
function examplesIn(view: Json): readonly Fact[] {
  const outcomes = Object.keys(objectAt(view, 'examples'));
  return [
    ...outcomes.flatMap((name): Fact[] => {
      // The hash of a key does not say which record it is: the list says more.
      const records = listAt(view, 'examples', name)
        .map(String)
        .filter((record) => !record.startsWith('key '));
      const named = records.slice(0, EXAMPLES).join(', ');
      return named === '' ? [] : [['such as', `${outcomeIn(view, name)}: ${named}`]];
    }),
    ['by name', outcomes.length > 0 ? joined(' ', [tool, 'records', textAt(view, 'id')]) : undefined, true],
  ];
}

function backupFacts(result: Json): readonly Fact[] {
  const id = textAt(result, 'snapshotId');
  if (id === undefined) return [];
  const records = formatNumber(numberAt(result, 'recordCount') ?? 0, 'record');
  const amount = textAt(result, 'amount') ?? records;
  const reasons = listAt(result, 'healthReasons').map(String).join('; ');
  return [
    ['snapshot', `${id}: ${amount}, ${textAt(result, 'health')}`],
    ['suspect', reasons === '' ? undefined : `${reasons}. It is kept, but only restored if you name it.`],
  ];
}
