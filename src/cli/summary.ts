import { exitCodes } from './errors.ts';
import { formatCount, formatSeconds, secondsBetween } from './format.ts';
import { countsAt, flagAt, isObject, type Json, listAt, numberAt, objectAt, textAt } from './json.ts';
import { nextCommands } from './next-commands.ts';

/** Exit code of a run that is over: done, incomplete, or failed (canceled counts as failed). */
export function exitCodeOf(view: Json): number {
  if (textAt(view, 'verdict') === 'Failed') return exitCodes.failed;
  if (textAt(view, 'status') === 'Succeeded') return exitCodes.done;
  return textAt(view, 'error', 'code') === 'RestoreIncomplete' ? exitCodes.incomplete : exitCodes.failed;
}

/** `Restore`, `Dry run`, `Retry`, `Rollback`, `Backup`, `Verification` or `Drill`. */
export function nounOf(view: Json): string {
  if (flagAt(view, 'dryRun') === true) return 'Dry run';
  const kind = textAt(view, 'kind') ?? ('how' in view ? 'drill' : 'run');
  const name = kind === 'restore' ? (textAt(view, 'purpose') ?? kind) : kind;
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** How a run stands or ended, what it did, and the commands to go on with. */
export function summarize(view: Json): string {
  const kind = textAt(view, 'kind');
  return [
    headline(view),
    ...targetLines(view),
    ...(kind === 'restore' ? restoreLines(view) : []),
    ...(kind === 'backup' ? backupLines(view) : []),
    ...(kind === 'verification' ? verificationLines(view) : []),
    ...errorLines(view),
    ...listAt(view, 'warnings').map((warning) => `  warning: ${String(warning)}`),
    ...nextCommands(view).map((command) => `  next     notification-hubs-dr ${command}`),
    '',
  ].join('\n');
}

function headline(view: Json): string {
  const seconds = secondsBetween(textAt(view, 'createdAt'), textAt(view, 'finishedAt'));
  const phase = textAt(view, 'phase') ?? '';
  const isRunning = textAt(view, 'status') === 'Running' && phase !== '';
  return (
    `${nounOf(view)} ${textAt(view, 'id') ?? ''}: ${textAt(view, 'verdict') ?? textAt(view, 'status') ?? 'unknown'}` +
    (isRunning ? ` (${phase})` : '') +
    (seconds === undefined ? '' : ` after ${formatSeconds(seconds)}`)
  );
}

function targetLines(view: Json): string[] {
  const snapshot = textAt(view, 'snapshot', 'id') ?? textAt(view, 'snapshot');
  const hub = textAt(view, 'target', 'hub');
  const lines = [];
  if (snapshot !== undefined) lines.push(`  snapshot ${snapshot}`);
  if (hub !== undefined) lines.push(`  into     ${textAt(view, 'target', 'namespace')}/${hub}`);
  const how = textAt(view, 'how');
  if (how !== undefined) lines.push(`  how      ${how}`);
  const of = textAt(view, 'of');
  if (of !== undefined) lines.push(`  of       ${of}`);
  return lines;
}

const countWords: Readonly<Record<string, string>> = { updated: 'completed', keptLive: 'kept live' };

function restoreLines(view: Json): string[] {
  const total = numberAt(view, 'counts', 'total') ?? 0;
  const passes = numberAt(view, 'passes') ?? numberAt(view, 'pass') ?? 0;
  const repaired = numberAt(view, 'repaired') ?? 0;
  const isProven = textAt(view, 'status') === 'Succeeded' && flagAt(view, 'dryRun') !== true && passes > 0;
  const lines = [`  devices  ${formatCount(total)}: ${describeCounts(objectAt(view, 'counts')) || 'none'}`];
  for (const [platform, counts] of Object.entries(objectAt(view, 'byPlatform'))) {
    lines.push(`    ${platform.padEnd(9)}${describeCounts(isObject(counts) ? counts : {})}`);
  }
  if (isProven && textAt(view, 'purpose') !== 'rollback') {
    lines.push(
      `  proof    pass ${passes} listed the hub and had nothing left to write` +
        (repaired > 0 ? ` (${formatCount(repaired)} repaired on the way)` : ''),
    );
  }
  return lines;
}

function describeCounts(counts: Json): string {
  return countsAt(counts)
    .filter(([name]) => name !== 'total')
    .map(([name, count]) => `${formatCount(count)} ${countWords[name] ?? name}`)
    .join(', ');
}

function backupLines(view: Json): string[] {
  const result = objectAt(view, 'result');
  const id = textAt(result, 'snapshotId');
  if (id === undefined) return [];
  const records = formatCount(numberAt(result, 'recordCount') ?? 0);
  const rows = formatCount(numberAt(result, 'registrationCount') ?? 0);
  const reasons = listAt(result, 'healthReasons').map(String);
  return [
    `  snapshot ${id}: ${records} devices, ${rows} registrations, ${textAt(result, 'health')}`,
    ...(reasons.length === 0 ? [] : [`  suspect  ${reasons.join('; ')}: it is kept, but never chosen by itself`]),
  ];
}

function verificationLines(view: Json): string[] {
  return [
    `  devices  ${describeCounts(objectAt(view, 'counts'))}`,
    ...listAt(view, 'damagedArtefacts').map((one) => `  damaged  ${textAt(one, 'name')}: ${textAt(one, 'message')}`),
  ];
}

function errorLines(view: Json): string[] {
  const code = textAt(view, 'error', 'code');
  const reason = textAt(view, 'reason');
  const failures = countsAt(view, 'failuresByCode').map(([name, count]) => `${formatCount(count)} ${name}`);
  return [
    ...(code === undefined ? [] : [`  error    ${code}: ${textAt(view, 'error', 'message') ?? ''}`]),
    ...(reason === undefined ? [] : [`  reason   ${reason}`]),
    ...(failures.length === 0 ? [] : [`  failures ${failures.join(', ')}`]),
  ];
}
