import type { Command } from '@commander-js/extra-typings';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { Fault, isFault } from '../parts/errors.ts';
import { type Collection, collections, readRun, startRun, watchRun } from '../parts/runs.ts';

export function addBackup(program: Command, run: Run): void {
  program
    .command('backup')
    .description('back up the primary hub now')
    .option(...watchOption)
    .action(run(startBackup));
}

export function addDrill(program: Command, run: Run): void {
  program
    .command('drill')
    .description('rehearse a restore into the scratch hub; without one, verify the latest snapshot')
    .option(...watchOption)
    .action(run((context, { watch }) => startRun(context, { collection: 'drills', path: '/api/drills' }, watch)));
}

export function addWatch(program: Command, run: Run): void {
  program
    .command('watch <id>')
    .description('watch any run to its end: restore, retry, rollback, backup, verification or drill')
    .action(run(async (context, id) => watchRun(context, await findCollection(context, id), id)));
}

async function startBackup(context: Context, { watch }: { readonly watch?: true }): Promise<number> {
  try {
    return await startRun(context, { collection: 'backups', path: '/api/backups' }, watch);
  } catch (error) {
    const target = isFault(error, 'refused', 'RunInProgress') ? error.facts.target : undefined;
    if (target === undefined || !watch) throw error;
    // The scheduled backup started first, and serves as well.
    context.terminal.err(`Backup ${target} is already running.\n`);
    return watchRun(context, 'backups', target);
  }
}

async function findCollection(context: Context, id: string): Promise<Collection> {
  for (const collection of collections) {
    try {
      await readRun(context, collection, id);
      return collection;
    } catch (error) {
      // An older app does not know every kind of run.
      const isUnknownKind = isFault(error, 'foreign') && collection !== 'restores';
      if (!(isFault(error, 'refused') || isUnknownKind) || error.facts.status !== 404) throw error;
    }
  }
  const message = `There is no run '${id}'. "notification-hubs-dr restores" lists the last restores.`;
  throw new Fault('refused', message, { code: 'RunNotFound' });
}
