import { DrError, orFault } from '../../core/errors.ts';
import { closed, findBursts, type Mark, marksAfter, resolveHandles } from '../../core/feedback/mark.ts';
import { type FeedbackItem, type FeedbackRun, type FeedbackState, MOST_ITEMS } from '../../core/feedback/run.ts';
import type { Verdict } from '../../core/feedback/verdict.ts';
import { feedbackRunName, fullNameOf, isFullNameOf, isSameHub } from '../../core/paths.ts';
import type { CallOptions } from '../../core/ports.ts';
import type { FeedbackRequest } from '../../core/request/feedback.ts';
import { mostDeletes } from '../../core/run/amounts.ts';
import { IF_MEANT } from '../../core/run/role-words.ts';
import { newRunId } from '../../core/run/run.ts';
import { isMisdated } from '../../core/snapshot/dating.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, toInstant, type Words } from '../app.ts';
import { readWords } from '../dual/words.ts';
import { refuseIfHeld } from '../runs/lock.ts';
import { type Roles, readRoles } from '../runs/roles.ts';
import { whySyncRests } from '../runs/sync-rests.ts';
import { listSnapshots } from '../snapshots/store.ts';
import { documents } from '../stored/documents.ts';
import { hashOfHandle, readMarks, storeMarks } from './marks.ts';
import { type Doomed, planRemovals, unlessOfRecord } from './plan.ts';
import { type Heard, hearFeedback, hearNotification } from './read.ts';
import { itemsOf, removeDoomed } from './remove.ts';
import { planRenewal, type Renewed, storeRenewal } from './renew.ts';
import { beginCleanUp, endCleanUp, quietMsOf } from './state.ts';

export interface Asked extends FeedbackRequest {
  readonly by: 'timer' | 'http';
  readonly askedBy?: string | undefined;
}

/** Nothing is due. */
const NO_WORDS: Words = { confirmedAt: () => 0, isWaiting: () => false };
/** A verdict that is dated further ahead is not believed. */
const AHEAD_MS = 900_000;

/**
 * Reads what push services have said of devices of the hub in use, and takes out of the standby what they call dead:
 * marked first, removed when the quiet period has passed without a sign of life. Throws `RunInProgress` while another
 * clean-up runs, `ConfirmationMissing`, and what the hub in use throws; what was found and done until then is stored.
 */
export async function cleanUp(app: App, asked: Asked): Promise<FeedbackRun> {
  const roles = await readRoles(app);
  refuseUnconfirmed(roles, asked);
  const startedAt = app.world.storageNow();
  const id = newRunId(startedAt, app.world.newSuffix());
  const state = await beginCleanUp(app, id);
  let outcome: Partial<Pick<FeedbackState, 'files' | 'last'>> & { failure?: DrError } = {};
  try {
    const call = { deadlineAt: app.world.now() + budgetOf(app, asked) };
    const done = await work(app, { id, asked, roles, state, startedAt, call });
    const { items, ...last } = done.run;
    outcome = { last, ...(done.files === undefined ? {} : { files: done.files }) };
    if (done.fault !== undefined) outcome.failure = done.fault;
    await documents.feedbackRun.write(app, feedbackRunName(id), done.run, 'any');
    app.log.info('feedback', { due: last.due, removed: last.removed, renewed: last.renewed, held: last.held });
    if (done.fault !== undefined) throw done.fault;
    return done.run;
  } catch (error) {
    if (error instanceof DrError) outcome.failure = error;
    throw error;
  } finally {
    await endCleanUp(app, id, outcome);
  }
}

function refuseUnconfirmed({ standby }: Roles, { beyondBounds, confirm }: Asked): void {
  if (beyondBounds !== true || isFullNameOf(standby.ref, confirm)) return;
  const name = fullNameOf(standby.ref);
  const message = `This removes more than the bounds allow from ${name}. ${IF_MEANT}`;
  throw new DrError('ConfirmationMissing', message, { target: name });
}

interface Work {
  readonly id: string;
  readonly asked: Asked;
  readonly roles: Roles;
  readonly state: FeedbackState;
  readonly startedAt: number;
  readonly call: CallOptions;
}

async function work(app: App, given: Work) {
  const { asked, roles, call, startedAt } = given;
  const { active, standby, role } = roles;
  const hub = fullNameOf(active.ref);
  const isPreview = asked.dryRun === true || app.policy.feedbackCleanup !== 'on';
  const heard = await hear(app, given, hub);
  const since = Date.parse(role.since);
  const believed = heard.verdicts.filter(({ at }) => at <= startedAt + AHEAD_MS);
  // What a hub said before it came into use is of another time.
  const dated = believed.filter(({ at }) => at >= since);
  const parts = await readMarks(app);
  const dead = dated.filter(({ meaning }) => meaning === 'dead');
  const before = parts.flatMap(({ marks }) => marks).filter(({ at }) => at >= since);
  const marks = marksAfter(before, dead, hashOfHandle, startedAt);
  const stored = await storeMarks(app, parts, marks);
  const snapshots = (await goodSnapshots(app, roles)).map(({ manifest }) => manifest);
  const newest = snapshots[0]?.counts;
  const bursts = findBursts(marks, newest?.byPlatform ?? {});
  const { renewals, circles } = resolveHandles(dated.filter(({ meaning }) => meaning === 'renewed'));
  const quietMs = quietMsOf(app);
  const oldestDue = marks.reduce(
    (oldest, { state, at }) => (state === 'open' ? Math.min(oldest, at) : oldest),
    Infinity,
  );
  const plan = await planRemovals(app, marks, {
    roles,
    words: startedAt - oldestDue < quietMs ? NO_WORDS : await readWords(app, standby.ref, oldestDue),
    snapshots,
    bursts,
    isBeyond: asked.beyondBounds === true,
    quietMs,
    call,
  });
  const renewed: Renewed[] = [];
  for (const renewal of renewals) renewed.push(...((await unlessOfRecord(planRenewal(roles, renewal, call))) ?? []));
  const bound = mostDeletes(newest?.records ?? 0, app.policy.maxDeletePercent);
  const due = plan.doomed.filter(({ record }) => record.standby.length > 0).length;
  const isBeyond = due + renewed.length > bound && asked.beyondBounds !== true;
  const held = isBeyond ? 'bound' : ((await whyHeld(app, roles)) ?? (plan.isCutShort ? 'time' : undefined));
  const acts = !isPreview && (held === undefined || held === 'time');
  const done = acts
    ? await act(app, roles, { doomed: plan.doomed, renewed }, call)
    : { items: isPreview ? previewOf(plan.doomed, renewed) : [], done: new Set<string>(), fault: undefined };
  const after = plan.marks.map((mark) =>
    done.done.has(mark.hash) && mark.state === 'open' ? closed(mark, 'removed') : mark,
  );
  await storeMarks(app, stored, after);
  const count = (outcome: FeedbackItem['outcome']) => done.items.filter((item) => item.outcome === outcome).length;
  const run: FeedbackRun = {
    id: given.id,
    by: asked.by,
    ...(asked.askedBy === undefined ? {} : { askedBy: asked.askedBy }),
    startedAt: toInstant(startedAt),
    finishedAt: toInstant(app.world.storageNow()),
    hub,
    standby: fullNameOf(standby.ref),
    isPreview,
    read: { ...countsOf(heard, believed), circles, ...(heard.state === undefined ? {} : { state: heard.state }) },
    marks: countMarks(after),
    due,
    removed: count('removed'),
    renewed: count('renewed'),
    ...(held === undefined ? {} : { held }),
    bound,
    bursts: bursts.map(({ from, ...burst }) => ({ ...burst, from: toInstant(from) })),
    items: done.items.slice(0, MOST_ITEMS),
  };
  // Renewals that were held are read again.
  const isHeard = heard.watermarks !== undefined && (renewed.length === 0 || acts || isPreview);
  return {
    run,
    fault: done.fault,
    files: isHeard ? { ...given.state.files, [hub]: [...(heard.watermarks ?? [])] } : undefined,
  };
}

/** The platform ends a call that is not answered within four minutes. */
const MOST_WAITED_MS = 120_000;

function budgetOf({ policy: { stepBudgetMs } }: App, { by }: Asked): number {
  return by === 'http' ? Math.min(MOST_WAITED_MS, stepBudgetMs) : stepBudgetMs;
}

function hear(app: App, { asked, roles, state, call }: Work, hub: string): Promise<Heard> {
  const { world, feedback } = app;
  if (feedback === undefined) throw new DrError('Internal', 'The app has no access to feedback.');
  const source = feedback.of(roles.active.ref);
  // Looking at both hubs takes the other half.
  const first = { deadlineAt: world.now() + budgetOf(app, asked) / 2 };
  return asked.notificationId === undefined
    ? hearFeedback({ world, feedback }, source, state.files[hub] ?? [], first)
    : hearNotification({ feedback }, source, asked.notificationId, call);
}

async function goodSnapshots(app: App, { active }: Roles): Promise<{ readonly manifest: Manifest }[]> {
  return (await listSnapshots(app)).flatMap(({ hub, manifest }) => {
    const isGood = manifest?.health === 'good' && isSameHub(hub, active.ref) && !isMisdated(manifest);
    return isGood ? [{ manifest }] : [];
  });
}

/** Why nothing may be removed now. */
async function whyHeld(app: App, roles: Roles): Promise<'restore' | 'role' | undefined> {
  if ((await whySyncRests(app, roles)) !== undefined) return 'role';
  for (const { ref } of [roles.active, roles.standby]) {
    if ((await orFault(refuseIfHeld(app, 'restore', ref))) instanceof DrError) return 'restore';
  }
  return undefined;
}

async function act(
  app: App,
  roles: Roles,
  { doomed, renewed }: { readonly doomed: readonly Doomed[]; readonly renewed: readonly Renewed[] },
  call: CallOptions,
) {
  const items: FeedbackItem[] = [];
  for (const one of renewed) {
    const outcome = await storeRenewal(app, roles, one);
    items.push({ ...one.device, platform: one.platform, outcome });
  }
  if (doomed.length === 0) return { items, done: new Set<string>(), fault: undefined };
  const removed = await removeDoomed(app, roles, doomed, call);
  return { ...removed, items: [...items, ...removed.items] };
}

function previewOf(doomed: readonly Doomed[], renewed: readonly Renewed[]): FeedbackItem[] {
  return [
    ...doomed.flatMap((one) => itemsOf(one, 'wouldBeRemoved')),
    ...renewed.map(({ device, platform }) => ({ ...device, platform, outcome: 'wouldBeRenewed' as const })),
  ];
}

function countsOf({ verdicts, counts }: Heard, believed: readonly Verdict[]) {
  const of = (meaning: Verdict['meaning']) => believed.filter((verdict) => verdict.meaning === meaning).length;
  return {
    ...counts,
    verdicts: verdicts.length,
    dead: of('dead'),
    renewed: of('renewed'),
    credentials: of('credentials'),
    passing: of('passing'),
    ahead: verdicts.length - believed.length,
  };
}

function countMarks(marks: readonly Mark[]): FeedbackRun['marks'] {
  const of = (state: Mark['state']) => marks.filter((mark) => mark.state === state).length;
  return { waiting: of('open'), alive: of('alive'), removed: of('removed'), unproven: of('unproven') };
}
