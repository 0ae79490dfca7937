import type { Command } from '@commander-js/extra-typings';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { Fault, isFault } from '../parts/errors.ts';
import { textAt } from '../parts/json.ts';
import { type Collection, collections, pathOf, readRun, startRun, watchRun } from '../parts/runs.ts';
import { isOver, summarize } from '../parts/summary.ts';
import { say } from '../parts/terminal.ts';
import { tool } from '../parts/tool.ts';

export function addBackup(program: Command, run: Run): void {
  program
    .command('backup')
    .description('back up the hub in use now')
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
    .action(
      run(async (context, id) => {
        const find = async (collection: Collection) => readRun(context, collection, id).then(() => collection);
        return watchRun(context, await whereItIs(id, find), id);
      }),
    );
}

export function addCancel(program: Command, run: Run): void {
  program
    .command('cancel <id>')
    .description('stop any run. What a restore wrote stays; a new one continues from there. A drill cleans up first')
    .action(run(cancel));
}

async function cancel({ client, show, terminal }: Context, id: string): Promise<undefined> {
  const view = await whereItIs(id, (collection) => client.call('POST', `${pathOf(collection, id)}/cancel`));
  const status = textAt(view, 'status');
  if (!isOver(view)) say(terminal, 'It first removes from the scratch hub what it restored.');
  else if (status !== 'Canceled') say(terminal, `It had ended before, as ${status}. Nothing was stopped.`);
  show(view, summarize(view, terminal.resultColumns()));
}

async function startBackup(context: Context, { watch }: { readonly watch?: true }): Promise<number> {
  for (;;) {
    try {
      return await startRun(context, { collection: 'backups', path: '/api/backups' }, watch);
    } catch (error) {
      const target = isFault(error, 'refused', 'RunInProgress') ? error.facts.target : undefined;
      if (target === undefined || !watch) throw error;
      // The scheduled one does not serve: what changed since it began, or its hub was another one, is not in it.
      say(context.terminal, `Backup ${target} began before and may miss newer changes. A new one follows it.`);
      await watchRun(context, 'backups', target);
    }
  }
}

/** What the work gives for the collection that has the run: the others answer that there is none. */
async function whereItIs<T>(id: string, work: (collection: Collection) => Promise<T>): Promise<T> {
  for (const collection of collections) {
    try {
      return await work(collection);
    } catch (error) {
      // An older app does not know every kind of run.
      const isUnknownKind = isFault(error, 'foreign') && collection !== 'restores';
      if (!(isFault(error, 'refused') || isUnknownKind) || error.facts.status !== 404) throw error;
    }
  }
  const message = `There is no run '${id}'. List the last restores: ${tool} restores; backups, verifications and drills have lists, too.`;
  throw new Fault('refused', message, { code: 'RunNotFound' });
}
