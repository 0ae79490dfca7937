import { importsFolder, OPEN_IMPORTS_FOLDER, openImportsName, shardLabel } from '../../../core/paths.ts';
import type { ImportCounts, ImportState } from '../../../core/restore/import-job.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

/** Of a run, or of one of its shards, each import job with its shard and the group it is for. */
export async function listImports(app: App, runId: string, shard?: number) {
  const prefix = importsFolder(runId) + (shard === undefined ? '' : shardLabel(shard));
  return (await app.blobs.list(prefix)).flatMap(({ name, facts }) => {
    const [, label, wave] = /(\d{4})-(\d+)\.json$/.exec(name) ?? [];
    return label === undefined ? [] : [{ name, shard: Number(label), wave: Number(wave), facts }];
  });
}

/** How many of a run's jobs were handed over and have not ended. */
export async function countUnderWay(app: App, runId: string): Promise<number> {
  const all = await listImports(app, runId);
  return all.filter(({ facts }) => facts['state'] === 'submitted').length;
}

/** Those of a shard, whatever has become of them. */
export async function readImports(app: App, run: RestoreRun, shard: number): Promise<ImportState[]> {
  const states: ImportState[] = [];
  for (const { name } of await listImports(app, run.id, shard)) states.push(await documents.import.read(app, name));
  return states;
}

/** What the run's jobs have come to. */
export async function sumImports(app: App, run: RestoreRun): Promise<ImportCounts> {
  const sum = { jobs: 0, lines: 0, made: 0, refused: 0 };
  for (const { facts } of await listImports(app, run.id)) {
    sum.jobs += Number(facts['jobs'] ?? 0);
    sum.lines += Number(facts['lines'] ?? 0);
    sum.made += Number(facts['made'] ?? 0);
    sum.refused += Number(facts['refused'] ?? 0);
  }
  return sum;
}

/** Its jobs are looked after until all have ended, whatever becomes of the run. */
export async function noteOpenImports(app: App, runId: string): Promise<void> {
  await documents.openImports.write(app, openImportsName(runId), { runId }, 'any');
}

export async function listOpenImports(app: App): Promise<string[]> {
  const entries = await app.blobs.list(OPEN_IMPORTS_FOLDER);
  return entries.map(({ name }) => name.slice(OPEN_IMPORTS_FOLDER.length, -'.json'.length));
}

export async function forgetOpenImports(app: App, runId: string): Promise<void> {
  await app.blobs.remove(openImportsName(runId));
}
