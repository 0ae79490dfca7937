import { isSameHub } from '../paths.ts';
import { mayHaveWritten, wrote } from '../run/amounts.ts';
import { hasLookedLast, isOver, type RestoreCounts, type RestoreResult, type RestoreRun } from '../run/run.ts';
import { restoreOrSwitch } from './next-commands.ts';

/** A call of the HTTP API that makes sense now. With `needsConfirm` its body must repeat the target's `namespace/hub`. */
export interface NextAction {
  readonly name:
    | 'watch'
    | 'cancel'
    | 'failures'
    | 'retry'
    | 'rollback'
    | 'report'
    | 'backup'
    | 'restore'
    | 'restoreAgain'
    | 'chooseAnother'
    | 'verify';
  readonly method: 'GET' | 'POST';
  readonly href: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly needsConfirm?: true;
  /** It writes into the hub in use: a rollback takes records away from devices. */
  readonly writesToHubInUse?: true;
  /** What does the same in the terminal, after the tool's name. */
  readonly command: string;
}

type Written = Pick<RestoreResult, 'counts' | 'attempted' | 'activatedAt'>;

interface Around {
  /** The retry that has put in place what it left out. */
  readonly retriedBy?: string | undefined;
  /** Whether its target is in use now. */
  readonly isInUse?: boolean;
}

/** What to do about a restore, the likeliest first. */
export function nextActionsOf(
  run: RestoreRun,
  result: Written,
  { retriedBy, isInUse = false }: Around = {},
): NextAction[] {
  const { counts } = result;
  const { purpose, of = '', dryRun, snapshotId } = run.request;
  const self = `/api/restores/${run.id}`;
  const get = (name: NextAction['name'], href: string) => action(name, 'GET', href, `${name} ${run.id}`);
  const post = (name: NextAction['name'], href: string, command: string) => action(name, 'POST', href, command);
  const report = get('report', `${self}/report`);
  if (!isOver(run)) return [get('watch', self), post('cancel', `${self}/cancel`, `cancel ${run.id}`), report];
  const isRollback = purpose === 'rollback';
  const isGreen = run.status === 'Succeeded';
  const isWriter = !isRollback && !dryRun;
  const isSync = purpose === 'sync';
  // Which `latest` passes over from now on.
  const isDamaged = run.error?.code === 'SnapshotCorrupt';
  const actions: (NextAction | false)[] = [
    counts.failed > 0 && get('failures', `${self}/failures`),
    countToRetry(run, counts) > 0 &&
      retriedBy === undefined &&
      isWriter &&
      !isSync &&
      !isDamaged &&
      confirmed(post('retry', `${self}/retry`, `retry ${run.id} --watch`), isInUse),
    isDamaged && !isRollback && !isSync && restoreAction('restoreAgain', run, isInUse, 'latest'),
    isDamaged && post('verify', `/api/snapshots/${snapshotId}/verify`, `verify ${snapshotId} --watch`),
    isGreen && dryRun && restoreAction('restore', run, isInUse),
    // Until there is a snapshot of the hub in use, its devices are not protected.
    result.activatedAt !== undefined && post('backup', '/api/backups', 'backup --watch'),
    // The hub is without what was taken back, and the same restore would bring that again.
    isGreen &&
      isRollback &&
      run.request.target !== 'drill' &&
      action('chooseAnother', 'GET', '/api/snapshots', 'snapshots'),
    report,
    // Once it has switched the hubs, the same again would be a switch the other way round.
    !isGreen &&
      !isRollback &&
      !isSync &&
      !isDamaged &&
      result.activatedAt === undefined &&
      retriedBy === undefined &&
      restoreAction('restoreAgain', run, isInUse),
    !isGreen && isRollback && rollbackAction(of, isInUse),
    mayHaveWritten(result) && isWriter && rollbackAction(run.id, isInUse),
  ];
  return actions.filter((action) => action !== false);
}

/** Records that a retry is about. */
export function countToRetry(run: RestoreRun, counts: RestoreCounts): number {
  return counts.failed + counts.pending + (hasLookedLast(run) ? 0 : wrote(counts));
}

function action(name: NextAction['name'], method: NextAction['method'], href: string, command: string): NextAction {
  return { name, method, href, command };
}

/** Of a call that needs a name into the hub in use. */
function confirmed(one: NextAction, isInUse: boolean): NextAction {
  return isInUse ? { ...one, needsConfirm: true, writesToHubInUse: true } : one;
}

function rollbackAction(runId: string, isInUse: boolean): NextAction {
  const command = `rollback ${runId} --watch`;
  const one = action('rollback', 'POST', `/api/restores/${runId}/rollback`, command);
  return confirmed({ ...one, needsConfirm: true }, isInUse);
}

/** A drill is repeated by its schedule, into a hub that the API's own restores do not reach. */
function restoreAction(
  name: 'restore' | 'restoreAgain',
  run: RestoreRun,
  isInUse: boolean,
  snapshot = run.request.snapshotId,
): NextAction | false {
  const { hub, request } = run;
  const { target, onConflict, leftovers, resurrect, activate, only, order, dryRun, sourceHub } = request;
  if (target === 'drill') return false;
  const isIntoSource = isSameHub(hub, sourceHub);
  const body = {
    snapshot,
    target,
    ...(onConflict === 'keep' ? {} : { onConflict }),
    leftovers,
    resurrect,
    activate,
    only,
    order,
    ...(dryRun && name === 'restoreAgain' ? { dryRun } : {}),
  };
  const needsConfirm = isIntoSource || onConflict === 'overwrite' || activate;
  const one = { ...action(name, 'POST', '/api/restores', restoreOrSwitch(run, body)), body };
  return confirmed(needsConfirm ? { ...one, needsConfirm: true } : one, isInUse && body.dryRun !== true);
}
