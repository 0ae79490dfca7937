import type { Command } from '@commander-js/extra-typings';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { wrongUse } from '../parts/errors.ts';
import { formatAge, formatCounts, formatTable } from '../parts/format.ts';
import { countsAt, listAt, numberAt, objectAt, textAt } from '../parts/json.ts';
import { pathOf, startRun } from '../parts/runs.ts';
import { nounOf, summarize } from '../parts/summary.ts';

/** What can be done with a restore that exists. */
export function addRestoreCommands(program: Command, run: Run): void {
  program
    .command('cancel <id>')
    .description('stop a restore. What it wrote stays; a new restore continues from there')
    .action(run(cancel));
  program.command('restores').description('list the last restores, newest first').action(run(listRestores));
  program
    .command('report <id>')
    .description('one page about a restore to keep: what, who, when, counts, reasons, proof (Markdown)')
    .action(run(showReport));
  program
    .command('failures <id>')
    .description('list the records that a restore could not bring back, and why')
    .action(run(listFailures));
  program
    .command('retry <id>')
    .description('restore only the records that failed in a restore')
    .option(...watchOption)
    .action(
      run((context, id, { watch }) =>
        startRun(context, { collection: 'restores', path: `${pathOf('restores', id)}/retry` }, watch),
      ),
    );
  program
    .command('rollback <id>')
    .description('remove what a restore wrote, except what has changed since')
    .option('--confirm <namespace/hub>', 'full name of the hub to remove from, as confirmation')
    .option('--note <text>', 'who asks and why, for the report')
    .option(...watchOption)
    .action(
      run(async (context, id, { watch, note, confirm }) => {
        const body = { confirm: confirm ?? (await askForHub(context, id)), note };
        return startRun(context, { collection: 'restores', path: `${pathOf('restores', id)}/rollback`, body }, watch);
      }),
    );
}

async function cancel({ client, show }: Context, id: string): Promise<undefined> {
  const view = await client.call('POST', `${pathOf('restores', id)}/cancel`);
  show(view, summarize(view));
}

async function listRestores({ client, terminal, show }: Context): Promise<undefined> {
  const body = await client.call('GET', '/api/restores');
  const rows = listAt(body, 'value').map((view) => [
    textAt(view, 'id') ?? '',
    formatAge(textAt(view, 'createdAt'), terminal.now()),
    nounOf(objectAt(view)),
    textAt(view, 'error', 'code') ?? textAt(view, 'status') ?? '',
    formatCounts(countsAt(view, 'counts')),
  ]);
  const headings = ['ID', 'STARTED', 'WHAT', 'STATUS', 'DEVICES'];
  show(body, formatTable(headings, rows, 'There are no restores yet.'));
}

async function showReport({ client, isJson, show }: Context, id: string): Promise<undefined> {
  const path = `${pathOf('restores', id)}/report`;
  if (isJson) show(await client.call('GET', path), '');
  else show(undefined, `${(await client.markdown(path)).trimEnd()}\n`);
}

async function listFailures({ client, show }: Context, id: string): Promise<undefined> {
  const value: unknown[] = [];
  for (let query: string | undefined = ''; query !== undefined; ) {
    const page = await client.call('GET', `${pathOf('restores', id)}/failures${query}`);
    value.push(...listAt(page, 'value'));
    query = URL.parse(textAt(page, 'nextLink') ?? '')?.search;
  }
  const rows = value.map((failure) => [
    textAt(failure, 'code') ?? '',
    `${numberAt(failure, 'status') ?? '-'}`,
    textAt(failure, 'record') ?? '',
  ]);
  const headings = ['REASON', 'HTTP', 'RECORD'];
  show({ value }, formatTable(headings, rows, 'No record failed.'));
}

async function askForHub({ client, terminal }: Context, id: string): Promise<string> {
  const view = await client.call('GET', pathOf('restores', id));
  const target = `${textAt(view, 'target', 'namespace')}/${textAt(view, 'target', 'hub')}`;
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
