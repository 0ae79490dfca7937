import { DrError } from '../../../core/errors.ts';
import { importLine } from '../../../core/restore/import-file.ts';
import { IMPORT_FILE, importContainer, isWorthJob, mayImport } from '../../../core/restore/import-job.ts';
import { isLong } from '../../../core/restore/partly.ts';
import type { WrittenOutcome } from '../../../core/restore/plan/outcomes.ts';
import type { Write } from '../../../core/restore/plan/write.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { EXPORT_GRANT_MS } from '../../../core/snapshot/export-job.ts';
import type { ShardRecords } from '../../../core/snapshot/shard.ts';
import { type App, type BulkJobs, toInstant } from '../../app.ts';
import { changeRun } from '../../runs/store.ts';
import type { IdMap } from '../outcomes/id-map.ts';
import { type ImportJob, noteFault, save } from './job.ts';
import { noteOpenImports } from './store.ts';

/** What is about to be written of a record, as far as a job has to know it. */
export interface Creation {
  readonly index: number;
  readonly outcome: WrittenOutcome;
  readonly writes: readonly Write[];
  readonly collapsed: number;
  readonly counted?: Readonly<Record<string, number>> | undefined;
  readonly isFirstTry: boolean;
  readonly takesBack: boolean;
  readonly undo?: unknown;
}

/** Collects, while a step decides about its shard, what an import job is to create. */
export interface HandOver<C extends Creation> {
  /** Keeps what a job can create; gives the rest. */
  take(due: readonly C[]): readonly C[];
  /**
   * Puts it where the job is to read it; gives what is to be written directly after all. `some`: there was no time to
   * collect more; where that is not worth a job, the next step writes directly.
   */
  prepare(how: 'all' | 'some'): Promise<readonly C[]>;
  /** Positions of the records that are prepared. */
  handedOver(): readonly number[];
  /** Once it is stored that they are about to be written: the next step submits the job. */
  store(): Promise<void>;
}

interface Target {
  readonly shard: number;
  readonly openRecords: () => Promise<ShardRecords>;
  readonly idMap: Pick<IdMap, 'idFor'>;
}

/** `undefined` where the run's creations are all written directly. */
export function openHandOver<C extends Creation>(app: App, run: RestoreRun, target: Target): HandOver<C> | undefined {
  const { imports, policy } = app;
  const { restoreWriter = 'direct' } = policy;
  if (imports === undefined || restoreWriter === 'direct' || !mayImport(run)) return undefined;
  const collected: { readonly creation: C; readonly lines: readonly string[] }[] = [];
  let prepared: ImportJob | undefined;
  const hasIds = run.imports?.isWithoutIds !== true;
  const lineOf = (write: Write): string | undefined => {
    if (write.kind !== 'registration' || write.over !== undefined || (write.asSeen ?? []).length > 0) return undefined;
    return importLine(write.xml, hasIds ? target.idMap.idFor(write.id) : undefined);
  };
  return {
    take: (due) =>
      due.filter((creation) => {
        const lines = isPlain(creation) ? creation.writes.map(lineOf) : [];
        const known = lines.filter((line) => line !== undefined);
        if (known.length === 0 || known.length < lines.length) return true;
        collected.push({ creation, lines: known });
        return false;
      }),
    async prepare(how) {
      if (prepared !== undefined || collected.length === 0) return [];
      const lines = collected.flatMap((one) => one.lines);
      const all = collected.map(({ creation }) => creation);
      const job = await openJob(app, imports, run, target, all);
      if (!isWorthJob(restoreWriter, run, lines.length)) {
        if (how === 'some') prepared = { ...job, state: { ...job.state, state: 'ended', lines: [], made: [] } };
        return all;
      }
      try {
        await prepareFile(job, lines);
      } catch (error) {
        if (!(error instanceof DrError)) throw error;
        await noteFault(job, `No import job was to be had: ${error.message}`, !error.retryable);
        return all;
      }
      prepared = { ...job, state: { ...job.state, hasIds } };
      return [];
    },
    handedOver: () => [...new Set(prepared?.state.lines.map(([index]) => index))],
    async store() {
      if (prepared !== undefined) await save(prepared, {});
    },
  };
}

/** Nothing is counted of it beside itself, and no step before has tried it. */
function isPlain({ outcome, isFirstTry, takesBack, undo, collapsed, counted = {}, writes }: Creation): boolean {
  const countsMore = collapsed > 0 || Object.values(counted).some((count) => count > 0);
  return outcome === 'created' && isFirstTry && !takesBack && undo === undefined && !countsMore && !isLong(writes);
}

async function openJob(
  app: App,
  imports: BulkJobs,
  run: RestoreRun,
  { shard, openRecords }: Target,
  creations: readonly Creation[],
): Promise<ImportJob> {
  const records = await openRecords();
  const { wave = 0 } = run.phase;
  const lines = creations.flatMap(({ index, writes }) =>
    writes.map(({ id }): [number, number] => [index, records.at(index).rows.findIndex((row) => row.id === id)]),
  );
  const at = toInstant(app.world.storageNow());
  const container = importContainer(run.id, shard, wave, 1);
  const state = {
    state: 'asked',
    container,
    hasIds: true,
    askedAt: at,
    movedAt: at,
    lookedAfter: 0,
    lines,
    refusals: {},
  } as const;
  return { app, imports, run, shard, wave, state, etag: undefined };
}

/** A question first: a hub without jobs says so before anything is made for one. */
async function prepareFile({ app, imports, run, state }: ImportJob, lines: readonly string[]): Promise<void> {
  await imports.jobsOf(run.hub).find(state.container, { deadlineAt: app.world.now() + ASK_MS });
  await imports.files.open(state.container, EXPORT_GRANT_MS);
  await imports.files.write(state.container, IMPORT_FILE, Buffer.from(`${lines.join('\n')}\n`));
  await noteOpenImports(app, run.id);
  await changeRun(app, 'restore', run.id, (current) =>
    current.imports === undefined ? { ...current, imports: {} } : undefined,
  );
}

const ASK_MS = 10_000;
