export interface Change {
  /** Below `dist/src`. */
  readonly file: string;
  /** There exactly once. */
  readonly from: string;
  readonly to: string;
}

/** A bug that the simulation must find, as changes to the built app, of which the source knows nothing. */
export interface Plant {
  /** The violation by which it shows. */
  readonly kind: string;
  readonly changes: readonly Change[];
}

export const plants = {
  'an empty page ends a listing': {
    kind: 'snapshotDiffers',
    changes: [
      {
        file: 'app/listing/scan.js',
        from: 'const isFinished = nextToken === undefined;',
        to: 'const isFinished = nextToken === undefined || page.rows.length === 0;',
      },
    ],
  },
  'the last page is left out': {
    kind: 'snapshotDiffers',
    changes: [
      {
        file: 'app/listing/scan.js',
        from: 'const { nextToken } = page;',
        to: 'const { nextToken } = page; if (nextToken === undefined && at.pageCount > 0) page.rows.length = 0;',
      },
    ],
  },
  'a quiet run is not enqueued again': {
    kind: 'stuck',
    changes: [{ file: 'app/runs/watch.js', from: 'await app.queue.send(laneOf(run), steps.map(formatStep));', to: '' }],
  },
  'a plain row is updated without If-Match': {
    kind: 'overwroteUnseen',
    changes: [{ file: 'app/restore/apply/write-one.js', from: ', ifMatch: over.etag }', to: ' }' }],
  },
  'a plain row is withdrawn without If-Match': {
    kind: 'removedUnseen',
    changes: [
      {
        file: 'app/restore/apply/write-one.js',
        from: 'hub.deleteRegistration(id, etag,',
        to: 'hub.deleteRegistration(id, undefined,',
      },
    ],
  },
  'an installation is written without the question by tag': {
    kind: 'overwroteUnseen',
    changes: [
      {
        file: 'app/restore/apply/write-one.js',
        from: 'const rows = await findInstallationRows(hub, id, callOf(work));',
        to: 'const rows = [];',
      },
    ],
  },
  'one listing is trusted for absence': {
    kind: 'overwroteUnseen',
    changes: [
      {
        file: 'core/restore/plan/first-writes.js',
        from: 'return isTargetEmpty ? write :',
        to: 'return true ? write :',
      },
    ],
  },
  'a registration id is written over whatever lives under it': {
    kind: 'overwrittenByOlder',
    changes: [
      {
        file: 'app/restore/apply/write-one.js',
        from: 'return !isFirstTry && (await isPutBack(work, row)) ? ID_IN_USE : CHANGED;',
        to: 'return hub.putRegistration(target, xml, { ...call, ifMatch: row.etag });',
      },
    ],
  },
  'records are withdrawn without proof that the source no longer holds them': {
    kind: 'withdrawnThoughInSource',
    changes: [
      {
        file: 'app/restore/compare/absence-proof.js',
        from: "return 'has one';",
        to: "return 'has none';",
      },
    ],
  },
  'the bound for withdrawals is ignored': {
    kind: 'withdrewTooMany',
    changes: [
      { file: 'core/restore/plan/circumstances.js', from: 'return plan[what] <=', to: 'return true || plan[what] <=' },
    ],
  },
  'an older snapshot brings back who has left': {
    kind: 'broughtBack',
    changes: [
      {
        file: 'core/restore/plan/decision-table.js',
        from: 'isGoneSince = around.isGoneSince &&',
        to: 'isGoneSince = false &&',
      },
    ],
  },
  'leftovers are withdrawn though they are to be kept': {
    kind: 'withdrewThoughAskedToKeep',
    changes: [
      {
        file: 'core/restore/plan/circumstances.js',
        from: "deletes: request.leftovers === 'keep'",
        to: 'deletes: false',
      },
    ],
  },
  'the request to resurrect is ignored': {
    kind: 'keptOutThoughAskedFor',
    changes: [
      {
        file: 'core/restore/plan/circumstances.js',
        from: 'isResurrecting: request.resurrect === true',
        to: 'isResurrecting: false',
      },
    ],
  },
  'a selection is ignored': {
    kind: 'wroteBeyondItsSelection',
    changes: [
      {
        file: 'app/restore/compare/selection.js',
        from: 'return (index) => isSelected(records.at(index));',
        to: 'return () => true;',
      },
    ],
  },
  'the baseline moves on records that were kept': {
    kind: 'saysInPlace',
    changes: [
      {
        file: 'core/baseline/agree.js',
        from: 'return { ...before, note: noteLeft(before.note, seen, times) };',
        to: 'return agree(before, seen, times);',
      },
    ],
  },
  'a cancelled restore continues to write': {
    kind: 'wroteAfterItsEnd',
    changes: [{ file: 'app/runs/end-watch.js', from: 'last.isOver ||= run === undefined || isOver(run);', to: '' }],
  },
  'a rollback begins while its restore still writes': {
    kind: 'rolledBackWhileWriting',
    changes: [
      { file: 'app/runs/writers.js', from: 'if (waitMs <= 0)', to: 'if (true)' },
      { file: 'app/runs/end-watch.js', from: 'last.isOver ||= run === undefined || isOver(run);', to: '' },
    ],
  },
  'a rollback ignores what a step that died had begun': {
    kind: 'rollbackNotSent',
    changes: [
      {
        file: 'app/restore/outcomes/written.js',
        from: 'intentOf(letter) ?? attempted.get(index) ?? outcomeOf(letter)',
        to: 'attempted.get(index) ?? outcomeOf(letter)',
      },
    ],
  },
  'a rollback puts back what was there over what its device has said since': {
    kind: 'overwrittenByOlder',
    changes: [{ file: 'core/restore/plan/put-back.js', from: 'if (isUntouched(given, live))', to: 'if (true)' }],
  },
  'a rollback trusts a look that comes too early': {
    kind: 'rollbackNotSent',
    changes: [
      {
        file: 'core/restore/plan/too-early.js',
        from: 'const lookAt = Date.parse(scan?.startedAt ?? rollback.createdAt);',
        to: 'const lookAt = Number.POSITIVE_INFINITY;',
      },
    ],
  },
  'renewals are ignored': {
    kind: 'expiresEarly',
    changes: [
      {
        file: 'core/fingerprint/comparison.js',
        from: '!isShorter(fingerprints.expiryAt(index), rows, floor)',
        to: 'true',
      },
      { file: 'core/restore/plan/first-writes.js', from: 'return isShorter(', to: 'return false && isShorter(' },
    ],
  },
  'a dry run writes': {
    kind: 'dryRunWrote',
    changes: [
      {
        file: 'app/restore/apply/first-planner.js',
        from: 'const { dryRun } = run.request;',
        to: 'const dryRun = false;',
      },
    ],
  },
  'a copy of a step does not leave': {
    kind: 'tookALivingStep',
    changes: [{ file: 'app/runs/lease.js', from: 'return found.holder === processId;', to: 'return true;' }],
  },
  'ages of leases are compared with the clock of the host': {
    kind: 'tookALivingStep',
    changes: [
      {
        file: 'app/runs/lease.js',
        from: 'return entry && toLiveStep(entry);',
        to: 'return entry && toLiveStep({ ...entry, ageMs: app.world.now() - entry.modifiedAt.getTime() });',
      },
    ],
  },
  'the watch takes steps that wait or work for lost': {
    kind: 'queuedTwice',
    changes: [
      {
        file: 'app/runs/watch.js',
        from: 'const left = without(new Set(due), [...current, ...inHand]);',
        to: 'const left = new Set(due);',
      },
    ],
  },
  'a wait is not stored': {
    kind: 'queuedTwice',
    changes: [
      {
        file: 'app/runs/lease.js',
        from: "const stored = held.isLost ? 'conflict' : await app.blobs.put(held.name, NOTHING, { etag }, facts);",
        to: 'await app.blobs.remove(held.name, etag); const stored = facts && etag;',
      },
    ],
  },
  'a step waits for ever': {
    kind: 'neverEnds',
    changes: [{ file: 'app/steps/run-step.js', from: 'wait.waitedMs < MAX_WAIT_MS + wait.delayMs', to: 'true' }],
  },
  'only the timer watches': {
    kind: 'standstill',
    changes: [{ file: 'app/steps/keep-moving.js', from: 'memory.watched.set(id, kind);', to: '' }],
  },
  'a retry writes to the hub in use without its name': {
    kind: 'wroteToTheHubInUse',
    changes: [
      {
        file: 'app/restore/retry.js',
        from: 'confirm === undefined && !wasNameTyped(restore, role)',
        to: 'false',
      },
    ],
  },
  'a hub comes into use that alters what it is sent': {
    kind: 'activatedUnproven',
    changes: [
      {
        file: 'app/restore/finish.js',
        from: 'const isUsable = pending === 0 && altered === 0 &&',
        to: 'const isUsable =',
      },
    ],
  },
  'a sync does not stop at its bounds': {
    kind: 'syncedBeyondItsBounds',
    changes: [
      {
        file: 'app/restore/compare/sync-stops.js',
        from: 'const why = whySyncStops(planned, app.policy);',
        to: 'const why = undefined && whySyncStops;',
      },
    ],
  },
  'a sync does not make way': {
    kind: 'refusedForASync',
    changes: [
      { file: 'app/restore/outcomes/end-sync.js', from: 'if (syncId === undefined)', to: 'if (true || syncId)' },
    ],
  },
  'a sync that makes way continues to write': {
    kind: 'wroteAfterItsEnd',
    changes: [
      {
        file: 'app/runs/end-watch.js',
        from: 'last.isOver ||= run === undefined || isOver(run);',
        to: 'last.isOver ||= run === undefined || (isOver(run) && !isSync(run));',
      },
    ],
  },
  'a sync continues though its target came into use': {
    kind: 'syncedIntoTheHubInUse',
    changes: [
      {
        file: 'app/runs/end-watch.js',
        from: 'last.isOver ||= run !== undefined && isSync(run) && (await isAgainstRole(app, run));',
        to: '',
      },
    ],
  },
  'a sync does not rest while the role is in doubt': {
    kind: 'syncedInDoubt',
    changes: [
      {
        file: 'app/runs/sync-rests.js',
        from: 'return unsettled && roleUnsettled(role, unsettled.runId, unsettled.at);',
        to: 'return unsettled && undefined;',
      },
    ],
  },
  'a sync rests though the doubt is settled': {
    kind: 'notSynced',
    changes: [
      {
        file: 'core/restore/unsettled.js',
        from: 'declared !== undefined && declared.at > since ? declared.at : since',
        to: 'since',
      },
    ],
  },
} as const satisfies Readonly<Record<string, Plant>>;

export type PlantName = keyof typeof plants;

export function isPlantName(name: string): name is PlantName {
  return Object.hasOwn(plants, name);
}

/** The text of the module with the change. Throws a `RangeError` when what is to be replaced is not there exactly once. */
export function withChange({ file, from, to }: Change, text: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new RangeError(`There ${parts.length - 1} times in ${file}: ${from}`);
  return parts.join(to);
}
