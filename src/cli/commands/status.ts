import type { Command } from '@commander-js/extra-typings';
import type { Run } from '../parts/context.ts';
import { exitCodes } from '../parts/errors.ts';
import {
  type Fact,
  formatAge,
  formatCount,
  formatFacts,
  formatNumber,
  formatPercent,
  formatSeconds,
  joined,
  paragraph,
} from '../parts/format.ts';
import { inCommands } from '../parts/in-commands.ts';
import { flagAt, fullNameAt, type Json, listAt, numberAt, objectAt, textAt } from '../parts/json.ts';
import { describeOutcomes, proofWords } from '../parts/outcomes.ts';
import { describeProgress } from '../parts/progress.ts';
import { endOf, isOver, nounOf } from '../parts/summary.ts';
import type { Colour, Terminal } from '../parts/terminal.ts';

export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .description('would a failover work now? Shows the readiness card')
    .option('--exit-code', 'for a script: ends with 0 when Ready, 4 when AtRisk, 5 when NotReady')
    .action(
      run(async ({ client, terminal, show }, { exitCode }) => {
        const card = await client.call('GET', '/api/status');
        const verdict = renderVerdict(card, terminal);
        show(card, `${verdict}${renderFacts(card, terminal)}`, verdict);
        return exitCode === true ? scriptCodeOf(card) : usualCodeOf(card);
      }),
    );
}

const usualCodeOf = (card: Json): number =>
  textAt(card, 'verdict') === 'NotReady' ? exitCodes.failed : exitCodes.done;

/** A verdict that this tool does not know is not Ready. */
function scriptCodeOf(card: Json): number {
  const verdict = textAt(card, 'verdict');
  if (verdict === 'Ready') return exitCodes.done;
  return verdict === 'AtRisk' ? exitCodes.atRisk : exitCodes.notReady;
}

const colours: Readonly<Record<string, Colour>> = { Ready: 'green', AtRisk: 'yellow', NotReady: 'red' };

/** Of the readiness card: the verdict and its reason. */
function renderVerdict(card: Json, terminal: Terminal): string {
  const verdict = textAt(card, 'verdict') ?? 'Unknown';
  const reason = textAt(card, 'reason') ?? '';
  const suspect = findSuspect(card);
  const isUnsaid = suspect !== undefined && textAt(suspect, 'message') !== reason;
  const besides = isUnsaid ? ' Besides, the newest snapshot of the hub in use is SUSPECT: see below.' : '';
  const text = `${verdict}: ${inCommands(reason)}${besides}`;
  return paragraph(text, terminal.resultColumns()).replace(verdict, terminal.mark(colours[verdict] ?? 'red', verdict));
}

/** The facts behind it. */
function renderFacts(card: Json, terminal: Terminal): string {
  const nowMs = terminal.now();
  const columns = terminal.resultColumns();
  const asOf = instantOfOlder(card);
  const facts: readonly Fact[] = [
    ['in use', joined(', ', [hubName(card, 'active'), describeHub(objectAt(card, 'source'), nowMs)])],
    ['standby', joined(', ', [hubName(card, 'standby'), describeHub(objectAt(card, 'target'), nowMs)])],
    ['snapshot', describeSnapshot(objectAt(card, 'latestGoodSnapshot'), asOf)],
    ['proven', 'provenSnapshot' in card ? describeProof(objectAt(card, 'provenSnapshot')) : undefined],
    ['at risk', describeRisk(objectAt(card, 'atRisk'), asOf)],
    ['a restore', describePrediction(objectAt(card, 'predictedRestore'))],
    ['sync', describeSync(card, nowMs)],
    ['seen since', describeCoverage(objectAt(card, 'coverage'), asOf)],
    ['last backup', describeRun(objectAt(card, 'lastBackup'), nowMs)],
    ['last restore', describeRun(objectAt(card, 'lastRestore'), nowMs)],
    ['last drill', describeDrill(objectAt(card, 'lastDrill'), nowMs)],
    ...listAt(card, 'undeliverable').map((one): Fact => {
      const count = formatCount(numberAt(one, 'registrations') ?? 0);
      return ['undeliverable', `${count} ${textAt(one, 'platform')}: ${textAt(one, 'reason')}`];
    }),
    ...findingFacts(card),
  ];
  return formatFacts(facts, 14, columns);
}

function findSuspect(card: Json) {
  return listAt(card, 'findings').find((one) => textAt(one, 'code') === 'SnapshotSuspect');
}

/** When the last good snapshot was read, where a newer one is suspect: then its figures are not those of now. */
function instantOfOlder(card: Json): string | undefined {
  return findSuspect(card) === undefined ? undefined : textAt(card, 'latestGoodSnapshot', 'readStartedAt');
}

/** Each once: what the headline says is only said in short, and an alert that says what a finding says is said with that. */
function findingFacts(card: Json): readonly Fact[] {
  const reason = textAt(card, 'reason');
  const alerts = listAt(card, 'alerts', 'open');
  const findings = listAt(card, 'findings');
  const said = new Set(findings.map((one) => textAt(one, 'code')));
  const alertOf = (code: string | undefined) => alerts.find((one) => textAt(one, 'code') === code);
  return [
    ...findings.map((one): Fact => {
      const code = textAt(one, 'code');
      const since = textAt(alertOf(code), 'since');
      const message = textAt(one, 'message') ?? '';
      const name = `${code}${since === undefined ? '' : `, alert since ${since}`}`;
      return [
        textAt(one, 'level') ?? 'finding',
        `${name}: ${inCommands(message === reason ? inShort(message) : message)}`,
      ];
    }),
    ...alerts
      .filter((one) => !said.has(textAt(one, 'code')))
      .map((one): Fact => {
        const message = textAt(one, 'message') ?? '';
        const said = inCommands(message === reason ? inShort(message) : message);
        return ['alert', `${textAt(one, 'code')} since ${textAt(one, 'since')}: ${said}`];
      }),
  ];
}

/** Enough to know it by, where the headline has scrolled away: a whole sentence or clause of at least that length. */
const SHORT = 30;

function inShort(message: string): string {
  const end = message.slice(SHORT).search(/[.;](?= )/);
  return end < 0 ? message : `${message.slice(0, SHORT + end)} …`;
}

/** An older app knows no roles: its primary is in use. */
function hubName(card: Json, role: 'active' | 'standby'): string | undefined {
  return fullNameAt(card, 'role', role) ?? fullNameAt(card, role === 'active' ? 'primary' : 'secondary');
}

function describeHub(hub: Json, nowMs: number): string | undefined {
  const isReachable = flagAt(hub, 'reachable');
  if (isReachable === undefined) return undefined;
  const tier = textAt(hub, 'tier');
  const room = numberAt(hub, 'room');
  const rate = numberAt(hub, 'requestsPerSecond');
  return joined(', ', [
    isReachable ? 'reachable' : describeSilence(hub, nowMs),
    isReachable && textAt(hub, 'cause'),
    flagAt(hub, 'rights') === false && 'access rights MISSING',
    rate !== undefined && `throttled, takes about ${formatNumber(rate, 'request a second')}`,
    tier && `tier ${tier}`,
    room !== undefined && `room for ${formatCount(room)} more ${room === 1 ? 'record' : 'records'}`,
  ]);
}

function describeSilence(hub: Json, nowMs: number): string {
  const cause = textAt(hub, 'cause');
  const sinceMs = Date.parse(textAt(hub, 'silentSince') ?? '');
  const duration = Number.isNaN(sinceMs) ? '' : ` for ${formatSeconds((nowMs - sinceMs) / 1000)}`;
  return `NOT reachable${duration}${cause === undefined ? '' : ` (${cause})`}`;
}

function describeSnapshot(latest: Json, asOf: string | undefined): string {
  const id = textAt(latest, 'id');
  if (id === undefined) return 'NO good snapshot';
  const records = formatNumber(numberAt(latest, 'counts', 'records') ?? 0, 'record');
  const newer = asOf === undefined ? '' : '; the newest is SUSPECT, see below';
  return `${id}, ${ageOf(latest)} old, ${textAt(latest, 'amount') ?? records}${newer}`;
}

function describeProof(proven: Json): string {
  const id = textAt(proven, 'id');
  if (id === undefined)
    return 'no good snapshot of the hub in use has been proven by a restore, sync, drill or verification';
  const how = textAt(proven, 'how') ?? '';
  return `${id} by ${proofWords[how] ?? how}, ${ageOf(proven)} old`;
}

function ageOf(snapshot: Json): string {
  return formatSeconds(numberAt(snapshot, 'ageSeconds') ?? 0);
}

function describeRisk(atRisk: Json, asOf: string | undefined): string | undefined {
  const minutes = numberAt(atRisk, 'minutes');
  if (minutes === undefined) return undefined;
  const devices = numberAt(atRisk, 'devicesEstimate');
  const estimate =
    devices === undefined ? 'nothing to estimate it by yet' : `about ${formatNumber(Math.round(devices), 'record')}`;
  const basis = asOf === undefined ? '' : `, by what had changed as of ${asOf}`;
  return `what changed in the last ${formatSeconds(minutes * 60)}: ${estimate}${basis}`;
}

function describePrediction(predicted: Json): string | undefined {
  const seconds = numberAt(predicted, 'seconds');
  if (seconds === undefined) return undefined;
  return `would take about ${formatSeconds(seconds)} (measured by the last ${textAt(predicted, 'basis')})`;
}

/** Nothing before the first backup after a failover. */
function describeCoverage(coverage: Json, asOf: string | undefined): string | undefined {
  const count = (name: string): string => formatCount(numberAt(coverage, name) ?? 0);
  if (numberAt(coverage, 'total') === undefined) return undefined;
  const all = formatNumber(numberAt(coverage, 'total') ?? 0, 'record');
  const rewritten = numberAt(coverage, 'rewritten') ?? 0;
  const percent = formatPercent(numberAt(coverage, 'percent') ?? 0, numberAt(coverage, 'registered') ?? 0);
  const isLeast = rewritten > 0 ? 'at least ' : '';
  return joined('; ', [
    `${asOf === undefined ? '' : `as of ${asOf}: `}${isLeast}${count('registered')} of ${all} (${percent}) registered by themselves since the switch`,
    `${count('restored')} as restored, ${count('missing')} not there`,
    rewritten > 0 &&
      `${formatCount(rewritten)} of those restored were written since the switch, by a restore or by their device: these may have registered, too`,
  ]);
}

/** Nothing where the standby is not kept in step. */
function describeSync(card: Json, nowMs: number): string | undefined {
  const sync = objectAt(card, 'standbySync');
  const isInStep = flagAt(sync, 'isInStep');
  if (isInStep === undefined) return undefined;
  const different = numberAt(sync, 'synced', 'different') ?? 0;
  const failed = numberAt(sync, 'synced', 'failed') ?? 0;
  const last = objectAt(sync, 'last');
  const ended = textAt(last, 'id') && endOf(last);
  return joined(', ', [
    isInStep ? 'in step: a failover has nothing left to copy' : describeLag(sync, objectAt(card, 'role')),
    different > 0 && `but for ${formatNumber(different, 'record that others changed there')}`,
    failed > 0 && `without ${formatNumber(failed, 'record it refused')}`,
    textAt(sync, 'stopped', 'runId') === undefined ? undefined : 'STOPPED',
    ended !== undefined && `last ${textAt(last, 'id')} ${ended}, ${formatAge(textAt(last, 'createdAt'), nowMs)}`,
    describeOutcomes(last, 'counts') || undefined,
  ]);
}

function describeLag(sync: Json, role: Json): string {
  const changedBy = textAt(sync, 'changedBy', 'runId');
  if (changedBy !== undefined) return `NOT in step since ${changedBy} changed it`;
  const lag = numberAt(sync, 'lagSeconds');
  if (lag === undefined) {
    const since = listAt(role, 'history').length > 1 ? 'since the switch' : 'yet';
    return `no sync ${since}: the next good backup starts one`;
  }
  const behind = `${formatSeconds(lag)} behind the newest snapshot: a failover copies the difference first`;
  return lag === 0 ? 'NOT in step' : behind;
}

/** `2026-11-23T11-59-00Z-bbbbbb (rollback of …), Succeeded, 3 min ago`, or how far it is. */
function describeRun(run: Json, nowMs: number): string {
  const id = textAt(run, 'id');
  if (id === undefined) return 'none';
  const of = textAt(run, 'of');
  const what = of === undefined ? '' : `${nounOf(run).toLowerCase()} of ${of}`;
  const kind = flagAt(run, 'dryRun') === true ? 'dry run' : what;
  const outcome = endOf(run);
  const started = formatAge(textAt(run, 'createdAt'), nowMs);
  const progress = isOver(run) ? undefined : describeProgress(run, nowMs);
  return joined(', ', [`${id}${kind === '' ? '' : ` (${kind})`}`, outcome, started, progress]);
}

function describeDrill(drill: Json, nowMs: number): string | undefined {
  if (textAt(drill, 'id') === undefined) return undefined;
  const seconds = numberAt(drill, 'seconds');
  const duration = seconds === undefined ? '' : ` in ${formatSeconds(seconds)}`;
  const reason = textAt(drill, 'reason');
  const outcome = `${textAt(drill, 'verdict')} (${textAt(drill, 'how')})${duration}`;
  return `${outcome}, ${formatAge(textAt(drill, 'at'), nowMs)}${reason === undefined ? '' : `: ${reason}`}`;
}
