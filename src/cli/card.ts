import { formatAge, formatCount, formatSeconds } from './format.ts';
import { flagAt, type Json, listAt, numberAt, objectAt, textAt } from './json.ts';

/** The readiness card in lines: the verdict and why, then what it rests on. */
export function renderCard(card: Json, nowMs: number): string {
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['primary', hubName(card, 'primary')],
    ['secondary', [hubName(card, 'secondary'), ...targetFacts(card)].join(', ')],
    ['snapshot', snapshotFacts(card)],
    ['proven', provenFacts(card)],
    ['at risk', riskFacts(card)],
    ['a restore', predictedFacts(card)],
    ['last backup', runFacts(objectAt(card, 'lastBackup'), nowMs)],
    ['last restore', runFacts(objectAt(card, 'lastRestore'), nowMs)],
    ['last drill', drillFacts(objectAt(card, 'lastDrill'), nowMs)],
    ...listAt(card, 'undeliverable').map(
      (one) =>
        [
          'undeliverable',
          `${formatCount(numberAt(one, 'registrations') ?? 0)} ${textAt(one, 'platform')}: ${textAt(one, 'reason')}`,
        ] as const,
    ),
    ...listAt(card, 'alerts', 'open').map(
      (one) => ['alert', `${textAt(one, 'code')} since ${textAt(one, 'since')}: ${textAt(one, 'message')}`] as const,
    ),
    ...listAt(card, 'findings').map(
      (one) => [textAt(one, 'level') ?? 'finding', `${textAt(one, 'code')}: ${textAt(one, 'message')}`] as const,
    ),
  ];
  const shown = lines.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(14)}${text}\n`]));
  return `${textAt(card, 'verdict') ?? 'Unknown'}: ${textAt(card, 'reason') ?? ''}\n${shown.join('')}`;
}

function hubName(card: Json, role: 'primary' | 'secondary'): string {
  return `${textAt(card, role, 'namespace')}/${textAt(card, role, 'hub')}`;
}

function targetFacts(card: Json): string[] {
  const target = objectAt(card, 'target');
  const isReachable = flagAt(target, 'reachable');
  if (isReachable === undefined) return [];
  const rights = flagAt(target, 'rights');
  const tier = textAt(target, 'tier');
  const room = numberAt(target, 'room');
  return [
    isReachable ? 'reachable' : 'NOT reachable',
    ...(rights === false ? ['WITHOUT the rights'] : []),
    ...(tier === undefined ? [] : [`tier ${tier}`]),
    ...(room === undefined ? [] : [`room for ${formatCount(room)} more devices`]),
  ];
}

function snapshotFacts(card: Json): string {
  const latest = objectAt(card, 'latestGoodSnapshot');
  const id = textAt(latest, 'id');
  if (id === undefined) return 'NONE that is good';
  const age = formatSeconds(numberAt(latest, 'ageSeconds') ?? 0);
  return `${id}, ${age} old, ${formatCount(numberAt(latest, 'counts', 'records') ?? 0)} devices`;
}

function provenFacts(card: Json): string | undefined {
  if (!('provenSnapshot' in card)) return undefined;
  const proven = objectAt(card, 'provenSnapshot');
  const id = textAt(proven, 'id');
  if (id === undefined) return 'no good snapshot has been proven by a restore, drill or verification';
  return `${id} by ${textAt(proven, 'how')}, ${formatSeconds(numberAt(proven, 'ageSeconds') ?? 0)} old`;
}

function riskFacts(card: Json): string | undefined {
  const minutes = numberAt(card, 'atRisk', 'minutes');
  if (minutes === undefined) return undefined;
  const devices = numberAt(card, 'atRisk', 'devicesEstimate');
  const estimate = devices === undefined ? 'devices not known' : `about ${formatCount(Math.round(devices))} devices`;
  return `the last ${formatSeconds(minutes * 60)}, ${estimate}`;
}

function predictedFacts(card: Json): string | undefined {
  const seconds = numberAt(card, 'predictedRestore', 'seconds');
  if (seconds === undefined) return undefined;
  return `would take about ${formatSeconds(seconds)} (measured by the last ${textAt(card, 'predictedRestore', 'basis')})`;
}

function runFacts(run: Json, nowMs: number): string | undefined {
  const id = textAt(run, 'id');
  if (id === undefined) return 'none';
  const outcome = textAt(run, 'error', 'code') ?? textAt(run, 'status');
  return `${id}, ${outcome}, ${formatAge(textAt(run, 'createdAt'), nowMs)}`;
}

function drillFacts(drill: Json, nowMs: number): string | undefined {
  const id = textAt(drill, 'id');
  if (id === undefined) return undefined;
  const seconds = numberAt(drill, 'seconds');
  const took = seconds === undefined ? '' : ` in ${formatSeconds(seconds)}`;
  const reason = textAt(drill, 'reason');
  return `${textAt(drill, 'verdict')} (${textAt(drill, 'how')})${took}, ${formatAge(textAt(drill, 'at'), nowMs)}${reason === undefined ? '' : `: ${reason}`}`;
}
