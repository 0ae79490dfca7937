import type { Command } from '@commander-js/extra-typings';
import { confirmed } from '../parts/confirmed.ts';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { wrongUse } from '../parts/errors.ts';
import { formatTable } from '../parts/format.ts';
import { fullNameAt, numberAt, textAt } from '../parts/json.ts';
import { readPages } from '../parts/pages.ts';
import { pathOf, startRun } from '../parts/runs.ts';

/** What can be done with a restore that exists. */
export function addRestoreCommands(program: Command, run: Run): void {
  program
    .command('report <id>')
    .description('one page about a restore to keep: what, who, when, counts, reasons, proof (Markdown)')
    .action(run(showReport));
  program
    .command('failures <id>')
    .description('list the records that a restore could not bring back, and why')
    .action(run(listFailures));
  program
    .command('records <id>')
    .description('list the records of which a restore made one thing: what it updated, withdrew, kept or left')
    .requiredOption('--outcome <name>', 'as in the counts of the restore: updated, withdrawn, conflict, raced, ...')
    .action(run((context, id, { outcome }) => listRecords(context, id, outcome)));
  program
    .command('retry <id>')
    .description('restore only the records that failed in a restore')
    .option('--confirm <namespace/hub>', 'full name of the target, where it came into use since')
    .option(...watchOption)
    .action(
      run((context, id, { watch, confirm }) =>
        confirmed(context, confirm === undefined ? {} : { confirm }, (body) =>
          startRun(context, { collection: 'restores', path: `${pathOf('restores', id)}/retry`, body }, watch),
        ),
      ),
    );
  program
    .command('rollback <id>')
    .description('remove what a restore wrote, except what has changed since')
    .option('--confirm <namespace/hub>', 'full name of the hub to remove from, as confirmation')
    .option('--keep-newer', 'leave what newer restores wrote; without it they have to be rolled back first')
    .option('--note <text>', 'who asks and why, for the report')
    .option(...watchOption)
    .action(
      run(async (context, id, { watch, note, keepNewer, confirm }) => {
        const body = { confirm: confirm ?? (await askForHub(context, id)), note, keepNewer };
        return startRun(context, { collection: 'restores', path: `${pathOf('restores', id)}/rollback`, body }, watch);
      }),
    );
}

async function showReport({ client, isJson, show }: Context, id: string): Promise<undefined> {
  const path = `${pathOf('restores', id)}/report`;
  if (isJson) show(await client.call('GET', path), '');
  else show(undefined, `${(await client.markdown(path)).trimEnd()}\n`);
}

async function listRecords(context: Context, id: string, outcome: string): Promise<undefined> {
  const query = `?${new URLSearchParams({ outcome })}`;
  const { value, note } = await readPages(context, `${pathOf('restores', id)}/records`, { query });
  const rows = value.map((record) => [textAt(record, 'outcome') ?? '', textAt(record, 'record') ?? '']);
  context.show({ value, note }, formatTable(['OUTCOME', 'RECORD'], rows, note ?? 'There is no such record.'));
}

async function listFailures(context: Context, id: string): Promise<undefined> {
  const { value } = await readPages(context, `${pathOf('restores', id)}/failures`);
  const rows = value.map((failure) => [
    textAt(failure, 'code') ?? '',
    `${numberAt(failure, 'status') ?? '-'}`,
    textAt(failure, 'record') ?? '',
  ]);
  const headings = ['REASON', 'HTTP', 'RECORD'];
  context.show({ value }, formatTable(headings, rows, 'No record failed.'));
}

async function askForHub({ client, terminal }: Context, id: string): Promise<string> {
  const view = await client.call('GET', pathOf('restores', id));
  const target = fullNameAt(view, 'target') ?? 'the hub';
  if (terminal.ask === undefined) {
    throw wrongUse(
      `A rollback removes devices from ${target}. If that is meant, repeat this full name after --confirm.`,
    );
  }
  terminal.err(`This removes from ${target} everything that ${id} wrote, except what has changed since.\n`);
  const typed = await terminal.ask('To confirm, type the full name of the hub, namespace/hub: ');
  if (typed.toLowerCase() === target.toLowerCase()) return typed;
  throw wrongUse('That is not the full name of the hub. Nothing was changed.');
}
