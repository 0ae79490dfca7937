import { type CoverageView, percentInWords } from '../baseline/coverage.ts';
import { fullNameOf } from '../paths.ts';
import { wrote } from '../run/amounts.ts';
import type { OutcomeCounts, RestoreResult, RestoreRun } from '../run/run.ts';
import { counted, grouped } from '../words.ts';
import type { NextAction } from './next-actions.ts';
import { outcomeInWords } from './outcome-words.ts';
import { asksNothing } from './plan/warnings.ts';

/** All that is reported about one restore, as JSON and, rendered, as one page of Markdown. */
export interface ReportFacts
  extends Pick<
      RestoreRun,
      'id' | 'status' | 'requestedBy' | 'askedBy' | 'createdAt' | 'finishedAt' | 'warnings' | 'error'
    >,
    Pick<RestoreRun['request'], 'purpose' | 'of' | 'note' | 'dryRun' | 'only' | 'order'> {
  readonly isOver: boolean;
  readonly snapshot: SnapshotFacts;
  readonly target: { readonly role: string; readonly namespace: string; readonly hub: string };
  /** Up to now while it runs. */
  readonly seconds: number;
  readonly timeline: readonly TimelineEntry[];
  readonly result: RestoreResult;
  /** Over the whole first writing; absent when nothing was settled yet. */
  readonly recordsPerSecond: number | undefined;
  /** Records that failed alike, the most first; those that there was time to read. */
  readonly failures: readonly ReportedFailures[];
  /** Of a restore that switched the hubs, by the snapshots taken since, oldest first. */
  readonly coverage: readonly (CoverageView & { readonly snapshotId: string })[];
  /** The retry that has put in place what it left out. */
  readonly retriedBy?: string | undefined;
  /** Whether its target is in use now. */
  readonly isInUse: boolean;
  readonly nextActions: readonly NextAction[];
  readonly reportedAt: string;
}

/** For the same reason, in the hub's same words, on the same platform. Which they are is not for a page that is passed on. */
export interface ReportedFailures {
  readonly code: string;
  readonly status?: number | undefined;
  readonly platform?: string | undefined;
  readonly words?: string | undefined;
  readonly count: number;
}

export interface SnapshotFacts {
  readonly id: string;
  readonly namespace: string;
  readonly hub: string;
  /** The rest is absent when the manifest is gone or damaged by now. */
  readonly digest?: string;
  readonly health?: string;
  readonly readStartedAt?: string;
  readonly readFinishedAt?: string;
  readonly records?: number;
  /** `2,000 devices = 2,033 records = 2,327 registrations` */
  readonly amount?: string;
}

export interface TimelineEntry {
  readonly phase: RestoreRun['phase']['name'];
  readonly pass: number;
  readonly wave?: number | undefined;
  readonly startedAt: string;
  readonly seconds: number;
}

const titles = { restore: 'Restore', sync: 'Sync', retry: 'Retry', rollback: 'Rollback', drill: 'Drill' } as const;
/** Of a run whose caller gave no name. */
const askers = { http: 'a caller without a name', timer: 'its schedule', drill: 'a drill' } as const;
const always = ['created', 'updated', 'unchanged', 'keptLive', 'removed', 'failed', 'pending'] as const;
/** Shown where there are any. */
const ifAny = [
  'renewed',
  'moved',
  'conflict',
  'unknownOrigin',
  'goneInTarget',
  'withdrawn',
  'leftover',
  'onlyInTarget',
  'putBack',
] as const;

/** One page for the incident's record. Whatever a person wrote is shown as text, never as markup. */
export function renderReport(facts: ReportFacts): string {
  const next = renderNext(facts);
  const sections = [
    `# ${titles[facts.purpose]} ${inText(facts.id)} ${directionOf(facts)}: ${outcomeOf(facts)}${facts.retriedBy === undefined ? '' : ', then completed by a retry'}`,
    renderSummary(facts),
    ['## Counts', renderCounts(facts.result)],
    facts.failures.length === 0 ? [] : ['## What failed', renderFailures(facts)],
    ['## Timeline', renderTimeline(facts)],
    ['## Proof', proofOf(facts)],
    ...['Warnings', 'Notes'].map((title) => {
      const some = facts.warnings.filter((one) => asksNothing(one) === (title === 'Notes'));
      return some.length === 0 ? [] : [`## ${title}`, some.map((one) => `- ${inText(one)}`).join('\n')];
    }),
    facts.coverage.length === 0 ? [] : ['## Registered since the switch', renderCoverage(facts)],
    next === '' ? [] : ['## Next', next],
  ];
  return `${sections.flat().join('\n\n')}\n`;
}

/** In the words of the terminal and the page. */
function outcomeOf({ isOver, status, error, target, result: { activatedAt, counts } }: ReportFacts): string {
  if (!isOver) return 'not over yet';
  const end = error?.code === 'RestoreIncomplete' ? 'Incomplete' : status;
  if (status !== 'Failed' || activatedAt === undefined) return end;
  return `${end} for ${counted(counts.failed, 'record')}; ${fullNameOf(target)} came into use`;
}

/** `from one/devices into three/devices` */
function directionOf({ purpose, snapshot, target }: ReportFacts): string {
  const into = fullNameOf(target);
  return purpose === 'rollback' ? `in ${into}` : `from ${fullNameOf(snapshot)} into ${into}`;
}

/** What the last pass saw, in a sentence: why the result can be believed, or why not yet. */
export function proofOf({ isOver, status, dryRun, purpose, timeline, result }: ReportFacts): string {
  const { passes, repaired, takenBack, changedSince, counts } = result;
  if (!isOver) return 'None yet: the run is not over.';
  if (dryRun) return 'None: a dry run counts what it would write, and writes nothing.';
  if (counts.pending > 0) return `None: the run ended before it came to ${counted(counts.pending, 'record')}.`;
  const failed = counts.failed > 0 ? ` Not where they should be: ${counted(counts.failed, 'record')}.` : '';
  if (status !== 'Succeeded' && failed === '') return 'None: the run ended before it could look again.';
  if (passes === 1) return `The first pass compared every record with the target, and nothing was written.${failed}`;
  const what =
    purpose === 'rollback'
      ? `found nothing of what it had removed: ${counted(counts.removed, 'record')}`
      : `found all that it had written: ${counted(wrote(counts), 'record')}`;
  const repairs = repaired === 0 ? '' : ` Written again on the way: ${counted(repaired, 'record')}.`;
  const changes =
    changedSince === 0
      ? ''
      : ` Changed by their devices meanwhile, and left to them: ${counted(changedSince, 'record')}.`;
  const returned =
    takenBack === 0
      ? ''
      : ` Taken back, since their devices had registered by themselves meanwhile: ${counted(takenBack, 'record')}.`;
  const phases = timeline.filter(({ pass }) => pass === passes).map(({ phase }) => phase);
  const hasAsked = purpose === 'sync' && !phases.includes('scan');
  const looked = hasAsked ? 'asked the target for each record' : 'listed the target again';
  return `Pass ${passes} ${looked} after the last write, and ${what}.${repairs}${returned}${changes}${failed}`;
}

function renderSummary(facts: ReportFacts): string {
  const { snapshot, target, note, of, only, order, error, result } = facts;
  const { secondsLostToThrottling: lost, milestones } = result;
  const origin = `${snapshot.id} of hub ${fullNameOf(snapshot)}`;
  const taken = `${snapshot.readStartedAt} to ${snapshot.readFinishedAt}`;
  const rate = `${counted(facts.recordsPerSecond ?? 0, 'record a second')}; ${lost} s lost to throttling`;
  const took = inWords(facts.seconds);
  const reached = [milestones.p50At, milestones.p90At, milestones.p99At];
  const rows: (readonly [string, string | false | undefined])[] = [
    ['asked for by', `${inText(facts.askedBy ?? askers[facts.requestedBy])}, ${facts.createdAt}`],
    ['note', note && inText(note)],
    [facts.purpose === 'rollback' ? 'rolls back' : 'retries', of && inText(of)],
    ['what', facts.dryRun && 'a dry run'],
    ['only', only && inText(selectionText(only))],
    ['order', order && inText(order.map(selectionText).join(', then '))],
    ['snapshot', snapshot.health === 'suspect' ? `${origin} (suspect)` : origin],
    ['taken', snapshot.readStartedAt !== undefined && taken],
    ['it holds', snapshot.amount],
    ['digest', snapshot.digest ? `SHA-256 ${snapshot.digest}` : 'unknown: its manifest can no longer be read'],
    ['target', `${target.role}, hub ${fullNameOf(target)}`],
    ['took', facts.finishedAt === undefined ? `${took} so far` : `${took}, until ${facts.finishedAt}`],
    ['rate', facts.recordsPerSecond !== undefined && rate],
    ['in use since', result.activatedAt],
    ['50 / 90 / 99 % in place', reached.map((at) => at ?? '–').join(' / ')],
    ['error', error && `${error.code}: ${inText(error.message)}`],
    ['completed', facts.retriedBy && `retry ${inText(facts.retriedBy)} has put in place what was left out`],
  ];
  const shown = rows.flatMap(([name, value]) => (value === undefined || value === false ? [] : [[name, value]]));
  return table(['', ''], shown);
}

function renderCounts(result: RestoreResult): string {
  const { counts, byPlatform, failuresByCode } = result;
  const { total, ...all } = counts;
  const shown = [...always, ...ifAny.filter((outcome) => all[outcome] > 0)];
  const row = (name: string, one: OutcomeCounts, sum: number): string[] => [
    name,
    grouped(sum),
    ...shown.map((outcome) => grouped(one[outcome])),
  ];
  const sumOf = (one: OutcomeCounts): number => shown.reduce((sum, outcome) => sum + one[outcome], 0);
  const rows = Object.entries(byPlatform).map(([name, one]) => row(inText(name), one, sumOf(one)));
  const reasons = Object.entries(failuresByCode).map(([code, amount]) => `${code} ${grouped(amount)}`);
  const failures = reasons.length === 0 ? 'No record failed.' : `Failed by reason: ${reasons.join(', ')}.`;
  return `${table(['platform', 'total', ...shown.map(outcomeInWords)], [...rows, row('all', all, total)])}\n\n${[failures, ...asides(result), ...explanationsOf(result)].join(' ')}`;
}

/** Of what a table of counts shows in a word or two; the terminal tool says the same. */
function explanationsOf({ counts, byPlatform }: RestoreResult): string[] {
  return [
    counts.keptLive > 0 && 'Kept live: changed by their devices since, and left as they are.',
    counts.moved > 0 && 'Moved: the same record, put under the registration id that the snapshot has.',
    counts.onlyInTarget > 0 && 'Only in the target: registered there by their devices, and left as they are.',
    'Other' in byPlatform && 'Other: what the snapshot does not hold, which is counted without its platform.',
  ].filter((one) => one !== false);
}

/** As the terminal groups them. */
function renderFailures({ failures, result: { counts } }: ReportFacts): string {
  const rows = failures.map(({ code, status, platform = '–', words, count }) => [
    grouped(count),
    inText(platform),
    `${code}${status === undefined ? '' : ` (HTTP ${status})`}`,
    words === undefined ? whyNoWords(code) : inText(words),
  ]);
  const rest = counts.failed - failures.reduce((sum, { count }) => sum + count, 0);
  const more = rest > 0 ? `\n\nNot looked up, as there are many: ${counted(rest, 'record')}.` : '';
  return `${table(['records', 'platform', 'reason', 'the hub says'], rows)}${more}`;
}

/** Of a hub that refused a record without a reason: there is nothing to correct then. */
function whyNoWords(code: string): string {
  return code === 'Rejected'
    ? 'nothing more: look whether other records of that platform were taken; else leave these out, they register again when users open the app'
    : '–';
}

/** What is counted beside the records' outcomes. */
function asides({
  duplicatesCollapsed,
  superseded,
  partialInstallations,
  absenceVoid,
  raced,
  removedByService,
  imported,
}: RestoreResult): string[] {
  const all: readonly (readonly [number, string])[] = [
    [duplicatesCollapsed, 'Duplicates merged with an equal registration of their device'],
    [superseded, 'Template bodies left out, for a newer one of the same template or as they have no name'],
    [partialInstallations, 'Installations known by their templates alone, which get the tags that all of these share'],
    [raced, 'Records created over what their devices had registered after the target was listed, which is lost'],
    [removedByService, 'Records written, shown, and then removed by the service, as it does with dead devices'],
    [
      absenceVoid,
      'Records that both hubs had held and that were missing in the target: created again, as it is not known that their devices deleted them',
    ],
  ];
  const others = all.flatMap(([count, what]) => (count === 0 ? [] : [`${what}: ${grouped(count)}.`]));
  return imported === undefined ? others : [...others, importsInWords(imported)];
}

function importsInWords({ jobs, lines, made, refused }: NonNullable<RestoreResult['imported']>): string {
  const given = counted(lines, 'registration');
  return `Given to ${counted(jobs, 'import job')}: ${given}; they say they made ${grouped(made)} and refused ${grouped(refused)}.`;
}

const phaseTitles = {
  scan: 'list the target',
  seal: 'sort and compare',
  publish: 'publish',
  reconcile: 'write',
  verify: 'verify',
  finish: 'finish',
} as const;

function renderTimeline({ timeline }: ReportFacts): string {
  const rows = timeline.map(({ phase, pass, wave, startedAt, seconds }) => [
    startedAt,
    String(pass),
    `${phase === 'reconcile' && pass > 1 ? 'verify and repair' : phaseTitles[phase]}${wave ? `, group ${wave + 1}` : ''}`,
    inWords(seconds),
  ]);
  return table(['began', 'pass', 'what', 'took'], rows);
}

/** What each snapshot shows of the records that the restore was about. */
function renderCoverage({ coverage }: ReportFacts): string {
  const rows = coverage.map(({ snapshotId, percent, ...counts }) => [
    snapshotId,
    `${counts.rewritten ? 'at least ' : ''}${grouped(counts.registered)} (${percentInWords(percent, counts.registered)})`,
    `${grouped(counts.restored)}${counts.rewritten ? `, ${grouped(counts.rewritten)} of them written since by a restore or a device` : ''}`,
    grouped(counts.missing),
  ]);
  return table(['snapshot', 'records registered by themselves', 'as restored', 'not there'], rows);
}

const actionTitles: Readonly<Record<NextAction['name'], string>> = {
  watch: 'Watch it',
  cancel: 'Stop it',
  failures: 'See what failed, and why',
  retry: 'Restore what failed',
  rollback: 'Roll it back',
  report: 'Report it',
  backup: 'Back up the hub now in use',
  restore: 'Do what the dry run has counted',
  restoreAgain: 'Restore again',
  chooseAnother: 'Restore another snapshot: choose one',
  verify: 'Read the snapshot again',
};

/** The command that is printed does not carry it. */
const ASKS_FOR_NAME = ' (asks for the full name of the hub; in a script, add `--confirm NAMESPACE/HUB`)';

/** From the hub in use it is for who knows that the restore was wrong: the runbook says how. */
function isTakenFromDevices({ name, writesToHubInUse }: NextAction): boolean {
  return name === 'rollback' && writesToHubInUse === true;
}

function renderNext({ nextActions, result, isInUse, target }: ReportFacts): string {
  const move = `- Point all backends that register or send at ${fullNameOf(target)}: connection string and hub name. Send to a phone of your own, then resume sends.`;
  const actions = nextActions
    .filter((one) => one.name !== 'report' && !isTakenFromDevices(one))
    .map(
      ({ name, command, needsConfirm }) =>
        `- ${actionTitles[name]}: ${inCode(`notification-hubs-dr ${command}`)}${needsConfirm ? ASKS_FOR_NAME : ''}${name === 'chooseAnother' ? ` and restore it: ${inCode(`notification-hubs-dr restore --snapshot ID --target ${target.role} --watch`)}` : ''}`,
    );
  return [...(result.activatedAt !== undefined && isInUse ? [move] : []), ...actions].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Signs that mean something to Markdown or HTML lose their meaning. */
function inText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|!&~]/g, (sign) => `\\${sign}`).replace(/\s+/g, ' ');
}

/** A code span that no run of backticks in it can end. */
function inCode(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

/** `platforms Apple, FcmV1; tags news || vip` */
function selectionText(selection: NonNullable<ReportFacts['only']>): string {
  const { platforms, tags, installationIds, userIds } = selection;
  const parts = [
    platforms && `platforms ${platforms.join(', ')}`,
    tags && `tags ${tags}`,
    installationIds && `installations ${installationIds.join(', ')}`,
    userIds && `users ${userIds.join(', ')}`,
  ];
  return parts.filter(Boolean).join('; ');
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds * 10) / 10} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 6) / 10} h`;
}
